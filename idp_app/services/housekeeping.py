"""Forgetting what is over: expired requests and logouts, ended sessions, old failures, browsers and audit entries."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, CursorResult, delete, or_
from sqlalchemy.orm import Session

from idp_app.models import (
    AuditEntry,
    EnrolmentCode,
    HeldMessage,
    KnownBrowser,
    LogoutRun,
    ReceivedLogout,
    ReceivedRequest,
    SignInSession,
    SignInThrottle,
)
from idp_app.services import throttle
from idp_app.settings import IdPSettings

BROWSER_MEMORY: Final = timedelta(days=180)


def purge(session: Session, *, now: datetime, settings: IdPSettings) -> dict[str, int]:
    """Delete what nothing will ask for again, and answer how many rows of each kind went.

    A received request is kept until a copy of it would be refused for its age alone, so no replay slips through.
    """
    over: Mapping[str, tuple[type[Any], ColumnElement[bool]]] = {
        "requests": (ReceivedRequest, ReceivedRequest.expires <= now),
        "artifacts": (HeldMessage, HeldMessage.expires <= now),
        "logouts": (ReceivedLogout, ReceivedLogout.expires <= now),
        "logout runs": (LogoutRun, LogoutRun.expires <= now),
        "sessions": (
            SignInSession,
            or_(
                SignInSession.ended <= now,
                SignInSession.expires <= now,
                SignInSession.last_seen <= now - settings.session_idle,
            ),
        ),
        "enrolment codes": (EnrolmentCode, EnrolmentCode.expires <= now),
        "failures": (SignInThrottle, SignInThrottle.last_failure <= now - throttle.MEMORY),
        "browsers": (KnownBrowser, KnownBrowser.last_used <= now - BROWSER_MEMORY),
        "audit": (AuditEntry, AuditEntry.at <= now - settings.audit_retention),
    }
    gone = {}
    for name, (table, condition) in over.items():
        result = session.execute(delete(table).where(condition))
        assert isinstance(result, CursorResult)
        gone[name] = result.rowcount
    return gone
