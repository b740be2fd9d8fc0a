"""The provisioning log: one row for each operation that was sent, and for how long it is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import CursorResult, delete
from sqlalchemy.orm import Session

from idp_app.models import ProvisioningLog


def write(
    session: Session,
    *,
    now: datetime,
    run: str,
    connection_id: str,
    operation: str,
    outcome: str,
    status: int | None,
    person_id: str | None = None,
    group_id: str | None = None,
    attributes: tuple[str, ...] = (),
    detail: str | None = None,
) -> None:
    """Add a row. `attributes` are names; no value of a person is ever logged."""
    session.add(
        ProvisioningLog(
            at=now,
            run=run,
            connection_id=connection_id,
            person_id=person_id,
            group_id=group_id,
            operation=operation,
            attributes=sorted(attributes),
            status=status or None,
            outcome=outcome,
            detail=detail or "",
        )
    )


def purge(session: Session, *, now: datetime, keep: timedelta) -> int:
    """Delete the rows that are older than `keep`; answers how many."""
    result = session.execute(delete(ProvisioningLog).where(ProvisioningLog.at < now - keep))
    assert isinstance(result, CursorResult)
    return result.rowcount
