"""The audit trail: what an administrator finds under the reference number that a person reads to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from federation.errors import FederationError, Refused
from federation.saml.checks import Check
from federation.storage.base import table_of
from federation.storage.written import storable
from sp_app.models import AuditEntry

SIGNED_IN: Final = "signed in"
SIGNED_OUT: Final = "signed out"
REFUSED: Final = "refused"
NOBODY: Final = "nobody signed in"
ADMINISTERED: Final = "administered"

_LONGEST: Final = 500
_INSERT: Final = insert(table_of(AuditEntry))


def record(
    session: Session,
    *,
    kind: str,
    reference: str,
    at: datetime,
    detail: str,
    rule: str | None = None,
    idp_entity_id: str | None = None,
    account_id: str | None = None,
    message_id: str | None = None,
    checks: Sequence[Check] = (),
    messages: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Add one entry. `detail` is a sentence for an administrator; nothing here may be an assertion or a secret.

    `messages` are outlines (`profiles.outline`).
    """
    entry = {
        "reference": reference,
        "at": at,
        "kind": kind,
        "rule": rule,
        "detail": _shortened(detail),
        "idp_entity_id": idp_entity_id,
        "account_id": account_id,
        "message_id": _shortened(message_id) if message_id is not None else None,
        "checks": checks,
        "messages": messages,
    }
    session.execute(_INSERT, entry)


def record_refusal(
    session: Session,
    error: FederationError,
    *,
    reference: str,
    at: datetime,
    messages: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Add what was refused and why: each check that ran, where checks ran, and the messages, masked.

    The identity provider is the one that the message claims to be from, unverified.
    """
    claimed = next((message for message in messages if message["direction"] == "received"), None)
    record(
        session,
        kind=REFUSED,
        reference=reference,
        at=at,
        rule=error.rule,
        detail=error.message,
        idp_entity_id=None if claimed is None else claimed["issuer"],
        message_id=None if claimed is None else claimed["id"],
        checks=error.checks if isinstance(error, Refused) else (),
        messages=messages,
    )


def under(session: Session, reference: str) -> Sequence[AuditEntry]:
    """The entries under a reference number, however a person wrote it."""
    return session.scalars(
        select(AuditEntry).where(AuditEntry.reference == reference.strip().upper()).order_by(AuditEntry.id)
    ).all()


def latest(session: Session, *, limit: int = 50) -> Sequence[AuditEntry]:
    """The newest entries, newest first."""
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)).all()


def _shortened(text: str) -> str:
    return storable(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…")
