"""Writing: trees, never strings, and the one text that each has: its exclusive canonical form.

What we write is canonical from the start, so what is digested and signed is, octet for octet, what is sent. A tree that
was parsed is serialised, and canonicalised, by libxml2 (docs/decisions/written-canonical.md).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml.names import ASYNC_SLO, DS, SAML, SAMLP, SOAP, XENC, XENC11
from federation.saml.xml.parsing import reparse

PREFIXES: Final = {
    "": "",
    SAML: "saml",
    SAMLP: "samlp",
    DS: "ds",
    XENC: "xenc",
    XENC11: "xenc11",
    ASYNC_SLO: "aslo",
    SOAP: "soap11",
}
"""How each namespace that we write is called, in every document."""

DEFAULT_NAMESPACE: Final = "#default"

_NOTHING: Final = ("",)
"""The prefixes that are in scope around a root: the name without one."""
_UNFIT: Final = "\0-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
"""What XML 1.0 cannot carry, not even as a reference (2.2)."""
_unfit: Final = re.compile(f"[{_UNFIT}]").search
_special_in_text: Final = re.compile(f"[&<>\r{_UNFIT}]").search
_special_in_attribute: Final = re.compile(f'[&<"\t\n\r{_UNFIT}]').search
_IN_TEXT: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#xD;"})
_IN_ATTRIBUTE: Final = str.maketrans(
    {"&": "&amp;", "<": "&lt;", '"': "&quot;", "\t": "&#x9;", "\n": "&#xA;", "\r": "&#xD;"}
)


class Element(list["Element"]):
    """An element that we write: its text, its children, and its attributes, which have no namespace.

    It is read as a parsed one is: `tag` in Clark's notation, `text`, `get`, `items`, and the children as a sequence.
    """

    __slots__ = ("attributes", "items", "tag", "text")

    def __init__(self, tag: str, text: str | None = None, attributes: Mapping[str, str | None] | None = None) -> None:
        """Attributes whose value is None are left out."""
        self.tag = tag
        self.text = text
        self.attributes: dict[str, str] = (
            {name: value for name, value in attributes.items() if value is not None} if attributes else {}
        )
        self.items = self.attributes.items

    def get(self, name: str) -> str | None:
        """The value of an attribute, None where there is none."""
        return self.attributes.get(name)


def new(tag: str, attributes: Mapping[str, str | None] | None = None) -> Element:
    """A new root element. Attributes whose value is None are left out."""
    return Element(tag, None, attributes)


def add(
    parent: Element, tag: str, content: str | None = None, attributes: Mapping[str, str | None] | None = None
) -> Element:
    """Append a child element. Attributes whose value is None are left out."""
    element = Element(tag, content, attributes)
    parent.append(element)
    return element


def serialise(element: Element | etree._Element) -> bytes:
    """The element as UTF-8 without a declaration: what we write canonical, what was parsed with all its namespaces.

    Raises `ConfigurationError` when a value of ours holds a character that XML cannot carry.
    """
    if isinstance(element, Element):
        return _text(element, _NOTHING).encode()
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)


def lift(element: Element | etree._Element) -> etree._Element:
    """A parsed copy of the element as the root of a new document, every namespace in scope declared on it."""
    return reparse(serialise(element))


def canonical(element: etree._Element, inclusive_prefixes: Sequence[str] = ()) -> bytes:
    """The exclusive canonical form without comments (Exclusive XML Canonicalization 1.0).

    `#default` among the prefixes means the default namespace (3, InclusiveNamespaces PrefixList).

    Raises `Malformed` (rule `xml.canonical`) when there is none: a failure must never turn into an empty digest.
    """
    if DEFAULT_NAMESPACE in inclusive_prefixes:
        _make_known()
    try:
        octets = etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=False,
            inclusive_ns_prefixes=list(inclusive_prefixes) or None,
        )
    except (etree.LxmlError, ValueError):
        octets = b""
    if not octets:
        raise Malformed("xml.canonical", "the element has no canonical form")
    return octets


def _make_known() -> None:
    """Put `#default` among the names that the parsers of this thread have seen: lxml passes on no other prefix.

    No name in XML begins like this, but one in HTML may.
    """
    etree.fromstring(f"<p {DEFAULT_NAMESPACE}>", etree.HTMLParser())


# The canonical form of what we write (Canonical XML 1.0, 2.3; Exclusive XML Canonicalization 1.0, 3) -----------------


def parts(element: Element) -> list[str]:
    """The text of an element taken apart: its start tag, each child, its end tag."""
    return [_start(element, _NOTHING), *(inside(element.tag, child) for child in element), _end(element)]


def inside(tag: str, element: Element) -> str:
    """The text of an element inside one of this name: the prefix of that is declared already."""
    return _text(element, (*_NOTHING, _qualified(tag)[0]))


def tags_inside(tag: str, element: Element) -> tuple[str, str]:
    """The start tag, and the end tag, of an element inside one of this name."""
    return _start(element, (*_NOTHING, _qualified(tag)[0])), _end(element)


def _start(element: Element, scope: tuple[str, ...]) -> str:
    return _text(Element(element.tag, element.text, element.attributes), scope).removesuffix(_end(element))


def _end(element: Element) -> str:
    return f"</{_qualified(element.tag)[1]}>"


def _text(element: Element, scope: tuple[str, ...]) -> str:
    pieces: list[str] = []
    _write(element, scope, pieces)
    return "".join(pieces)


def _write(element: Element, scope: tuple[str, ...], pieces: list[str]) -> None:
    """Add the text of an element within others that have declared the prefixes in `scope`."""
    prefix, name, declaration = _qualified(element.tag)
    if prefix in scope:
        pieces.append(f"<{name}")
    else:
        pieces.append(f"<{name}{declaration}")
        scope = (*scope, prefix)
    attributes = element.attributes
    if attributes:
        for attribute in sorted(attributes):
            value = attributes[attribute]
            if _special_in_attribute(value):
                value = _escaped(element.tag, value, _IN_ATTRIBUTE)
            pieces.append(f' {attribute}="{value}"')
    content = element.text
    if content is None:
        pieces.append(">")
    else:
        if _special_in_text(content):
            content = _escaped(element.tag, content, _IN_TEXT)
        pieces.append(f">{content}")
    for child in element:
        _write(child, scope, pieces)
    pieces.append(f"</{name}>")


def attribute_text(tag: str, value: str) -> str:
    """A value as it stands between the quotes of an attribute of an element of this name."""
    return _escaped(tag, value, _IN_ATTRIBUTE) if _special_in_attribute(value) else value


def content_text(tag: str, value: str) -> str:
    """A value as it stands between the tags of an element of this name."""
    return _escaped(tag, value, _IN_TEXT) if _special_in_text(value) else value


def _escaped(tag: str, value: str, escapes: Mapping[int, str]) -> str:
    if _unfit(value):
        name = tag.rpartition("}")[2]
        raise ConfigurationError(f"{name}: a value holds a character that XML cannot carry")
    return value.translate(escapes)


@cache
def _qualified(tag: str) -> tuple[str, str, str]:
    """The prefix of an element's name, its name as written, and what declares the prefix."""
    namespace, _, local = tag.rpartition("}")
    prefix = PREFIXES[namespace[1:]]
    return prefix, f"{prefix}:{local}" if prefix else local, f' xmlns:{prefix}="{namespace[1:]}"'
