"""The mission's switch: the federation is off until somebody turns it on."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class FederationSwitch(Base):
    """At most one row, with id 1. No row means off."""

    __tablename__ = "sp_switch"

    id: Mapped[int] = mapped_column(primary_key=True)
    enabled: Mapped[bool]
    changed_at: Mapped[datetime]
