"""Invitations of identity providers that this site has taken up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class AcceptedInvitation(Base):
    """One invitation, from when we proposed ourselves until both sides have confirmed: then the connection is made.

    `address` is the link's; from our proposal on it opens nothing without our key. `fingerprint` is the key that the
    link names, `document` the metadata that it has signed.
    """

    __tablename__ = "sp_invitation"

    id: Mapped[str] = mapped_column(primary_key=True)
    address: Mapped[str] = mapped_column(unique=True)
    fingerprint: Mapped[str]
    entity_id: Mapped[str]
    name: Mapped[str]
    document: Mapped[bytes]
    begun_at: Mapped[datetime]
    begun_by: Mapped[str]
    agreed_at: Mapped[datetime | None]
    agreed_by: Mapped[str | None]
