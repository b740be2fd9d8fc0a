"""INSERT … ON CONFLICT, which both databases have and SQLAlchemy spells for each."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session


def insert(session: Session, table: Any) -> sqlite.Insert:
    """An INSERT that knows `on_conflict_do_nothing` and `on_conflict_do_update` on the session's database."""
    if session.get_bind().dialect.name == "postgresql":
        # The two classes offer the same two methods with the same arguments, and share no base that says so.
        return postgresql.insert(table)  # type: ignore[return-value]
    return sqlite.insert(table)
