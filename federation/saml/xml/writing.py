"""Writing: trees, never strings, and their canonical form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml.xml.names import local_name
from federation.saml.xml.parsing import reparse

DEFAULT_NAMESPACE: Final = "#default"


def new(tag: str, nsmap: Mapping[str, str], attributes: Mapping[str, str | None] | None = None) -> etree._Element:
    """A new root element. Attributes whose value is None are left out."""
    return _fill(etree.Element(tag, nsmap=dict(nsmap)), None, attributes)


def add(
    parent: etree._Element, tag: str, content: str | None = None, attributes: Mapping[str, str | None] | None = None
) -> etree._Element:
    """Append a child element. Attributes whose value is None are left out.

    Raises `ConfigurationError` when a value holds a character that XML cannot carry: what we write is our own data.
    """
    return _fill(etree.SubElement(parent, tag), content, attributes)


def _fill(element: etree._Element, content: str | None, attributes: Mapping[str, str | None] | None) -> etree._Element:
    try:
        if content is not None:
            element.text = content
        if attributes:
            for name, value in attributes.items():
                if value is not None:
                    element.set(name, value)
    except ValueError:
        raise ConfigurationError(f"{local_name(element)}: a value holds a character that XML cannot carry") from None
    return element


def serialise(element: etree._Element) -> bytes:
    """The element as UTF-8, with every namespace in scope and without a declaration."""
    return etree.tostring(element, encoding="UTF-8", xml_declaration=False, with_tail=False)


def lift(element: etree._Element) -> etree._Element:
    """A copy of the element as the root of a new document, every namespace in scope declared on it."""
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
