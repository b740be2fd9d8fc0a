"""What decides between two transactions at the same moment: a key that is taken once, and taking turns."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final

from sqlalchemy import Executable, Table, bindparam, literal, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from sp_app.models.base import Base

_TURN: Final = text("SELECT pg_advisory_xact_lock(hashtextextended(:key, 0))")
_INSERTS: Final[dict[str, Callable[[Table], sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert_once(session: Session, model: type[Base], **values: Any) -> bool:
    """Insert a row and answer True, or answer False where a unique constraint says it is there already.

    On PostgreSQL a concurrent insert of the same key makes this wait until the other transaction has ended; on SQLite
    writers take turns anyway. Either way exactly one of them gets True.
    """
    statement = _insert(session.get_bind().dialect.name, model, *values)
    return session.execute(statement, values).first() is not None


def take_turns(session: Session, key: str) -> None:
    """Wait until no other transaction holds this key, and hold it until this one ends.

    For two that would each decide on what the other has not yet committed. Call it after something was written: on
    SQLite writers take turns anyway, so there is nothing to do.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(_TURN, {"key": key})


@cache
def _insert(dialect: str, model: type[Base], *names: str) -> Executable:
    """The statement for these columns. RETURNING, because a row count is not what every driver answers here."""
    statement = _INSERTS[dialect](table_of(model)).values({name: bindparam(name) for name in names})
    return statement.on_conflict_do_nothing().returning(literal(1))
