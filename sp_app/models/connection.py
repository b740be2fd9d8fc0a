"""Connections: the identity providers that this site trusts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import false
from sqlalchemy.orm import Mapped, mapped_column

from federation.registry.columns import HolderColumns
from sp_app.models.base import Base


class IdPConnection(HolderColumns, Base):
    """Our record of one identity provider.

    `state` is active, paused or disconnected: that one is over, and here for its history and for another beginning.
    `revision` grows whenever what counts of its metadata changes. `request_binding` is how
    our requests travel (`redirect`, `post` or `artifact`), `response_binding` how we ask for the answer (`post` or
    `artifact`). `allow_unsolicited`: responses that answer no request of ours are accepted.
    `identifier` is what people of it are known by (`sp_app.services.identity.IDENTIFIERS`).
    `place` is where it stands among those that people choose from; those without one follow by name.
    `metadata_tag` stands in the address of our metadata that is made for it (`sp_app.services.fetches`).
    `presets` are named departures from the strict default (`federation.saml.algorithms`).
    """

    __tablename__ = "sp_idp_connection"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    state: Mapped[str]
    revision: Mapped[int]
    request_binding: Mapped[str]
    presets: Mapped[list[str]] = mapped_column(default=list, server_default="[]")
    response_binding: Mapped[str] = mapped_column(default="post", server_default="post")
    allow_unsolicited: Mapped[bool] = mapped_column(default=False, server_default=false())
    identifier: Mapped[str] = mapped_column(default="pairwise-id", server_default="pairwise-id")
    place: Mapped[int | None]
    metadata_tag: Mapped[str | None] = mapped_column(index=True, unique=True)
    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]
