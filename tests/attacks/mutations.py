"""Changes to a message: to its tree, to its octets, to its base64, to its query. An attacker's whole alphabet.

Every change takes `choose`, which picks one of several: hypothesis draws, a seeded generator chooses, or a loop walks
through all. A change that does not fit the message answers it unchanged.
"""

from __future__ import annotations

import base64
import copy
from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar
from urllib.parse import quote

from lxml import etree

from federation.saml.names import DS, MD, SAML, SAMLP, XENC
from tests.attacks.forging import evil_assertion

T = TypeVar("T")


class Choose(Protocol):
    """Picks one of several."""

    def __call__(self, options: Sequence[T], /) -> T: ...


Tree = Callable[[etree._Element, Choose], object]
Octets = Callable[[bytes, Choose], bytes]

EVIL_TEXTS: Final = (
    "",
    " ",
    "mallory",
    "admin@example.org",
    "https://evil.example",
    "2099-01-01T00:00:00Z",
    "true",
    "0",
    "\u202e",
    "%00",
)
NAMESPACES: Final = (SAML, SAMLP, DS, XENC, MD, "", "urn:x", SAML + "#", "http://schemas.xmlsoap.org/soap/envelope/")
CONTAINERS: Final = (
    f"{{{SAMLP}}}Extensions",
    f"{{{SAML}}}Advice",
    f"{{{SAMLP}}}StatusDetail",
    f"{{{DS}}}Object",
    f"{{{SAML}}}AttributeValue",
    f"{{{MD}}}Extensions",
    f"{{{SAMLP}}}Response",
    "wrapper",
)
ATTRIBUTES: Final = (
    "ID", "Id", "id", "{http://www.w3.org/XML/1998/namespace}id", "{http://www.w3.org/XML/1998/namespace}base",
    "{http://www.w3.org/2001/XMLSchema-instance}type", "{http://www.w3.org/2001/XMLSchema-instance}nil", "Version",
    "Destination", "InResponseTo", "Recipient", "NotOnOrAfter", "Format", "Algorithm", "URI", "Value", "Consent",
    "{urn:x}ID",
)  # fmt: skip


def elements(root: etree._Element) -> list[etree._Element]:
    """Every element of a tree."""
    return list(root.iter("*"))


def below(root: etree._Element) -> list[etree._Element]:
    """Every element of a tree but its root, which cannot be taken away."""
    return elements(root)[1:] or [root]


def outside(root: etree._Element, element: etree._Element) -> list[etree._Element]:
    """Every element of a tree that is neither this one nor inside it."""
    return [other for other in root.iter("*") if element not in (other, *other.iterancestors())]


def parent_of(element: etree._Element) -> etree._Element:
    """The parent, or the element itself where it is the root."""
    parent = element.getparent()
    return element if parent is None else parent


def twin(element: etree._Element) -> etree._Element:
    """A copy to put elsewhere."""
    made = copy.deepcopy(element)
    made.tail = None
    return made


# Trees ----------------------------------------------------------------------------------------------------------------


def delete(root: etree._Element, choose: Choose) -> None:
    """Take an element away."""
    element = choose(below(root))
    if element is not root:
        parent_of(element).remove(element)


def dissolve(root: etree._Element, choose: Choose) -> None:
    """Put the children of an element in its place."""
    element = choose(below(root))
    if element is not root:
        parent, position = parent_of(element), parent_of(element).index(element)
        for child in reversed(element):
            parent.insert(position, child)
        parent.remove(element)


def duplicate(root: etree._Element, choose: Choose) -> None:
    """Repeat an element beside itself, before or after, or inside itself."""
    element = choose(below(root))
    made = twin(element)
    where = choose(("before", "after", "inside"))
    if where == "inside" or element is root:
        element.append(made)
    else:
        parent_of(element).insert(parent_of(element).index(element) + (where == "after"), made)


def move(root: etree._Element, choose: Choose) -> None:
    """Move an element somewhere else, or a copy of it."""
    element = choose(below(root))
    moved = twin(element) if choose((True, False)) else element
    targets = outside(root, element)
    if targets:
        target = choose(targets)
        target.insert(choose(range(len(target) + 1)), moved)


def swap(root: etree._Element, choose: Choose) -> None:
    """Change the order of two neighbours."""
    element = choose(below(root))
    after = element.getnext()
    if after is not None and element is not root:
        after.addnext(element)


def rename(root: etree._Element, choose: Choose) -> None:
    """Give an element another local name, or another namespace."""
    element = choose(elements(root))
    name = etree.QName(element)
    if choose((True, False)):
        element.tag = f"{{{name.namespace}}}{choose(('Assertion', 'Response', 'NameID', 'Signature', 'x'))}"
    else:
        namespace = choose(NAMESPACES)
        element.tag = f"{{{namespace}}}{name.localname}" if namespace else name.localname


def wrap(root: etree._Element, choose: Choose) -> None:
    """Put an element around another."""
    element = choose(below(root))
    holder = etree.Element(choose(CONTAINERS))
    if element is not root:
        parent_of(element).replace(element, holder)
        holder.append(element)


def insert(root: etree._Element, choose: Choose) -> None:
    """Put something new somewhere: an empty container, or an assertion of the attacker's."""
    target = choose(elements(root))
    new = etree.Element(choose(CONTAINERS)) if choose((True, False)) else evil_assertion()
    target.insert(choose(range(len(target) + 1)), new)


def change_text(root: etree._Element, choose: Choose) -> None:
    """Replace, begin or continue the text of an element, or what follows it."""
    element, text, where = choose(elements(root)), choose(EVIL_TEXTS), choose(("all", "before", "after", "tail"))
    own = element.text or ""
    if where == "tail" and element is not root:
        element.tail = (element.tail or "") + text
    else:
        element.text = {"all": text, "before": text + own}.get(where, own + text)


def swap_texts(root: etree._Element, choose: Choose) -> None:
    """Exchange the texts of two elements."""
    one, other = choose(elements(root)), choose(elements(root))
    one.text, other.text = other.text, one.text


def interrupt(root: etree._Element, choose: Choose) -> None:
    """Put a comment, an instruction or a child into a text."""
    element = choose(elements(root))
    text = element.text or ""
    position = choose((0, len(text) // 2, len(text)))
    piece = choose((etree.Comment("x"), etree.ProcessingInstruction("x", "y"), etree.Element("x")))
    element.text, piece.tail = text[:position], text[position:]
    element.insert(0, piece)


def set_attribute(root: etree._Element, choose: Choose) -> None:
    """Set an attribute, one that is there or another."""
    element = choose(elements(root))
    names = (*(str(name) for name in element.keys()), *ATTRIBUTES)  # noqa: SIM118 - an element iterates its children
    taken = [value for other in root.iter("*") for value in other.attrib.values()]
    element.set(choose(names), choose((*EVIL_TEXTS[:-2], *(str(value) for value in taken))))


def drop_attribute(root: etree._Element, choose: Choose) -> None:
    """Take an attribute away."""
    element = choose([element for element in elements(root) if element.attrib] or [root])
    if element.attrib:
        del element.attrib[choose(list(element.keys()))]


def white_space(root: etree._Element, choose: Choose) -> None:
    """Put white space into or behind an element."""
    element, blank = choose(elements(root)), choose((" ", "\n  ", "\t", "\r"))
    if choose((True, False)):
        element.text = (element.text or "") + blank
    elif element is not root:
        element.tail = (element.tail or "") + blank


def lend_signature(root: etree._Element, choose: Choose) -> None:
    """Move a signature, or a copy, to another element, perhaps with a reference to that."""
    signatures = [block for block in root.iter(f"{{{DS}}}Signature") if outside(root, block)]
    if signatures:
        block = choose(signatures)
        target = choose(outside(root, block))
        block = twin(block) if choose((True, False)) else block
        target.insert(choose((0, 1, len(target))), block)
        for reference in block.iter(f"{{{DS}}}Reference"):
            reference.set("URI", choose((reference.get("URI", ""), f"#{target.get('ID')}")))


def swap_identifiers(root: etree._Element, choose: Choose) -> None:
    """Exchange the identifiers of two elements, or give both the same."""
    holders = [element for element in elements(root) if element.get("ID") is not None]
    one, other = choose(holders or [root]), choose(holders or [root])
    first, second = one.get("ID", "_1"), other.get("ID", "_2")
    one.set("ID", second)
    other.set("ID", choose((first, second)))


def evil_twin(root: etree._Element, choose: Choose) -> None:
    """The XSW family: a forged copy of an element that has an ID beside, around or inside the original."""
    originals = [element for element in elements(root) if element.get("ID") is not None]
    original = choose(originals or [root])
    forged = twin(original)
    for element in forged.iter("*"):
        if element.text and "_f81d" in element.text:
            element.text = "mallory"
    if choose((True, False)):
        forged.set("ID", "_" + "e" * 32)
    if choose((True, False)):
        for block in list(forged.iter(f"{{{DS}}}Signature")):
            parent_of(block).remove(block)
    where = choose(("before", "after", "inside", "around"))
    parent = original.getparent()
    if where == "inside" or parent is None:
        original.insert(choose(range(len(original) + 1)), forged)
    elif where == "around":
        parent.replace(original, forged)
        forged.append(original)
    else:
        parent.insert(parent.index(original) + (where == "after"), forged)


TREES: Final[Sequence[Tree]] = (
    delete, dissolve, duplicate, move, swap, rename, wrap, insert, change_text, swap_texts, interrupt, set_attribute,
    drop_attribute, white_space, lend_signature, swap_identifiers, evil_twin,
)  # fmt: skip
"""Every change to a tree."""


def in_tree(change: Tree) -> Octets:
    """A change to the tree as one to the octets; what is no document any more stays as it is."""

    def changed(octets: bytes, choose: Choose) -> bytes:
        try:
            root = etree.fromstring(octets, etree.XMLParser(resolve_entities=False, no_network=True))
        except etree.XMLSyntaxError:
            return octets
        try:
            change(root, choose)
        except ValueError:
            return octets  # a name or a text that XML cannot carry, or an element inside itself
        return etree.tostring(root)

    return changed


# Octets ---------------------------------------------------------------------------------------------------------------


def flip(octets: bytes, choose: Choose) -> bytes:
    """Change one bit."""
    if not octets:
        return octets
    position = choose(range(len(octets)))
    return octets[:position] + bytes([octets[position] ^ (1 << choose(range(8)))]) + octets[position + 1 :]


def cut(octets: bytes, choose: Choose) -> bytes:
    """Take a slice away."""
    start = choose(range(len(octets) + 1))
    return octets[:start] + octets[start + choose((1, 2, 7, 50, len(octets))) :]


def stutter(octets: bytes, choose: Choose) -> bytes:
    """Repeat a slice."""
    start = choose(range(len(octets) + 1))
    piece = octets[start : start + choose((1, 3, 20, len(octets)))]
    return octets[:start] + piece + octets[start:]


def splice(octets: bytes, choose: Choose) -> bytes:
    """Insert something that a parser knows."""
    position = choose(range(len(octets) + 1))
    return octets[:position] + choose(TOKENS) + octets[position:]


def replace_token(octets: bytes, choose: Choose) -> bytes:
    """Replace a word that matters by another of the kind."""
    old, new = choose(WORDS)
    return octets.replace(old, new, choose((1, -1)))


TOKENS: Final = (
    b"<!-- -->", b"<?x y?>", b"<![CDATA[", b"]]>", b"&amp;", b"&#x0;", b"&e;", b"<!DOCTYPE x>", b"\0", b"\xff",
    b"\xef\xbb\xbf",
    b"</", b"/>", b"<", b">", b'"', b"=", b"&", b"%", b"+", b"xmlns=''", b" xml:id='_1'", b"\r\n", b"<x/>",
)  # fmt: skip
WORDS: Final = (
    (b"_f81d", b"admin"),
    (b"_f81d", b"_f8<!-- -->1d"),
    (b"_f81d", b"_f8<![CDATA[1d]]>"),
    (b"_f81d", b"&#95;f81d"),
    (b"saml:", b"s:"),
    (b"saml:", b""),
    (b"samlp:", b"saml:"),
    (b"2026-", b"2096-"),
    (b"example", b"evil"),
    (b"xml-exc-c14n#", b"xml-exc-c14n#WithComments"),
    (b"rsa-sha256", b"rsa-sha1"),
    (b"rsa-sha256", b"hmac-sha256"),
    (b"#sha256", b"#sha512"),
    (b"aes128-gcm", b"aes128-cbc"),
    (b"=", b"%3D"),
    (b"SAMLRe", b"SAML%52e"),
    (b"RelayState", b"SigAlg"),
)


def own_words(octets: bytes, choose: Choose) -> bytes:
    """The document in another encoding, with a declaration, or between white space."""
    return choose((
        b"<?xml version='1.0' encoding='UTF-8'?>" + octets,
        b"<?xml version='1.1'?>" + octets,
        b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + octets,
        octets.decode("latin-1").encode("utf-16"),
        b"\n" + octets + b"\n",
        b"<x>" + octets + b"</x>",
        octets + octets,
    ))  # fmt: skip


OCTETS: Final[Sequence[Octets]] = (flip, cut, stutter, splice, replace_token, own_words)
"""Every change to octets."""
DOCUMENTS: Final[Sequence[Octets]] = (*OCTETS, *map(in_tree, TREES))
"""Every change to a document."""


# Queries --------------------------------------------------------------------------------------------------------------


def _parts(query: bytes) -> list[bytes]:
    return query.split(b"&")


def repeat_parameter(query: bytes, choose: Choose) -> bytes:
    """A parameter twice, or under its escaped name, with the same or another value."""
    part = choose(_parts(query))
    name, _, value = part.partition(b"=")
    name = choose((name, b"%53" + name[1:], name.lower(), name + b"%00", b"+" + name))
    again = name + b"=" + choose((value, b"", b"x", b"PHgvPg%3D%3D"))
    return b"&".join(choose(([*_parts(query), again], [again, *_parts(query)])))


def drop_parameter(query: bytes, choose: Choose) -> bytes:
    """A parameter less."""
    parts = _parts(query)
    parts.remove(choose(parts))
    return b"&".join(parts)


def reorder(query: bytes, choose: Choose) -> bytes:
    """A parameter at the end."""
    parts = _parts(query)
    part = choose(parts)
    parts.remove(part)
    return b"&".join([*parts, part])


def rename_parameter(query: bytes, choose: Choose) -> bytes:
    """A parameter under another name."""
    names = (b"SAMLRequest", b"SAMLResponse", b"RelayState", b"SigAlg", b"Signature", b"SAMLEncoding", b"x")
    part = choose(_parts(query))
    return query.replace(part.partition(b"=")[0] + b"=", choose(names) + b"=")


def rewrite_value(query: bytes, choose: Choose) -> bytes:
    """A value escaped otherwise, or noise in it."""
    parts = _parts(query)
    position = choose(range(len(parts)))
    name, _, value = parts[position].partition(b"=")
    parts[position] = name + b"=" + choose((
        value.lower(), value.replace(b"%2B", b"+"), value.replace(b"%3D", b"="), value + b"%20", b"%0A" + value,
        value.replace(b"a", b"%61"), value[:-4], value + b"%00", b"", quote(value).encode(),
    ))  # fmt: skip
    return b"&".join(parts)


QUERIES: Final[Sequence[Octets]] = (
    flip, cut, stutter, splice, replace_token, repeat_parameter, drop_parameter, reorder, rename_parameter,
    rewrite_value,
)  # fmt: skip
"""Every change to a query."""


# Base64 ---------------------------------------------------------------------------------------------------------------


def noisy_base64(octets: bytes, choose: Choose) -> str:
    """The octets as base64 with something in it that should not be, or that may be."""
    text = base64.b64encode(octets).decode()
    position = choose(range(len(text) + 1))
    noise = choose(("", "\r\n", " ", "\t", "=", "====", "-", "_", ".", "\0", "\u00e9", "\u0660", "A", "AAAA", "&", "<"))
    return text[:position] + noise + text[position:]
