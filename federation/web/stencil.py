"""A page that is the same for everybody but for a few values: rendered once, then only filled in.

    hole = Hole()
    stencil = Stencil(template.render({"site_name": "Example", "recipient": hole}), (hole,))
    html = stencil.fill(("Intranet",))

The template stays the only source of the page, and an ordinary one. That filling in gives what rendering would give is
sure, because a value that is left open can be written and nothing else: a template that tests, compares or changes it
fails when the stencil is cut, and so does one that asks for something that was not said to be the same for everybody.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Final, NoReturn

from markupsafe import escape

_MARK: Final = re.compile(r"(hole-[0-9a-f]{32})")


class Hole:
    """A value left open. Templates write it by `__html__`; whatever else they try with it raises TypeError."""

    __slots__ = ("mark",)

    def __init__(self) -> None:
        self.mark = f"hole-{secrets.token_hex(16)}"

    def __html__(self) -> str:
        return self.mark

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError("a value that is left open can only be written")

    __str__ = __repr__ = __format__ = __bool__ = __eq__ = __ne__ = __hash__ = _refuse


class Stencil:
    """A text with holes."""

    def __init__(self, text: str, holes: Sequence[Hole]) -> None:
        pieces, order = _MARK.split(text), [hole.mark for hole in holes]
        self._pieces = [piece.encode() for piece in pieces]
        self._in_place = _picking([order.index(mark) for mark in pieces[1::2]])

    def fill(self, values: Sequence[str]) -> bytes:
        """The text in UTF-8, with a value for each hole, in the order of the holes, escaped."""
        written = list(map(str.encode, values if _plain("".join(values)) else map(escape, values)))
        pieces = self._pieces.copy()
        pieces[1::2] = self._in_place(written)
        return b"".join(pieces)


def _picking(order: Sequence[int]) -> Callable[[Sequence[bytes]], Sequence[bytes]]:
    """As `itemgetter`, which answers a lone item of one, and takes no order at all."""
    return itemgetter(*order) if len(order) > 1 else lambda items: [items[index] for index in order]


def _plain(text: str) -> bool:
    """Whether there is nothing to escape: of a message in base64 that is known in a tenth of the time it takes."""
    return not ("&" in text or "<" in text or ">" in text or '"' in text or "'" in text)
