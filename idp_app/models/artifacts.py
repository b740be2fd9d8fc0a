"""Messages that wait to be fetched for an artifact."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from federation.storage.secrets import Sealed
from idp_app.models.base import Base


class HeldMessage(Base):
    """One message for one connection (SAML Bindings 3.6). Whoever fetches it takes the row away.

    `key` is the SHA-256 of the artifact, `message` sealed with the site's secret box: what a reader of the database
    sees fetches nothing and says nothing. `connection_id` is no foreign key, as in `ReceivedRequest`.
    """

    __tablename__ = "held_message"
    __table_args__ = (Index(None, "expires"), Index(None, "connection_id"))

    key: Mapped[str] = mapped_column(primary_key=True)
    connection_id: Mapped[str]
    message: Mapped[Sealed]
    expires: Mapped[datetime]
