"""People, and the groups they are in."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from sqlalchemy import Column, ForeignKey, Index, Table, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from idp_app.models.base import NAME_LENGTH, Base, new_uuid

group_member = Table(
    "group_member",
    Base.metadata,
    Column("group_id", ForeignKey("person_group.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "person_id"),
)


class Named(Protocol):
    """What has a person's names: the row, or the part of it that a session carries."""

    @property
    def username(self) -> str: ...
    @property
    def display_name(self) -> str: ...
    @property
    def given_name(self) -> str: ...
    @property
    def family_name(self) -> str: ...


def full_name(person: Named) -> str:
    """The name to show: the display name, else given and family name, else the user name; never too long to send."""
    name = person.display_name or f"{person.given_name} {person.family_name}".strip() or person.username
    return name[:NAME_LENGTH].rstrip()


class Group(Base):
    """A group that people are in: an attribute of theirs, which never decides whom a connection may serve."""

    __tablename__ = "person_group"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str] = mapped_column(unique=True)


class Person(Base):
    """Somebody with an account here.

    `username_key` is the user name as it is compared: two that differ in letter case only are one. `password_hash` is
    an encoded argon2id hash; without one the person cannot sign in. A guest is never federated; a suspended person
    cannot sign in and is federated to nobody.
    """

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    username: Mapped[str]
    username_key: Mapped[str] = mapped_column(unique=True)
    given_name: Mapped[str] = mapped_column(default="")
    family_name: Mapped[str] = mapped_column(default="")
    display_name: Mapped[str] = mapped_column(default="")
    mail: Mapped[str] = mapped_column(default="")
    department: Mapped[str] = mapped_column(default="")
    password_hash: Mapped[str | None]
    guest: Mapped[bool] = mapped_column(default=False, server_default=false())
    suspended: Mapped[bool] = mapped_column(default=False, server_default=false())
    administrator: Mapped[bool] = mapped_column(default=False, server_default=false())
    created: Mapped[datetime]
    modified: Mapped[datetime]

    groups: Mapped[list[Group]] = relationship(secondary=group_member, order_by=Group.name)

    @property
    def name(self) -> str:
        """The name to show."""
        return full_name(self)
