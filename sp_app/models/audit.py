"""What happened, for the administrator: looked up by the reference number that the person was shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Mapped, mapped_column

from federation.saml.checks import Check
from federation.storage.written import WrittenJSON
from sp_app.models.base import Base


class AuditEntry(Base):
    """One event. `checks` holds each check with expected and received value, `messages` the outline of each message.

    Both are masked; no entry holds an assertion.
    """

    __tablename__ = "sp_audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str] = mapped_column(index=True)
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[str]
    rule: Mapped[str | None]
    detail: Mapped[str]
    idp_entity_id: Mapped[str | None]
    account_id: Mapped[str | None]
    message_id: Mapped[str | None]
    checks: Mapped[list[Any]] = mapped_column(WrittenJSON(Check._fields))
    messages: Mapped[list[Any]] = mapped_column(WrittenJSON())
