"""A text of ours that is the same each time but for a few values: written once, then only filled in.

    element = xml.new(tag, {"ID": xml.hole("id")})
    element.append(xml.cut())
    start, end = xml.Stencil(xml.serialise(element).decode()).fill({"id": "_1"})

The tree stays the only source of the text, and the one writer of trees writes it: canonical, as everything of ours.
What is filled in is escaped for the place where it stands, here and nowhere else: it can be a value and nothing more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from federation.saml.xml.writing import Element, attribute_text, content_text, new, serialise

CUT: Final = "cut"
"""The name of an element that stands where a text is cut in two, to put something between."""

_SIGN: Final = "\N{OBJECT REPLACEMENT CHARACTER}"
_HOLE: Final = re.compile(f'(="|){_SIGN}(\\w+){_SIGN}')
_NAME: Final = re.compile(f"{_SIGN}(\\w+){_SIGN}")


def hole(name: str) -> str:
    """What stands in a tree, as an attribute or a text, where a value is missing."""
    return f"{_SIGN}{name}{_SIGN}"


def hole_in(value: str | None) -> str | None:
    """The name of the hole that this attribute or text is, None when it is none."""
    return value[1:-1] if value is not None and value[:1] == value[-1:] == _SIGN else None


def cut() -> Element:
    """An element that stands where the text is cut in two."""
    return new(CUT)


class Stencil:
    """A text with holes, and with cuts. Each hole is in attributes or in texts."""

    def __init__(self, text: str) -> None:
        found = [(bool(match[1]), match[2]) for match in _HOLE.finditer(text)]
        self._in_attributes: Final = frozenset(name for in_attribute, name in found if in_attribute)
        in_texts = frozenset(name for in_attribute, name in found if not in_attribute)
        if _SIGN in _HOLE.sub("", text) or self._in_attributes & in_texts:
            raise ValueError("a hole without a name, or one for attributes and for texts")
        pieces = [_NAME.split(piece) for piece in text.split(_CUT_TEXT)]
        self._pieces: Final = [(parts, _getter(parts[1::2])) for parts in pieces]

    def fill(self, values: Mapping[str, str]) -> list[str]:
        """The text with these values, as the pieces between its cuts.

        Raises `ConfigurationError` when a value holds a character that XML cannot carry.
        """
        if not _plain("".join(values.values())):
            values = {name: self._escaped(name, value) for name, value in values.items()}
        texts = []
        for parts, get in self._pieces:
            if get is None:
                texts.append(parts[0])
            else:
                filled = parts.copy()
                filled[1::2] = get(values)
                texts.append("".join(filled))
        return texts

    def _escaped(self, name: str, value: str) -> str:
        return attribute_text(name, value) if name in self._in_attributes else content_text(name, value)


def _getter(names: Sequence[str]) -> Callable[[Mapping[str, str]], tuple[str, ...]] | None:
    """What gets the values with these names; None where there are none."""
    if not names:
        return None
    get: Any = itemgetter(*names)
    return get if len(names) > 1 else lambda values: (get(values),)


def _plain(text: str) -> bool:
    """Whether there is surely nothing to escape or to refuse in a text, as nearly always: a quick look."""
    return not text.encode(errors="surrogatepass").translate(None, _PLAIN)


_PLAIN: Final = bytes({*range(0x20, 0x100)} - {*b'&<>"\xed\xef'})
"""Octets of characters that need no look. With these last two begin surrogates and what is no character."""

_CUT_TEXT: Final = serialise(cut()).decode()
