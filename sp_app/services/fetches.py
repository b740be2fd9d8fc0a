"""Addresses of our metadata, each made for one connection: who fetches from it is that partner, and has read it.

The tag in it is no key to anything, for our metadata is public: it only keeps strangers from counting as the partner.
It is kept with the connection: a service provider has no secret of its own from which it could be derived.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.keys import evidence
from sp_app.models import IdPConnection
from sp_app.services import connections

if TYPE_CHECKING:
    from sp_app.provider import Provider

PARAMETER: Final = "for"


def address(provider: Provider, connection: IdPConnection) -> str:
    """Where one partner finds our metadata. Its tag is made at the first call, in the caller's transaction."""
    if connection.metadata_tag is None:
        connection.metadata_tag = secrets.token_hex(16)
    return f"{provider.metadata_url}?{PARAMETER}={connection.metadata_tag}"


def note(session: Session, provider: Provider, text: str, now: datetime) -> None:
    """Our metadata is fetched from the address that ends in `text`; of a made-up one nothing is noted."""
    connection = session.scalars(select(IdPConnection).where(IdPConnection.metadata_tag == text)).one_or_none()
    if connection is not None and connection.state != connections.DISCONNECTED:
        evidence.note_fetch(provider.ring, provider.keys, connection.entity_id, now)
