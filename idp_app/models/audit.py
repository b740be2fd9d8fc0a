"""What happened, under the reference number that a person was shown."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from federation.saml.checks import Check
from federation.storage.written import WrittenJSON
from idp_app.models.base import Base


class AuditEntry(Base):
    """One event. No foreign keys: the entry outlives whom and what it names.

    `checks` are the profile's checks, read as `{"rule", "reference", "expected", "received", "ok"}`; `messages` the
    outlines of the messages, masked; `detail` is small, made by us, and holds neither an assertion nor a secret.
    """

    __tablename__ = "audit_entry"
    __table_args__ = (Index(None, "reference"), Index(None, "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    reference: Mapped[str]
    at: Mapped[datetime]
    kind: Mapped[str]
    person_id: Mapped[str | None]
    actor: Mapped[str | None]
    entity_id: Mapped[str | None]
    request_id: Mapped[str | None]
    response_id: Mapped[str | None]
    checks: Mapped[list[Any]] = mapped_column(WrittenJSON(Check._fields))
    messages: Mapped[list[Any]] = mapped_column(WrittenJSON())
    detail: Mapped[dict[str, Any]]
