"""AuthnRequests that arrived: the replay guard, and what waits for its person to sign in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class ReceivedRequest(Base):
    """One accepted AuthnRequest of one connection.

    A request ID counts once for each connection, in one browser (`browser_hash`, empty until a browser claims it) and
    with one content (`digest`): the same browser may bring the same request again, for a reload or the back button is
    no attack. `waiting` holds what is needed to answer it later, without the message itself. `connection_id` is no
    foreign key: the partner may be an entity of a federation's source, without a connection (`LiveConnection.id`). What
    has expired is found by reading the table, once an hour: an index would be written at every sign-in.
    """

    __tablename__ = "received_request"
    __table_args__ = (UniqueConstraint("connection_id", "request_id"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str]
    request_id: Mapped[str]
    digest: Mapped[bytes]
    browser_hash: Mapped[bytes | None]
    received: Mapped[datetime]
    expires: Mapped[datetime]
    waiting: Mapped[dict[str, Any]]
