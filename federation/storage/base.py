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

from sqlalchemy import JSON, DateTime, Dialect, Enum, MetaData, Table, Text
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator, TypeEngine

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


class _Text(sqlite.DATETIME):
    """An instant as SQLite keeps it: text without a zone, always with microseconds."""

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], str | None]:
        return lambda value: None if value is None else value.isoformat(" ", "microseconds")[:_TEXT_LENGTH]

    def result_processor(self, dialect: Dialect, coltype: object) -> Callable[[str | None], datetime | None]:
        return lambda text: None if text is None else datetime.fromisoformat(text + "+00:00")


_TEXT_LENGTH: Final = len("2026-03-01 14:30:00.000000")


class UTCDateTime(TypeDecorator[datetime]):
    """An aware instant. Stored in UTC, read back aware and in UTC; a naive datetime raises ValueError on the way in.

    In SQLite's text for it, comparing and sorting compares instants.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "sqlite":
            return dialect.type_descriptor(_Text())  # type: ignore[no-untyped-call]
        return dialect.type_descriptor(self.impl_instance)

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored: which instant is it?")
        return value if value.tzinfo is UTC else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None or value.tzinfo is UTC else value.astimezone(UTC)


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
