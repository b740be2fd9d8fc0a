"""Insert a row unless its key is taken: the atomic guard behind replay protection and first sign-ins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import literal
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from sp_app.models.base import Base

_INSERTS: Final[dict[str, Callable[[type[Base]], sqlite.Insert | postgresql.Insert]]] = {
    "sqlite": sqlite.insert,
    "postgresql": postgresql.insert,
}


def insert_once(session: Session, model: type[Base], **values: Any) -> bool:
    """Insert a row and answer True, or answer False where a unique constraint says it is there already.

    On PostgreSQL a concurrent insert of the same key makes this wait until the other transaction has ended; on SQLite
    writers take turns anyway. Either way exactly one of them gets True.
    """
    insert = _INSERTS[session.get_bind().dialect.name]
    # RETURNING, because a row count is not what every driver answers for an insert.
    statement = insert(model).values(**values).on_conflict_do_nothing().returning(literal(1))
    return session.execute(statement).first() is not None
