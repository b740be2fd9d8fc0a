"""Audiences: the sets of people that a connection may serve."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base, new_uuid

audience_member = Table(
    "audience_member",
    Base.metadata,
    Column("audience_id", ForeignKey("audience.id", ondelete="CASCADE"), primary_key=True),
    Column("person_id", ForeignKey("person.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "person_id"),
)


class Audience(Base):
    """A named set of people with fixed members. `name_key` is the name as it is compared, without letter case."""

    __tablename__ = "audience"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    description: Mapped[str] = mapped_column(default="")
    created: Mapped[datetime]
