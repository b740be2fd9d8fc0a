"""AuthnRequests that arrived: the replay guard, and what waits for its person to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class ReceivedRequest(Base):
    """One accepted AuthnRequest of one connection.

    A request ID counts once for each connection, in one browser (`browser_hash`, empty until a browser claims it) and
    with one content (`digest`): the same browser may bring the same request again, for a reload or the back button is
    no attack. `waiting` holds what is needed to answer it later, without the message itself; a request that was
    answered at once has no `key` and nothing in `waiting`, for nobody will ask for it by one. `connection_id` is no
    foreign key: the partner may be an entity of a federation's source, without a connection (`LiveConnection.id`).

    Each sign-in writes here, so the row is all that it writes: SQLite keeps it in its primary key, only keys that exist
    are indexed, and what has expired is found by reading the table, once an hour.
    """

    __tablename__ = "received_request"
    __table_args__ = (
        Index(None, "key", unique=True, sqlite_where=text("key IS NOT NULL"), postgresql_where=text("key IS NOT NULL")),
        {"sqlite_with_rowid": False},
    )

    connection_id: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str | None]
    digest: Mapped[bytes]
    browser_hash: Mapped[bytes | None]
    received: Mapped[datetime]
    expires: Mapped[datetime]
    waiting: Mapped[dict[str, Any]] = mapped_column(default=text("'{}'"))
