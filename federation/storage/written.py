"""JSON that is written at every sign-in and read by a person now and then: the trail of what happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec
from sqlalchemy import Dialect, Text
from sqlalchemy.types import TypeDecorator

Written = msgspec.Raw
"""A JSON text, to stand in a value as it is."""

_ENCODER: Final = msgspec.json.Encoder()


class WrittenJSON(TypeDecorator[Any]):
    """A JSON array or object as text. Nothing searches in it, so writing it is one call and no database parses it.

    With `fields`, it is an array of rows: each is written as a tuple of their values, and read as an object. Texts from
    outside may hold what a page cannot show, NUL and lone surrogates; a reader gets U+FFFD in their place.
    """

    impl = Text
    cache_ok = True

    def __init__(self, fields: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.fields = fields

    def bind_processor(self, _dialect: Dialect) -> Callable[[Any], str | None]:
        return _text_or_none

    def process_result_value(self, value: str | None, _dialect: Dialect) -> Any:
        if value is None:
            return None
        found = _readable(json.loads(value))
        if not self.fields:
            return found
        return [dict(zip(self.fields, row, strict=True)) if isinstance(row, list) else row for row in found]


def _text_or_none(value: Any) -> str | None:
    return None if value is None else json_text(value)


def json_text(value: Any) -> str:
    """A value as compact JSON."""
    try:
        return _ENCODER.encode(value).decode()
    except UnicodeEncodeError:  # a lone surrogate, which UTF-8 has no octets for and JSON an escape
        return json.dumps(value, separators=(",", ":"), default=_of_written)


def _of_written(value: Any) -> Any:
    """What a text says that is JSON already; everything else has no JSON."""
    if not isinstance(value, Written):
        raise TypeError(f"{type(value).__name__} cannot stand in JSON")
    return json.loads(bytes(value))


def _readable(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _readable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_readable(each) for each in value]
    return storable(value) if isinstance(value, str) else value


def storable(text: str) -> str:
    """A text without what a database cannot keep in one: NUL and lone surrogates."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()
