"""What SCIM keeps beside the accounts: the resources as the identity provider sees them, each in its own connection."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class ScimUser(Base):
    """A User (RFC 7643 4.1). `id` is the account's own id in the account store; `document` is everything that was told.

    What can be asked for has a column: `user_name_key` is compared without letter case, `external_id` with it.
    """

    __tablename__ = "sp_scim_user"
    __table_args__ = (
        UniqueConstraint("connection_id", "user_name_key"),
        Index(None, "connection_id", "external_id"),
        Index(None, "connection_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"))
    user_name_key: Mapped[str]
    external_id: Mapped[str | None]
    active: Mapped[bool]
    document: Mapped[dict[str, Any]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]


class ScimEmail(Base):
    """An address of a User, to be found by; compared without letter case."""

    __tablename__ = "sp_scim_email"
    __table_args__ = (Index(None, "value_key"),)

    user_id: Mapped[str] = mapped_column(ForeignKey("sp_scim_user.id", ondelete="CASCADE"), primary_key=True)
    value_key: Mapped[str] = mapped_column(primary_key=True)


class ScimGroup(Base):
    """A Group (RFC 7643 4.2). Its members are rows of their own and never part of `document`."""

    __tablename__ = "sp_scim_group"
    __table_args__ = (
        Index(None, "connection_id", "display_name_key"),
        Index(None, "connection_id", "external_id"),
        Index(None, "connection_id", "id"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"))
    display_name: Mapped[str]
    display_name_key: Mapped[str]
    external_id: Mapped[str | None]
    document: Mapped[dict[str, Any]]
    version: Mapped[int]
    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]


class ScimMember(Base):
    """A User in a Group."""

    __tablename__ = "sp_scim_member"
    __table_args__ = (Index(None, "user_id"),)

    group_id: Mapped[str] = mapped_column(ForeignKey("sp_scim_group.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("sp_scim_user.id", ondelete="CASCADE"), primary_key=True)


class ScimAnswer(Base):
    """The answer to a bulk request that named an Idempotency-Key: the same request gets it again.

    `digest` is the SHA-256 of the request's body. Without a `body` the request is being worked on.
    """

    __tablename__ = "sp_scim_answer"

    connection_id: Mapped[str] = mapped_column(ForeignKey("sp_idp_connection.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str]
    status: Mapped[int | None]
    body: Mapped[bytes | None]
    answered_at: Mapped[datetime] = mapped_column(index=True)
