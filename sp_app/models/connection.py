"""Connections: the identity providers that this site trusts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class IdPConnection(Base):
    """Our record of one identity provider.

    `state` is active or paused. `metadata_version` names the live document in `sp_idp_metadata`; `valid_until` is that
    document's, copied here because it decides about every sign-in. `request_binding` is how our requests travel
    (`redirect`, `post` or `artifact`), `response_binding` how we ask for the answer (`post` or `artifact`).
    `allow_unsolicited`: responses that answer no request of ours are accepted.
    `presets` are named departures from the strict default (`federation.saml.algorithms`).
    """

    __tablename__ = "sp_idp_connection"

    id: Mapped[str] = mapped_column(primary_key=True)
    entity_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    state: Mapped[str]
    metadata_version: Mapped[int]
    valid_until: Mapped[datetime | None]
    request_binding: Mapped[str]
    presets: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    response_binding: Mapped[str] = mapped_column(default="post", server_default="post")
    allow_unsolicited: Mapped[bool] = mapped_column(default=False, server_default=false())
    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]


class IdPMetadata(Base):
    """One version of an identity provider's metadata, kept for review and for the way back.

    `trusted_by` says who made it live and `trust` on what ground: the pinned signer, or the key fingerprints that a
    person confirmed. `misses` are the lint findings that an administrator sees.
    """

    __tablename__ = "sp_idp_metadata"
    __table_args__ = (UniqueConstraint("connection_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"))
    version: Mapped[int]
    document: Mapped[bytes]
    trust: Mapped[str]
    fingerprints: Mapped[list[str]]
    misses: Mapped[list[Any]]
    trusted_by: Mapped[str]
    added_at: Mapped[datetime]
