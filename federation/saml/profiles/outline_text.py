"""The outline of a message of ours, as the JSON text that an audit trail keeps.

What is the same in all messages of a kind is made text once, and each message only filled in, as its XML is
(`xml.Stencil`): no line is made, copied or encoded for each. The lines come from `outline`, so what is shown and what
is masked is decided there alone.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Final, NamedTuple

from federation.saml import xml
from federation.saml.profiles import outline
from federation.saml.profiles.outline import MAX_LINES, MAX_OCTETS, MAX_TEXT

_encoded: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

_LINE: Final = '{"depth":'
"""How each line begins, and nothing else: within a value, quotes are escaped."""
_EMPTY: Final = re.compile(f',{_LINE}\\d+,"name":"(?:{xml.GAP}(\\w+)|{xml.CUT})","attributes":{{}},"text":null}}')
_TEXT: Final = re.compile('"(?:text|issuer)":"' + xml.hole("(\\w+)"))
_WITHOUT_TEXT: Final = re.compile('"(text|issuer)":""')
_CUT: Final = "\n"
"""What stands in no JSON without spaces: within a value it is escaped."""
_PLAIN: Final = bytes({*range(0x21, 0x7F)} - {*b'"\\'})
"""Octets of characters that need no look: they stand in JSON as they are, and are no white space."""


class Outlined(NamedTuple):
    """A message that we wrote: its octets, and its outline as JSON."""

    octets: bytes
    outline: str


def of_ours(binding: str, element: xml.Element, octets: int) -> str:
    """The outline of a message that we wrote, of so many octets."""
    return _encoded(outline.of_ours(binding, element, octets))


def lines_of(element: xml.Element, depth: int) -> str:
    """The lines of an element within a message, to stand in a gap of its stencil or beside a cut."""
    return "".join([line_text(line) for line in outline.lines_of(element, depth)])


def line_text(line: outline.Line) -> str:
    """A line after others."""
    return f",{_encoded(line)}"


def fitting(text: str, octets: int) -> str:
    """An outline that was filled in, of a message of so many octets, as far as it is kept."""
    if len(text) <= MAX_OCTETS and text.count(_LINE) <= MAX_LINES:
        return text
    message = json.loads(text)
    return _encoded(message | {"lines": outline.fitting(message["lines"], octets)})


class Stencil(xml.Form):
    """The outline of a message of ours that is the same each time but for a few values, as `xml.Stencil` is its text.

    `binding` is one of the values.
    """

    def __init__(self, element: xml.Element) -> None:
        """By a tree with `xml.hole`, `xml.gap` and `xml.cut` in it; a text with a hole is one that is shown."""
        text = _encoded(outline.of_lines(xml.hole("binding"), outline.lines_of(element, most=sys.maxsize)))
        self._texts: Final = frozenset(_TEXT.findall(text))
        super().__init__(_EMPTY.sub(lambda match: xml.hole(match[1]) if match[1] else _CUT, text), _CUT)

    def fill(self, values: Mapping[str, str], gaps: Mapping[str, str]) -> list[str]:
        """The outline with these values, and with lines in its gaps, as the pieces between its cuts."""
        given = values.values()
        if all(given) and max(map(len, given)) <= MAX_TEXT and xml.plain("".join(given), _PLAIN):
            return self.filled({**values, **gaps})
        shown = {name: self._shown(name, value) for name, value in values.items()}
        return [_WITHOUT_TEXT.sub(r'"\1":null', piece) for piece in self.filled({**shown, **gaps})]

    def _shown(self, name: str, value: str) -> str:
        """A value cut as `outline` cuts it, and escaped."""
        text = value.strip() if name in self._texts else value
        return _encoded(text[:MAX_TEXT])[1:-1]
