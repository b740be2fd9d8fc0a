"""Writing and reading the audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from federation.errors import FederationError, Refused
from federation.saml.checks import Check
from federation.saml.profiles import outline
from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from federation.storage.written import Written, storable
from idp_app.models import AuditEntry
from idp_app.services.act import Act

_TEXT_LIMIT: Final = 1024
_LOOK_BACK: Final = 20_000
_TABLE: Final = table_of(AuditEntry)
_INSERT: Final = Prepared(insert(_TABLE), fills=[column.name for column in _TABLE.columns if column.name != "id"])


def record(
    session: Session,
    kind: str,
    act: Act,
    *,
    person_id: str | None = None,
    entity_id: str | None = None,
    request_id: str | None = None,
    response_id: str | None = None,
    checks: Sequence[Check] = (),
    detail: Mapping[str, Any] | None = None,
    sent: Sequence[str] = (),
) -> None:
    """Add one entry in the caller's transaction. Texts from outside are cut to a kilobyte.

    Of the messages that came with the occasion outlines are kept: masked, never whole. `sent` are outlines of ours, as
    JSON.
    """
    entry = {
        "reference": act.reference,
        "at": act.now,
        "kind": kind,
        "person_id": person_id,
        "actor": act.actor or None,
        "entity_id": _cut(entity_id),
        "request_id": _cut(request_id),
        "response_id": response_id,
        "checks": checks,
        "messages": [*map(outline.of, act.received), *map(Written, sent)],
        "detail": detail or {},
    }
    _INSERT.write(session, entry)


def record_refusal(
    session: Session, kind: str, act: Act, error: FederationError, *, entity_id: str | None = None
) -> None:
    """Add the entry for something that was refused: the rule, the sentence, and every check that ran."""
    claimed = outline.of(act.received[0]) if act.received else {"issuer": None, "id": None}
    record(
        session,
        kind,
        act,
        # Whose it claims to be, and which: unverified, and good for finding the entry again.
        entity_id=entity_id or claimed["issuer"],
        request_id=claimed["id"],
        checks=error.checks if isinstance(error, Refused) else (),
        detail={"rule": error.rule, "message": str(_cut(error.message))},
    )


def find(session: Session, reference: str) -> Sequence[AuditEntry]:
    """All entries under a reference number, oldest first."""
    return session.scalars(select(AuditEntry).where(AuditEntry.reference == reference).order_by(AuditEntry.id)).all()


def newest(session: Session, kind: str, *, entity_id: str, limit: int = 20) -> Sequence[AuditEntry]:
    """The newest entries of a kind about one partner, among the last thousands of all: a page must not read a year."""
    last = session.scalar(select(func.max(AuditEntry.id))) or 0
    found = select(AuditEntry).where(
        AuditEntry.id > last - _LOOK_BACK, AuditEntry.kind == kind, AuditEntry.entity_id == entity_id
    )
    return session.scalars(found.order_by(AuditEntry.id.desc()).limit(limit)).all()


def _cut(text: str | None) -> str | None:
    """Within a kilobyte, and storable."""
    return None if text is None else storable(text[:_TEXT_LIMIT])
