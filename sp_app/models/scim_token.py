"""Bearer tokens by which an identity provider may provision accounts here."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class ScimToken(Base):
    """One token. It speaks for one connection, whose entityID scopes every externalId it writes.

    `digest` is the SHA-256 of the token, which itself has 256 random bits and is shown once. One that was got by
    an assertion ends at `expires_at`.
    """

    __tablename__ = "sp_scim_token"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"))
    digest: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None] = mapped_column(index=True)
