"""Forms that somebody sent after their session was over, kept until they have signed in again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


class KeptForm(Base):
    """One form. `sealed` opens only with the handle and the cookie of the browser that sent it; neither is stored."""

    __tablename__ = "sp_kept_form"

    handle_hash: Mapped[str] = mapped_column(primary_key=True)
    binding_hash: Mapped[str]
    sealed: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(index=True)
