"""Reading strictly: children in schema order, texts whole, attributes by their types."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from lxml import etree

from federation.errors import Malformed
from federation.saml.xml.names import SPACE, local_name

_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


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
        self._slots: Final = slots
        self._position: Final = {tag: position for position, slot in enumerate(slots) for tag in slot.tags}
        # Where the next child may stand at the earliest, after one that stands here.
        self._next: Final = [position + (slot.most == 1) for position, slot in enumerate(slots)]
        self._needed: Final = frozenset(slot.tags[0] for slot in slots if slot.least and len(slot.tags) == 1)
        self._needs_either: Final = any(slot.least and len(slot.tags) > 1 for slot in slots)

    def read(self, element: etree._Element) -> Content:
        """The children by name. Raises `Malformed` (rule `xml.shape`)."""
        found = Content()
        earliest = 0
        positions = self._position
        between = element.text
        blank = between is None or not between.strip(SPACE)
        for child in element:
            tag = child.tag
            position = positions.get(tag, -1)
            if position < earliest:
                raise Malformed("xml.shape", f"{local_name(element)} holds {self._misplaced(child, position)}")
            earliest = self._next[position]
            between = child.tail
            if between is not None and between.strip(SPACE):
                blank = False
            if tag in found:
                found[tag].append(child)
            else:
                found[tag] = [child]
        if not blank:
            raise Malformed("xml.shape", f"{local_name(element)} holds text between its elements")
        if self._needs_either or len(found) != len(element) or not self._needed <= found.keys():
            self._count(element, found)
        return found

    def _misplaced(self, child: etree._Element, position: int) -> str:
        if position < 0:
            return "an element that does not belong there"
        before = child.getprevious()
        if before is not None and self._position[str(before.tag)] == position:
            return f"more than one {_either(self._slots[position].tags)}"
        return "an element that is out of order"

    def _count(self, element: etree._Element, found: Content) -> None:
        for tags, least, most in self._slots:
            count = sum([len(found[tag]) for tag in tags if tag in found])
            if count < least or count > most:
                raise Malformed("xml.shape", f"{local_name(element)} holds {count} {_either(tags)}")


def _either(tags: Sequence[str]) -> str:
    return " or ".join(tag.rpartition("}")[2] for tag in tags)


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
        return _BOOLEANS[value.strip(SPACE)]
    except KeyError:
        raise Malformed("xml.attribute", f"{local_name(element)}'s {name} is not a boolean") from None


def non_negative(element: etree._Element, name: str) -> int | None:
    """An attribute of type xs:nonNegativeInteger, None when absent. Raises `Malformed` (rule `xml.attribute`).

    The type has no largest value; 18 digits are more than anybody counts.
    """
    value = element.get(name)
    if value is None:
        return None
    digits = value.strip(SPACE).removeprefix("+")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise Malformed("xml.attribute", f"{local_name(element)}'s {name} is not a number from 0")
    return int(digits)


def unsigned_short(element: etree._Element, name: str) -> int | None:
    """An attribute of type xs:unsignedShort, None when absent. Raises `Malformed` (rule `xml.attribute`)."""
    value = element.get(name)
    if value is None:
        return None
    digits = value.strip(SPACE)
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and int(digits) <= 65535):
        raise Malformed("xml.attribute", f"{local_name(element)}'s {name} is not a number from 0 to 65535")
    return int(digits)
