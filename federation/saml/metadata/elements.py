"""Small readers that every part of a metadata document shares: text, booleans, numbers, instants, language pairs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from lxml.etree import _Element

from federation.errors import Malformed
from federation.saml import times
from federation.saml.metadata.findings import Findings, Level
from federation.saml.names import MD, MDRPI, XML

_LANGUAGE: Final = f"{{{XML}}}lang"
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def children(element: _Element) -> dict[str, list[_Element]]:
    """The child elements by qualified name, each list in document order; other roles' and unknown ones do no harm."""
    by_tag: dict[str, list[_Element]] = {}
    for child in element.iterchildren("*"):
        tag = child.tag
        if tag in by_tag:
            by_tag[tag].append(child)
        else:
            by_tag[tag] = [child]
    return by_tag


def text_of(element: _Element) -> str:
    """The text of a text-only element without the blanks around it; empty if elements stand inside."""
    return "" if len(element) else (element.text or "").strip()


def texts(elements: list[_Element]) -> tuple[str, ...]:
    """The non-empty texts of some elements."""
    return tuple([text for text in map(text_of, elements) if text]) if elements else ()


def language_pairs(elements: list[_Element]) -> tuple[tuple[str, str], ...]:
    """Pairs of xml:lang (empty if absent) and text, non-empty texts only (SAML Metadata 2.2.4)."""
    pairs = [(child.get(_LANGUAGE, ""), text) for child in elements if (text := text_of(child))]
    return tuple(pairs)


def boolean(element: _Element, name: str, findings: Findings) -> bool | None:
    """An xs:boolean attribute, None if absent or (with a finding) if it is neither true nor false."""
    text = element.get(name)
    if text is None:
        return None
    value = _BOOLEANS.get(text.strip())
    if value is None:
        findings.add("metadata.boolean", Level.WARNING, f"{name} is neither true nor false", "SAML Metadata 2")
    return value


def index_of(element: _Element, findings: Findings, *, place: str) -> int | None:
    """The index of an indexed element (xs:unsignedShort), None with a finding if it is missing or no such number."""
    text = (element.get("index") or "").strip()
    if text.isascii() and text.isdecimal() and len(text) <= 5 and int(text) <= 65535:
        return int(text)
    message = "an indexed element has no usable index"
    findings.add("metadata.index.missing", Level.WARNING, message, "SAML Metadata 2.2.3", place=place)
    return None


def valid_until(element: _Element) -> datetime | None:
    """The element's own validUntil. Raises `Malformed`: a limit that cannot be read must not read as no limit."""
    text = element.get("validUntil")
    return None if text is None else times.parse_instant(text)


def published(root: _Element) -> datetime | None:
    """When a document was made, by the PublicationInfo of its root (MDRPI 2.2); None if it does not say so readably."""
    for extensions in root.iterchildren(f"{{{MD}}}Extensions"):
        for info in extensions.iterchildren(f"{{{MDRPI}}}PublicationInfo"):
            try:
                return times.parse_instant(info.get("creationInstant", ""))
            except Malformed:
                return None
    return None


def cache_duration(element: _Element, findings: Findings) -> timedelta | None:
    """The element's cacheDuration, None if absent or (with a finding) unreadable: it only advises."""
    text = element.get("cacheDuration")
    try:
        duration = None if text is None else times.parse_duration(text)
    except Malformed:
        duration = timedelta(-1)
    if duration is not None and duration < timedelta(0):
        findings.add("metadata.cache_duration", Level.WARNING, "cacheDuration is not a duration", "SAML Metadata 2.3.2")
        return None
    return duration
