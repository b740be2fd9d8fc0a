"""A text of ours that is the same each time but for a few values: written once, then only filled in.

    element = xml.new(tag, {"ID": xml.hole("id")})
    element.append(xml.cut())
    start, end = xml.Stencil(xml.serialise(element).decode()).fill({"id": "_1"})

The tree stays the only source of the text, and the one writer of trees writes it: canonical, as everything of ours.
What is filled in is escaped for the place where it stands, here and nowhere else: it can be a value and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from federation.saml.xml.writing import Element, attribute_text, content_text, new, serialise

CUT: Final = "cut"
"""The name of an element that stands where a text is cut in two, to put something between."""
GAP: Final = "gap-"
"""How the name of an element begins that stands where other elements of ours come, or none."""

_SIGN: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
_HOLE: Final = re.compile(f"{_SIGN}(\\w+){_SIGN}")
_IN_ATTRIBUTE: Final = re.compile(f'="{_HOLE.pattern}')
_GAP: Final = re.compile(f"<{GAP}(\\w+)></{GAP}\\1>")
_NOTHING: Final[Mapping[str, str]] = {}
_PLAIN: Final = bytes({*range(0x20, 0x100)} - {*b'&<>"\xed\xef'})
"""Octets of characters that need no look. With these last two begin surrogates and what is no character."""


def hole(name: str) -> str:
    """What stands in a tree, as an attribute or a text, where a value is missing."""
    return f"{_SIGN}{name}{_SIGN}"


def gap(name: str) -> Element:
    """An element that stands where the texts of other elements come, or none."""
    return new(f"{GAP}{name}")


def cut() -> Element:
    """An element that stands where the text is cut in two."""
    return new(CUT)


_CUT_TEXT: Final = serialise(cut()).decode()


def filled(parts: list[str], values: Iterable[str]) -> str:
    """The text of these parts, with the values in the place of each second one."""
    text = parts.copy()
    text[1::2] = values
    return "".join(text)


class Form:
    """A text with holes, and where it is cut: filled in with what shall stand there as it is."""

    def __init__(self, text: str, cut: str) -> None:
        self._parts: Final = _HOLE.split(text)
        self._names: Final = self._parts[1::2]
        self._cut: Final = cut
        if any(_SIGN in part for part in self._parts):
            raise ValueError("a hole without a name")

    def filled(self, values: Mapping[str, str]) -> list[str]:
        """The pieces between the cuts, with these values."""
        return filled(self._parts, map(values.__getitem__, self._names)).split(self._cut)


class Stencil(Form):
    """A text with holes, gaps and cuts. Each hole is in attributes or in texts."""

    def __init__(self, text: str) -> None:
        self._in_attributes: Final = frozenset(_IN_ATTRIBUTE.findall(text))
        if not self._in_attributes.isdisjoint(_HOLE.findall(_IN_ATTRIBUTE.sub("", text))):
            raise ValueError("a hole for attributes and for texts")
        super().__init__(_GAP.sub(hole(r"\1"), text), _CUT_TEXT)

    def fill(self, values: Mapping[str, str], gaps: Mapping[str, str] = _NOTHING) -> list[str]:
        """The text with these values, and texts of elements in its gaps, as the pieces between its cuts.

        Raises `ConfigurationError` when a value holds a character that XML cannot carry.
        """
        if not plain("".join(values.values())):
            values = {name: self._escaped(name, value) for name, value in values.items()}
        return self.filled({**values, **gaps})

    def _escaped(self, name: str, value: str) -> str:
        return attribute_text(name, value) if name in self._in_attributes else content_text(name, value)


def plain(text: str, octets: bytes = _PLAIN) -> bool:
    """Whether there is surely nothing to escape or to refuse in a text, as nearly always: a quick look.

    `octets` need no look; those that are told here are plain in XML.
    """
    return not text.encode(errors="surrogatepass").translate(None, octets)
