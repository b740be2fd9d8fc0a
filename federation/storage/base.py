"""Column types, and the declarative base of an app.

    class Base(DeclarativeBase):
        metadata = make_metadata()
        type_annotation_map = TYPES

An app writes these three lines itself: a base class made by a function is invisible to a type checker.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Dialect, Enum, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from federation.storage.secrets import Sealed

NAMING_CONVENTION: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name that a later migration can say, on SQLite and on PostgreSQL."""


def make_metadata() -> MetaData:
    """A fresh MetaData with our naming convention; one per app, because each app has its own database."""
    return MetaData(naming_convention=NAMING_CONVENTION)


def table_of(model: Any) -> Table:
    """The table behind a model or a mixin, for statements that need no object."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant. Stored in UTC, read back aware and in UTC; a naive datetime raises ValueError on the way in.

    SQLite keeps it as text without a zone, always with microseconds: comparing and sorting compares instants. A sign-in
    has a dozen of them, so one function takes each in and out there.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        return _to_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[Any], datetime | None] | None:
        return _of_text if dialect.name == "sqlite" else super().result_processor(dialect, coltype)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value if value.tzinfo is UTC else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored: which instant is it?")
    return value.astimezone(UTC)


def _to_text(value: datetime | None) -> str | None:
    if value is None:
        return None
    return (value if value.tzinfo is UTC else _in_utc(value)).isoformat(" ", "microseconds")[:_TEXT_LENGTH]


def _of_text(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text + "+00:00")


_TEXT_LENGTH: Final = len("2026-03-01 14:30:00.000000")


class Octets(LargeBinary):
    """Octets as they are: both drivers take and give `bytes`, and need them wrapped on no way."""

    def bind_processor(self, dialect: Dialect) -> None:
        return None

    def result_processor(self, dialect: Dialect, coltype: object) -> None:
        return None


class EncryptedText(TypeDecorator[Sealed]):
    """Text that only `secrets.SecretBox` can read. The column holds `Sealed` values and refuses any plain string.

    Opening is a deliberate act of the code that needs the secret, with the box that the app keeps: nothing decrypts
    because a row happened to be loaded, and no key lives in a module.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, Sealed):
            raise TypeError("an encrypted column takes what SecretBox.encrypt answers, not a plain value")
        return value.text

    def process_result_value(self, value: str | None, dialect: Dialect) -> Sealed | None:
        return None if value is None else Sealed(value)


JSONObject: Final = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""JSON, indexed JSON on PostgreSQL. Replace the value to change it: a mutation inside is not noticed."""

TYPES: Final[dict[Any, Any]] = {
    datetime: UTCDateTime(),
    str: Text(),
    bytes: Octets(),
    Sealed: EncryptedText(),
    dict[str, Any]: JSONObject,
    list[Any]: JSONObject,
    list[str]: JSONObject,
    enum.Enum: Enum(
        enum.Enum,
        native_enum=False,
        length=64,
        validate_strings=True,
        values_callable=lambda kind: [each.value for each in kind],
    ),
}
"""Annotation to column type. Enums are stored by value, as text: adding a member needs no migration."""
