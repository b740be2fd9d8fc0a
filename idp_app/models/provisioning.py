"""Provisioning: what changed, what waits for each connection, what each partner holds, and who may send to it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class Change(Base):
    """One recorded difference: the outbox. Written in the transaction that made the difference, and by nothing else.

    With `person_id` it concerns that person at every connection; with `connection_id` everybody at that connection;
    with neither it concerns everybody everywhere. No foreign keys: the row outlives what it names.
    """

    __tablename__ = "provisioning_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    cause: Mapped[str]
    person_id: Mapped[str | None]
    connection_id: Mapped[str | None]


class Pending(Base):
    """A person whom one connection has to look at again.

    Several changes of one person are one row. `generation` grows with each, so that a change which arrives while the
    one before is being sent is not lost. `not_before` is when the next attempt is due.
    """

    __tablename__ = "provisioning_pending"
    __table_args__ = (Index(None, "connection_id", "not_before"),)

    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    generation: Mapped[int]
    since: Mapped[datetime]
    not_before: Mapped[datetime]
    attempts: Mapped[int]
    error: Mapped[str | None]


class AccountLink(Base):
    """The account that a person has at one partner, by SCIM.

    `document` is what the partner holds as far as we know, as attribute path to value. `intended` is what an unfinished
    request would make of it: it is committed before the request leaves. While it stands we do not know which of the two
    the partner holds; with no `remote_id` either, we do not know whether the account exists, and look before we create.
    """

    __tablename__ = "provisioning_account"
    __table_args__ = (UniqueConstraint("connection_id", "external_id"),)

    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str]
    remote_id: Mapped[str | None]
    version: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=False, server_default=false())
    document: Mapped[dict[str, Any]]
    intended: Mapped[dict[str, Any] | None]
    created: Mapped[datetime]
    modified: Mapped[datetime]


class GroupLink(Base):
    """A group of ours at one partner; columns as in `AccountLink`.

    `deleting` says that it is on its way out, and `not_before` when to try that again.
    """

    __tablename__ = "provisioning_group"

    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    remote_id: Mapped[str | None]
    version: Mapped[str | None]
    document: Mapped[dict[str, Any]]
    intended: Mapped[dict[str, Any] | None]
    deleting: Mapped[bool] = mapped_column(default=False, server_default=false())
    not_before: Mapped[datetime | None]
    created: Mapped[datetime]
    modified: Mapped[datetime]


class MemberLink(Base):
    """A person in a group at one partner. Not `confirmed`: the request that says so may or may not have arrived."""

    __tablename__ = "provisioning_member"
    __table_args__ = (Index(None, "connection_id", "person_id"),)

    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    group_id: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[str] = mapped_column(primary_key=True)
    confirmed: Mapped[bool]


class Stream(Base):
    """Everything that goes to one connection goes one after the other: the lease on it, and its health.

    `fencing` grows with every lease taken. Whoever writes under a lease proves with its number that the lease is still
    theirs. `not_before` holds the connection back after a failure; `quarantined` says that the partner refused our
    credentials, so that only a rare attempt is made until an administrator changes the connection.
    """

    __tablename__ = "provisioning_stream"

    connection_id: Mapped[str] = mapped_column(ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True)
    fencing: Mapped[int]
    owner: Mapped[str | None]
    leased_until: Mapped[datetime | None]
    failures: Mapped[int]
    not_before: Mapped[datetime | None]
    quarantined: Mapped[bool] = mapped_column(default=False, server_default=false())
    error: Mapped[str | None]
    last_success: Mapped[datetime | None]


class ProvisioningLog(Base):
    """One operation that was sent, and what the partner answered. No foreign keys; attribute names and no values.

    `status` is the HTTP status of the operation, None where no answer came. `outcome` is the word for what followed.
    """

    __tablename__ = "provisioning_log"
    __table_args__ = (Index(None, "at"), Index(None, "person_id", "at"), Index(None, "connection_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    run: Mapped[str]
    connection_id: Mapped[str]
    person_id: Mapped[str | None]
    group_id: Mapped[str | None]
    operation: Mapped[str]
    attributes: Mapped[list[str]]
    status: Mapped[int | None]
    outcome: Mapped[str]
    detail: Mapped[str]
