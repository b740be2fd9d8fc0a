"""Housekeeping: what has expired and can decide nothing any more is deleted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from sp_app.models import (
    AuditEntry,
    FederatedSession,
    HeldRequest,
    KeptForm,
    PendingChoice,
    PendingRequest,
    RememberedLogout,
    ReplayEntry,
    ScimToken,
    SignOut,
)
from sp_app.scim import repeats

KEEP_REQUESTS: Final = timedelta(days=2)
"""How long an expired request still tells a late arrival which page it was for."""


def purge(session: Session, *, now: datetime, audit_retention: timedelta) -> Mapping[str, int]:
    """Delete what has expired; answers how many rows of each kind."""
    expired = {
        "requests": delete(PendingRequest).where(PendingRequest.expires_at < now - KEEP_REQUESTS),
        "choices": delete(PendingChoice).where(PendingChoice.expires_at < now - KEEP_REQUESTS),
        "held requests": delete(HeldRequest).where(HeldRequest.expires_at < now),
        "replay entries": delete(ReplayEntry).where(ReplayEntry.keep_until < now),
        "tokens": delete(ScimToken).where(ScimToken.expires_at < now),
        "sessions": delete(FederatedSession).where(FederatedSession.expires_at < now),
        "kept forms": delete(KeptForm).where(KeptForm.expires_at < now),
        "sign-outs": delete(SignOut).where(SignOut.expires_at < now),
        "logout requests": delete(RememberedLogout).where(RememberedLogout.keep_until < now),
        "audit entries": delete(AuditEntry).where(AuditEntry.at < now - audit_retention),
    }
    purged = {
        what: int(session.execute(statement.execution_options(synchronize_session=False)).rowcount)  # type: ignore[attr-defined]
        for what, statement in expired.items()
    }
    return {**purged, "SCIM answers": repeats.purge(session, now=now)}
