"""From the text of a filter to tokens, under limits: what comes from outside costs little, however it is made."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Final

from federation.scim.errors import invalid_filter

MAX_LENGTH: Final = 16_384
"""Characters of a filter."""

_TOKEN: Final = re.compile(
    r"""[ ]+
    | (?P<punctuation> [()\[\]] )
    | (?P<string> "(?: [^"\\\x00-\x1f] | \\ . )*" )
    | (?P<word> [^\s()\[\]"\\\x00-\x1f]+ )""",
    re.VERBOSE,
)
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d{0,15})(?:\.\d{1,15})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a filter. `kind` is punctuation, string or word; a string's `text` is what it says, without quotes."""

    kind: str
    text: str

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, letter case aside."""
        return self.kind == "word" and self.text.lower() in words


def tokenize(text: str) -> tuple[Token, ...]:
    """Split a filter. Raises `ScimError` (invalidFilter)."""
    if len(text) > MAX_LENGTH:
        raise invalid_filter(f"the filter has more than {MAX_LENGTH} characters")
    tokens = []
    position = 0
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            raise invalid_filter(f"the filter cannot be read at character {position + 1}")
        position = found.end()
        if found.lastgroup == "string":
            tokens.append(Token("string", _unquote(found.group())))
        elif found.lastgroup is not None:
            tokens.append(Token(found.lastgroup, found.group()))
    return tuple(tokens)


def number(text: str) -> int | float | None:
    """The number that a word is in JSON, or None. A whole number is an int."""
    if not _NUMBER.fullmatch(text):
        return None
    return float(text) if any(mark in text for mark in ".eE") else int(text)


def _unquote(text: str) -> str:
    try:
        value = json.loads(text)
        value.encode()
    except (ValueError, UnicodeEncodeError):
        raise invalid_filter("a quoted value is not a JSON string") from None
    if "\0" in value:
        raise invalid_filter("a quoted value holds a NUL character")
    return str(value)
