"""What single logout remembers: sign-outs that began here, and requests whose assertion may still be on its way."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class SignOut(Base):
    """One sign-out that a person began here, until it is purged.

    `handle_hash` is the SHA-256 of what travels as RelayState and names the last page. `request_id` is the ID of our
    LogoutRequest; without one the identity provider was not asked. `outcome` is empty while its answer is awaited;
    `answered_at` is set once.
    """

    __tablename__ = "sp_sign_out"

    handle_hash: Mapped[str] = mapped_column(primary_key=True)
    idp_entity_id: Mapped[str]
    request_id: Mapped[str | None] = mapped_column(unique=True)
    outcome: Mapped[str | None]
    began_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    answered_at: Mapped[datetime | None]


class RememberedLogout(Base):
    """A LogoutRequest that was accepted: it also ends a session that would begin late (SAML Core 3.7.3.2).

    The NameID is as the request had it, its value in `subject_key`. No `session_indexes` means every session of that
    subject whose assertion was issued by `issued_at`.
    """

    __tablename__ = "sp_remembered_logout"

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_key: Mapped[str] = mapped_column(index=True)
    name_id_format: Mapped[str | None]
    name_qualifier: Mapped[str | None]
    sp_name_qualifier: Mapped[str | None]
    session_indexes: Mapped[list[Any]]
    issued_at: Mapped[datetime]
    keep_until: Mapped[datetime] = mapped_column(index=True)
