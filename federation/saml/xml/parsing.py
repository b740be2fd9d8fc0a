"""The one parser, its limits, and the rule on identifiers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import filterfalse, islice
from typing import Final, NamedTuple

from lxml import etree

from federation.errors import Malformed
from federation.saml.names import DS, DSIG11, MD, SAML, SAMLP, XENC, XENC11, XML
from federation.saml.xml.names import namespace_of

MAX_BYTES: Final = 1_048_576
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 64
MAX_NAMESPACES: Final = 32
MAX_IN_SCOPE: Final = 64
"""Declarations of namespaces around one element and on it: canonicalization searches all of them, again and again."""
BYTES_PER_ELEMENT: Final = 32
"""A document may hold one element for each so many octets of its size limit."""

_ENCODINGS: Final = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ASCII", "ISO-8859-1"})
_OWN_ID: Final = {SAML: "ID", SAMLP: "ID", MD: "ID", DS: "Id", DSIG11: "Id", XENC: "Id", XENC11: "Id"}
"""What an identifier is called on an element of this namespace."""
_ID_NAMES: Final = frozenset({"ID", "Id", "id", "iD"})
_OTHER_NAMES: Final = frozenset(
    (
        "Algorithm",
        "AssertionConsumerServiceURL",
        "AuthnInstant",
        "Destination",
        "Format",
        "FriendlyName",
        "InResponseTo",
        "IssueInstant",
        "Method",
        "Name",
        "NameFormat",
        "NameQualifier",
        "NotBefore",
        "NotOnOrAfter",
        "ProtocolBinding",
        "Recipient",
        "SPNameQualifier",
        "SessionIndex",
        "SessionNotOnOrAfter",
        "URI",
        "Value",
        "Version",
    )
)
"""Attributes that messages are full of and that are no identifiers. Fewer than an element may have."""

_PARSER: Final = etree.XMLParser(
    resolve_entities=False,
    no_network=True,
    load_dtd=False,
    dtd_validation=False,
    attribute_defaults=False,
    huge_tree=False,
    remove_comments=True,
    remove_pis=False,
    strip_cdata=True,
)


Identifier = tuple[etree._Element, str, str]
"""An attribute that may be taken for an identifier: the element, the attribute's name, its value."""


class Document(NamedTuple):
    """A document from outside: its root, and whatever in it may be taken for an identifier."""

    root: etree._Element
    named: Sequence[Identifier]

    def identifiers(self) -> set[str]:
        """Every identifier in it, each of which occurs once. Raises `Malformed` as `collect_ids`."""
        return _unique(self.named, ())


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Read one document and answer its root element.

    Raises `Malformed`: xml.size, xml.well_formed, xml.version, xml.encoding, xml.doctype, xml.processing_instruction,
    xml.depth, xml.elements, xml.attributes, xml.namespaces.
    """
    root = _parsed(data, max_bytes)
    _walk(root, max_bytes // BYTES_PER_ELEMENT, None)
    _hold_namespaces(root, data)
    return root


def parse_message(data: bytes, *, max_bytes: int = MAX_BYTES) -> Document:
    """As `parse`, and find the identifiers on the same way through the tree."""
    root = _parsed(data, max_bytes)
    named: list[Identifier] = []
    _walk(root, max_bytes // BYTES_PER_ELEMENT, named)
    _hold_namespaces(root, data)
    return Document(root, named)


def collect_ids(root: etree._Element, *, known: Collection[str] = ()) -> set[str]:
    """Every identifier in this tree; none may occur twice, nor be among those `known` from elsewhere.

    An attribute named ID, Id, id or xml:id, or with that local name in any namespace, is an identifier: a resolver may
    take it for one. On SAML elements only an unprefixed `ID` is allowed, on those of XML Signature and Encryption only
    an unprefixed `Id`; both are NCNames; all are unique over the whole document (SAML Core 1.3.4, XML Signature 4.4.3).

    Raises `Malformed` (rule `xml.ids`).
    """
    named: list[Identifier] = []
    others: set[str | bytes] = set(_OTHER_NAMES)  # and those seen: a big document repeats few of them
    for element in root.iter("*"):
        names = element.keys()
        if not others.issuperset(names):
            _note_ids(element, names, named)
            others.update(name for name in names if name[-2:] not in _ID_NAMES)
    return _unique(named, known)


def _parsed(data: bytes, max_bytes: int) -> etree._Element:
    if len(data) > max_bytes:
        raise Malformed("xml.size", f"longer than {max_bytes} octets")
    try:
        root = etree.fromstring(data, _PARSER)
    except etree.XMLSyntaxError as error:
        line, column = error.position
        raise Malformed("xml.well_formed", f"not a well-formed XML document (line {line}, column {column})") from None
    except (etree.LxmlError, ValueError, LookupError):
        raise Malformed("xml.well_formed", "not a well-formed XML document") from None
    document = root.getroottree().docinfo
    if document.internalDTD is not None or document.externalDTD is not None:
        raise Malformed("xml.doctype", "the document has a DOCTYPE")
    if document.xml_version != "1.0":
        raise Malformed("xml.version", "not XML 1.0")
    if (document.encoding or "UTF-8").upper() not in _ENCODINGS:
        raise Malformed("xml.encoding", "neither UTF-8 nor UTF-16")
    if root.getprevious() is not None or root.getnext() is not None:
        raise Malformed("xml.processing_instruction", "the document has a processing instruction")
    return root


def _walk(root: etree._Element, max_elements: int, named: list[Identifier] | None) -> None:
    """Walk the tree once: hold every limit, and note the identifiers where they are wanted."""
    elements = 0
    usual = _OTHER_NAMES.issuperset
    for elements, element in enumerate(islice(root.iter("*"), max_elements + 1), start=1):  # noqa: B007 (how many)
        names = element.keys()
        if usual(names):
            continue
        if len(names) > MAX_ATTRIBUTES:
            raise Malformed("xml.attributes", f"more than {MAX_ATTRIBUTES} attributes on one element")
        if named is not None:
            _note_ids(element, names, named)
    if elements > max_elements:
        raise Malformed("xml.elements", f"more than {max_elements} elements")
    if next(root.iter(etree.ProcessingInstruction), None) is not None:
        raise Malformed("xml.processing_instruction", "the document has a processing instruction")
    if elements > MAX_DEPTH:  # fewer cannot be nested deeper
        _hold_depth(root)


def _hold_depth(root: etree._Element) -> None:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > MAX_DEPTH:
            raise Malformed("xml.depth", f"nested deeper than {MAX_DEPTH} elements")


def _hold_namespaces(root: etree._Element, data: bytes) -> None:
    if data.count(b"xmlns") <= MAX_NAMESPACES and b"\0" not in data:
        return  # so many cannot stand on one element; in UTF-16 they would be written with NUL octets
    declared = in_scope = 0
    for event, _ in etree.iterwalk(root, events=("start-ns", "start", "end-ns")):
        if event == "start":
            declared = 0
        elif event == "end-ns":
            in_scope -= 1
        else:
            declared += 1
            in_scope += 1
        if declared > MAX_NAMESPACES:
            raise Malformed("xml.namespaces", f"more than {MAX_NAMESPACES} namespaces declared on one element")
        if in_scope > MAX_IN_SCOPE:
            raise Malformed("xml.namespaces", f"more than {MAX_IN_SCOPE} namespaces declared around one element")


# Identifiers ----------------------------------------------------------------------------------------------------------


def _note_ids(element: etree._Element, names: Sequence[str | bytes], named: list[Identifier]) -> None:
    named += [
        (element, str(name), element.get(name, ""))
        for name in filterfalse(_OTHER_NAMES.__contains__, names)
        if name[-2:] in _ID_NAMES and (len(name) == 2 or name[-3:-2] == "}")
    ]


def _unique(named: Sequence[Identifier], known: Collection[str]) -> set[str]:
    found: set[str] = set()
    for element, name, identifier in named:
        _check_id(element, name, identifier)
        if identifier in found or identifier in known:
            raise Malformed("xml.ids", "an identifier occurs twice")
        found.add(identifier)
    return found


def _check_id(element: etree._Element, name: str, value: str) -> None:
    own = _OWN_ID.get(namespace_of(element))
    if own is not None and name != own:
        raise Malformed("xml.ids", f"an element of SAML or XML Security carries an identifier other than {own}")
    if (own is not None or name == f"{{{XML}}}id") and not is_ncname(value):
        raise Malformed("xml.ids", "an identifier is not an NCName")


def is_ncname(text: str) -> bool:
    """Is this an NCName of at most 256 characters, so that it may be echoed and looked up?

    Letters beyond ASCII are legal in an NCName and accepted as Python's identifiers have them.
    """
    if not 0 < len(text) <= 256:
        return False
    return text.replace("-", "_").replace(".", "_").isidentifier() and text[0] not in "-."


def reparse(octets: bytes) -> etree._Element:
    """Read a document that we have just written: its limits were checked when it came in."""
    return etree.fromstring(octets, _PARSER)
