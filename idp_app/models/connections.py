"""Connections: our record of each service provider that we federate with."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Table
from sqlalchemy.orm import Mapped, mapped_column, relationship

from federation.registry.columns import HolderColumns
from federation.registry.ending import Ending
from federation.storage.secrets import Sealed
from idp_app.models.audiences import Audience
from idp_app.models.base import Base, new_uuid


class ConnectionState(enum.StrEnum):
    """Active connections are served; paused ones keep everything and are served nothing; disconnected ones are over.

    While one is disconnecting, the accounts at the site are suspended or deleted, and nothing else happens any more.
    """

    ACTIVE = "active"
    PAUSED = "paused"
    DISCONNECTING = "disconnecting"
    DISCONNECTED = "disconnected"

    @property
    def over(self) -> bool:
        """Whether an administrator has ended it: the site is told nothing about anybody any more."""
        return self in (ConnectionState.DISCONNECTING, ConnectionState.DISCONNECTED)


class Trust(enum.StrEnum):
    """Why we believe a connection's metadata."""

    SIGNED = "signed"
    CONFIRMED = "confirmed"
    HTTPS = "https"


connection_audience = Table(
    "connection_audience",
    Base.metadata,
    Column("connection_id", ForeignKey("connection.id", ondelete="CASCADE"), primary_key=True),
    Column("audience_id", ForeignKey("audience.id", ondelete="CASCADE"), primary_key=True),
    Index(None, "audience_id"),
)


class Connection(HolderColumns, Base):
    """A service provider: its metadata, why it is trusted, whom it may serve, what it is told, how it is provisioned.

    `version` grows with every change of the row or its audiences; web workers keep what they parsed under it. `misses`
    lists what its metadata lacks, as `{"rule", "level", "message"}`. `release_policy` is `ReleasePolicy.to_json`,
    `options` `Options.to_json`.
    `provisioning_token` is sealed with the site's secret box; `provisioning_token_url` is there instead where we get a
    short-lived token by an assertion. `ending` is what was chosen for the accounts when the connection was ended, and
    `ending_accounts` of how many that spoke.
    """

    __tablename__ = "connection"

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    state: Mapped[ConnectionState]
    version: Mapped[int] = mapped_column(default=1)
    trust: Mapped[Trust]
    trust_fingerprints: Mapped[list[str]]
    trusted_at: Mapped[datetime]
    trusted_by: Mapped[str]
    misses: Mapped[list[Any]]
    release_policy: Mapped[dict[str, Any]]
    options: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    provisioning_url: Mapped[str | None]
    provisioning_token: Mapped[Sealed | None]
    provisioning_token_url: Mapped[str | None]
    ending: Mapped[Ending | None]
    ending_accounts: Mapped[int | None]
    created: Mapped[datetime]
    modified: Mapped[datetime]

    audiences: Mapped[list[Audience]] = relationship(secondary=connection_audience, order_by=Audience.name_key)

    @property
    def active(self) -> bool:
        """Whether this connection is served at all."""
        return self.state == ConnectionState.ACTIVE
