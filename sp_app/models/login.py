"""What is remembered between an AuthnRequest and its Response, and after it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, false
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class PendingRequest(Base):
    """One AuthnRequest that was sent, from `start` until it is purged.

    `handle_hash` is the SHA-256 of the RelayState value, `binding_hash` that of the cookie that names the browser: what
    a reader of the database sees opens nothing. `target` is a path of this site; `force_authn` and `class_refs` are
    what the answer has to show besides; with `is_passive` nobody was to be asked. `consumed_at` is set once.
    `connection_id` is no foreign key: it may be the key of an entity of a federation's source.
    """

    __tablename__ = "sp_pending_request"

    handle_hash: Mapped[str] = mapped_column(primary_key=True)
    request_id: Mapped[str]
    connection_id: Mapped[str]
    binding_hash: Mapped[str]
    target: Mapped[str]
    force_authn: Mapped[bool]
    is_passive: Mapped[bool] = mapped_column(default=False, server_default=false())
    class_refs: Mapped[list[str]]
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    consumed_at: Mapped[datetime | None]


class PendingChoice(Base):
    """Somebody chooses their identity provider, here or at a discovery service: how the sign-in is wanted, meanwhile.

    Hashes as above. `wish` is a `wishes.Wish`. A choice may be made again, by Back for instance, until it expires.
    """

    __tablename__ = "sp_pending_choice"

    handle_hash: Mapped[str] = mapped_column(primary_key=True)
    binding_hash: Mapped[str]
    wish: Mapped[dict[str, Any]]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class HeldRequest(Base):
    """A request of ours that waits to be fetched for its artifact (SAML Bindings 3.6), by one identity provider, once.

    `key` is the SHA-256 of the artifact. The message itself is no secret.
    """

    __tablename__ = "sp_held_request"

    key: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"), index=True)
    message: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class ReplayEntry(Base):
    """An assertion that was accepted (SAML Profiles 4.1.4.5): its key is unique as long as it could be sent again."""

    __tablename__ = "sp_replay"

    key: Mapped[str] = mapped_column(primary_key=True)
    keep_until: Mapped[datetime] = mapped_column(index=True)
