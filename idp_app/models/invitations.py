"""Invitations: how a service provider is connected by a link."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base, new_uuid


class Invitation(Base):
    """One invitation, for one service provider, once.

    `token_hash` is the SHA-256 of what the link carries. `audiences` are ids, `release` a preset's name: what the
    connection will have. What the service provider proposed: its `document`, the one `fingerprint` that stands for it,
    and for software of ours its SCIM addresses. The connection is made when both `agreed` and `partner_agreed` are
    there, and not before.
    """

    __tablename__ = "invitation"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    token_hash: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    audiences: Mapped[list[str]]
    release: Mapped[str]
    created: Mapped[datetime]
    created_by: Mapped[str]
    expires: Mapped[datetime]
    voided: Mapped[datetime | None]
    proposed: Mapped[datetime | None]
    document: Mapped[bytes | None]
    entity_id: Mapped[str | None]
    display_name: Mapped[str | None]
    fingerprint: Mapped[str | None]
    scim_url: Mapped[str | None]
    token_url: Mapped[str | None]
    partner_agreed: Mapped[datetime | None]
    agreed: Mapped[datetime | None]
    agreed_by: Mapped[str | None]
    connection_id: Mapped[str | None] = mapped_column(ForeignKey("connection.id", ondelete="SET NULL"))
