"""The federation switch."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class FederationSwitch(Base):
    """Whether this site federates at all. One row, made by the first change; without it the switch is off."""

    __tablename__ = "federation_switch"

    id: Mapped[int] = mapped_column(primary_key=True, default=1)
    enabled: Mapped[bool]
    changed: Mapped[datetime]
    changed_by: Mapped[str]
