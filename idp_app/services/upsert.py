"""INSERT … ON CONFLICT, which both databases have and SQLAlchemy spells for each.

Statements are built once and executed with parameters: a sign-in writes several rows, and building each statement anew
would cost more than running it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Executable, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from federation.storage.prepared import Prepared


def insert_new(session: Session, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row unless one with the same key is there; whether it was inserted."""
    return _insert_new(table, tuple(row)).write(session, row) == 1


def put(session: Session, table: Table, row: Mapping[str, Any]) -> None:
    """Insert a row, or bring the one with the same primary key up to date."""
    session.execute(_put(_dialect(session), table), dict(row))


@cache
def _insert_new(table: Table, names: tuple[str, ...]) -> Prepared:
    def statement(dialect: str) -> Executable:
        return _insert(dialect, table).on_conflict_do_nothing()

    return Prepared(statement, fills=names)


@cache
def _put(dialect: str, table: Table) -> Executable:
    statement = _insert(dialect, table)
    values = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=values)


def insert(session: Session, table: Any) -> sqlite.Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update`, for statements of one's own."""
    return _insert(_dialect(session), table)


def _insert(dialect: str, table: Any) -> sqlite.Insert:
    if dialect == "postgresql":
        # The two classes offer the same methods with the same arguments, and share no base that says so.
        return postgresql.insert(table)  # type: ignore[return-value]
    return sqlite.insert(table)


def _dialect(session: Session) -> str:
    return session.get_bind().dialect.name
