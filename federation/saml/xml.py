"""XML as SAML needs it: one hardened parser, one rigid reading, one writer.

Every document from outside passes `parse` and nothing else: no entity, no DTD, no network, no processing instruction,
and a limit on every dimension. Comments are dropped at parsing, because the canonical form that is signed has none, and
text is then read whole. What is refused is refused on the parsed document, so that an encoding cannot hide it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml.names import DS, DSIG11, MD, SAML, SAMLP, XENC, XENC11, XML

MAX_BYTES: Final = 1_048_576
MAX_DEPTH: Final = 64
MAX_ATTRIBUTES: Final = 64
MAX_NAMESPACES: Final = 32
BYTES_PER_ELEMENT: Final = 32
"""A document may hold one element for each so many octets of its size limit."""

SPACE: Final = " \t\r\n"
_ENCODINGS: Final = frozenset({"UTF-8", "UTF-16", "UTF-16LE", "UTF-16BE", "US-ASCII", "ASCII", "ISO-8859-1"})
_OWN_ID: Final = {SAML: "ID", SAMLP: "ID", MD: "ID", DS: "Id", DSIG11: "Id", XENC: "Id", XENC11: "Id"}
"""What an identifier is called on an element of this namespace."""
_ID_NAMES: Final = frozenset({"ID", "Id", "id", "iD"})

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
_EVENTS: Final = ("start", "end", "start-ns", "pi")


class Document(NamedTuple):
    """A document from outside: its root, and every identifier in it, each of which occurs once."""

    root: etree._Element
    identifiers: set[str]


def parse(data: bytes, *, max_bytes: int = MAX_BYTES) -> etree._Element:
    """Read one document and answer its root element.

    Raises `Malformed`: xml.size, xml.well_formed, xml.version, xml.encoding, xml.doctype, xml.processing_instruction,
    xml.depth, xml.elements, xml.attributes, xml.namespaces.
    """
    root = _parsed(data, max_bytes)
    _walk(root, max_bytes // BYTES_PER_ELEMENT, None)
    return root


def parse_message(data: bytes, *, max_bytes: int = MAX_BYTES, known: Collection[str] = ()) -> Document:
    """As `parse` and `collect_ids` at once, which saves a walk through the tree."""
    root = _parsed(data, max_bytes)
    identifiers: set[str] = set()
    _walk(root, max_bytes // BYTES_PER_ELEMENT, identifiers, known)
    return Document(root, identifiers)


def collect_ids(root: etree._Element, *, known: Collection[str] = ()) -> set[str]:
    """Every identifier in this tree; none may occur twice, nor be among those `known` from elsewhere.

    An attribute named ID, Id, id or xml:id, or with that local name in any namespace, is an identifier: a resolver may
    take it for one. On SAML elements only an unprefixed `ID` is allowed, on those of XML Signature and Encryption only
    an unprefixed `Id`; both are NCNames; all are unique over the whole document (SAML Core 1.3.4, XML Signature 4.4.3).

    Raises `Malformed` (rule `xml.ids`).
    """
    found: set[str] = set()
    for element in root.iter("*"):
        _note_ids(element, element.items(), found, known)
    return found


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


def _walk(root: etree._Element, max_elements: int, identifiers: set[str] | None, known: Collection[str] = ()) -> None:
    """Walk the tree once: hold every limit, and note the identifiers where they are wanted."""
    elements = depth = declared = 0
    for event, node in etree.iterwalk(root, events=_EVENTS):
        if event == "start":
            elements += 1
            depth += 1
            declared = 0
            if elements > max_elements:
                raise Malformed("xml.elements", f"more than {max_elements} elements")
            if depth > MAX_DEPTH:
                raise Malformed("xml.depth", f"nested deeper than {MAX_DEPTH} elements")
            attributes = node.items()
            if len(attributes) > MAX_ATTRIBUTES:
                raise Malformed("xml.attributes", f"more than {MAX_ATTRIBUTES} attributes on one element")
            if identifiers is not None and attributes:
                _note_ids(node, attributes, identifiers, known)
        elif event == "end":
            depth -= 1
        elif event == "start-ns":
            declared += 1
            if declared > MAX_NAMESPACES:
                raise Malformed("xml.namespaces", f"more than {MAX_NAMESPACES} namespaces declared on one element")
        else:
            raise Malformed("xml.processing_instruction", "the document has a processing instruction")


# Identifiers ----------------------------------------------------------------------------------------------------------


def _note_ids(
    element: etree._Element,
    attributes: Sequence[tuple[str | bytes, str | bytes]],
    found: set[str],
    known: Collection[str],
) -> None:
    for name, value in attributes:
        if name[-2:] in _ID_NAMES and (len(name) == 2 or name[-3:-2] == "}"):
            identifier = str(value)
            _check_id(element, str(name), identifier)
            if identifier in found or identifier in known:
                raise Malformed("xml.ids", "an identifier occurs twice")
            found.add(identifier)


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


# Reading --------------------------------------------------------------------------------------------------------------


def namespace_of(element: etree._Element) -> str:
    """The namespace of an element's name, or an empty string."""
    namespace, brace, _ = str(element.tag).rpartition("}")
    return namespace[1:] if brace else ""


def local_name(element: etree._Element) -> str:
    """The local part of an element's name."""
    return str(element.tag).rpartition("}")[2]


def expect(element: etree._Element, tag: str) -> etree._Element:
    """The element itself if it has this name. Raises `Malformed` (rule `xml.root`)."""
    if element.tag != tag:
        raise Malformed("xml.root", f"not a {tag.rpartition('}')[2]}")
    return element


class Slot(NamedTuple):
    """One position in a sequence of children: which names may stand there, and how many together."""

    tags: tuple[str, ...]
    least: int
    most: int


def one(tag: str) -> Slot:
    """Exactly one child of this name."""
    return Slot((tag,), 1, 1)


def maybe(tag: str) -> Slot:
    """At most one child of this name."""
    return Slot((tag,), 0, 1)


def several(*tags: str, least: int = 0, most: int = 10_000) -> Slot:
    """Any number of children of these names, in any order among themselves."""
    return Slot(tags, least, most)


class Content(dict[str, list[etree._Element]]):
    """The children of one element by name, as `Shape.read` found them."""

    __slots__ = ()

    def first(self, tag: str) -> etree._Element | None:
        """The first child of this name, or None."""
        children = self.get(tag)
        return children[0] if children else None

    def only(self, tag: str) -> etree._Element:
        """The child of this name, which the shape made sure of."""
        return self[tag][0]

    def all(self, tag: str) -> Sequence[etree._Element]:
        """All children of this name, in document order."""
        return self.get(tag, ())


class Shape:
    """The content model of an element that holds only elements: its children, in schema order.

    Children that the model does not name, or that stand out of order or too often, and text between them, make the
    element malformed. Where a schema leaves room for extensions, their container is named and never looked into.
    """

    def __init__(self, *slots: Slot) -> None:
        self._slots = slots
        self._position = {tag: position for position, slot in enumerate(slots) for tag in slot.tags}

    def read(self, element: etree._Element) -> Content:
        """The children by name. Raises `Malformed` (rule `xml.shape`)."""
        found = Content()
        reached = 0
        blank = _is_blank(element.text)
        for child in element:
            tag = child.tag
            position = self._position.get(tag, -1)
            if position < reached:
                problem = "is out of order" if position >= 0 else "does not belong there"
                raise Malformed("xml.shape", f"{local_name(element)} holds an element that {problem}")
            reached = position
            blank = blank and _is_blank(child.tail)
            if tag in found:
                found[tag].append(child)
            else:
                found[tag] = [child]
        if not blank:
            raise Malformed("xml.shape", f"{local_name(element)} holds text between its elements")
        for tags, least, most in self._slots:
            count = (
                sum(len(found[tag]) for tag in tags if tag in found) if len(tags) > 1 else len(found.get(tags[0], ()))
            )
            if not least <= count <= most:
                names = " or ".join(tag.rpartition("}")[2] for tag in tags)
                raise Malformed("xml.shape", f"{local_name(element)} holds {count} {names}")
        return found


def _is_blank(piece: str | None) -> bool:
    return piece is None or not piece.strip(SPACE)


def text(element: etree._Element) -> str:
    """The whole text of an element that holds text only (SAML Core 1.3.1: never only white space).

    Raises `Malformed` (rule `xml.text`) when there is a child element, or nothing but white space.
    """
    value = element.text
    if len(element) or value is None or not value.strip(SPACE):
        raise Malformed("xml.text", f"{local_name(element)} does not hold exactly one text")
    return value


def uri(element: etree._Element) -> str:
    """The text of an element of type xs:anyURI, in which the schema collapses white space."""
    return text(element).strip(SPACE)


def required(element: etree._Element, name: str) -> str:
    """An attribute that must be there and not be blank. Raises `Malformed` (rule `xml.attribute`)."""
    value = element.get(name)
    if value is None or not value.strip(SPACE):
        raise Malformed("xml.attribute", f"{local_name(element)} lacks {name}")
    return value


def boolean(element: etree._Element, name: str) -> bool | None:
    """An attribute of type xs:boolean, None when absent. Raises `Malformed` (rule `xml.attribute`)."""
    value = element.get(name)
    if value is None:
        return None
    try:
        return {"true": True, "1": True, "false": False, "0": False}[value.strip(SPACE)]
    except KeyError:
        raise Malformed("xml.attribute", f"{local_name(element)}'s {name} is not a boolean") from None


def unsigned_short(element: etree._Element, name: str) -> int | None:
    """An attribute of type xs:unsignedShort, None when absent. Raises `Malformed` (rule `xml.attribute`)."""
    value = element.get(name)
    if value is None:
        return None
    digits = value.strip(SPACE)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise Malformed("xml.attribute", f"{local_name(element)}'s {name} is not a number from 0 to 65535")
    return int(digits)


# Writing --------------------------------------------------------------------------------------------------------------


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


def reparse(octets: bytes) -> etree._Element:
    """Read a document that we have just written: its limits were checked when it came in."""
    return etree.fromstring(octets, _PARSER)


def canonical(element: etree._Element, inclusive_prefixes: Sequence[str] = ()) -> bytes:
    """The exclusive canonical form without comments (Exclusive XML Canonicalization 1.0).

    `#default` among the prefixes has no effect: lxml drops it. Where it would matter, a digest will not match.

    Raises `Malformed` (rule `xml.canonical`) when there is none: a failure must never turn into an empty digest.
    """
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
