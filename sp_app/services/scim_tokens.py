"""Bearer tokens for SCIM: shown once, stored hashed, each speaking for one connection, for good or for minutes."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from sp_app.models import IdPConnection, ScimToken
from sp_app.services.connections import DISCONNECTED
from sp_app.services.sessions import digest

MAX_LENGTH: Final = 200
_PREFIX: Final = "scim_"  # lets a secret scanner recognise a token that was committed or pasted somewhere


def create(
    session: Session, connection: IdPConnection, *, name: str, now: datetime, lifetime: timedelta | None = None
) -> str:
    """Make a token and answer it: this is the only time it can be read. It works for `lifetime`, or until revoked."""
    token = _PREFIX + secrets.token_urlsafe(32)
    session.add(
        ScimToken(
            id=str(uuid.uuid4()),
            name=name,
            connection_id=connection.id,
            digest=digest(token),
            created_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )
    )
    return token


def connection_of(session: Session, presented: str, now: datetime) -> IdPConnection | None:
    """The connection that a presented token speaks for, or None for a token that is unknown, over or revoked.

    Looked up by its digest: what a comparison in the database may tell about time says nothing about the token.
    """
    if len(presented) > MAX_LENGTH:
        return None
    return session.scalars(
        select(IdPConnection)
        .join(ScimToken, ScimToken.connection_id == IdPConnection.id)
        .where(
            ScimToken.digest == digest(presented),
            IdPConnection.state != DISCONNECTED,
            ScimToken.revoked_at.is_(None),
            or_(ScimToken.expires_at.is_(None), ScimToken.expires_at > now),
        )
    ).one_or_none()


def every(session: Session) -> Sequence[tuple[ScimToken, IdPConnection]]:
    """All tokens that somebody was given, also the revoked ones, with the connection each speaks for."""
    rows = session.execute(
        select(ScimToken, IdPConnection)
        .join(IdPConnection, ScimToken.connection_id == IdPConnection.id)
        .where(ScimToken.expires_at.is_(None), IdPConnection.state != DISCONNECTED)
        .order_by(ScimToken.created_at)
    )
    return [(token, connection) for token, connection in rows]


def revoke(session: Session, name: str, now: datetime) -> int:
    """Revoke every living token of this name; answers how many."""
    living = session.scalars(select(ScimToken).where(ScimToken.name == name, ScimToken.revoked_at.is_(None))).all()
    for token in living:
        token.revoked_at = now
    return len(living)
