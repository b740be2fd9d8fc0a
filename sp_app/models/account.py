"""Accounts, where this site keeps them itself (`SqlAccountStore`). A host with people of its own leaves it empty."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from sp_app.models.base import Base


def username_key(username: str) -> str:
    """The form in which user names are compared: composed and without letter case (RFC 7643 4.1.1, 8.7.1)."""
    return unicodedata.normalize("NFC", username).casefold()


class Account(Base):
    """The local record that a person is linked to.

    `administrator` is given by a command on this machine and by nothing that arrives from outside.
    """

    __tablename__ = "sp_account"

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str | None]
    username_key: Mapped[str | None] = mapped_column(unique=True)
    display_name: Mapped[str | None]
    given_name: Mapped[str | None]
    family_name: Mapped[str | None]
    mail: Mapped[str | None]
    department: Mapped[str | None]
    active: Mapped[bool]
    administrator: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]
    modified_at: Mapped[datetime]
