"""LogoutRequests that arrived: the replay guard."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class ReceivedLogout(Base):
    """One accepted LogoutRequest, by the hash of its issuer and ID. At `expires` a copy is too old to be accepted."""

    __tablename__ = "received_logout"
    __table_args__ = (Index(None, "expires"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    expires: Mapped[datetime]
