"""What has been done of a connection that began with an invitation, as a list to tick off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from idp_app.models import Connection, Invitation, Stream
from idp_app.services import answers, audit

_ISSUED: Final = "sso.issued"
_LOGOUTS: Final = ("logout", "logout.told")


class Step(NamedTuple):
    """One thing to do. `done` is None where it need not be done."""

    name: str
    done: bool | None
    told: str


def steps(session: Session, invitation: Invitation, now: datetime) -> Sequence[Step]:
    """Metadata, consent, test sign-in, attributes, logout, provisioning: in the order in which they can be done."""
    entity_id, connection_id = invitation.entity_id, invitation.connection_id
    connection = session.get(Connection, connection_id) if connection_id is not None else None
    return (
        _metadata(invitation, connection, now),
        Step(
            "Both sides have confirmed",
            connection is not None,
            "The connection is made."
            if connection is not None
            else "The administrators compare names and fingerprints, and each confirms.",
        ),
        *(_used(session, entity_id) if entity_id is not None and connection is not None else _UNUSED),
        _provisioning(session, connection),
    )


def _metadata(invitation: Invitation, connection: Connection | None, now: datetime) -> Step:
    if invitation.document is None:
        return Step("Metadata valid", False, "Not brought yet.")
    end = connection.valid_until if connection is not None else None
    if end is not None and end <= now:
        return Step("Metadata valid", False, "It has expired: bring a newer document.")
    return Step("Metadata valid", True, "It was read, checked and accepted.")


_SIGN_IN: Final = "Test sign-in"
_ATTRIBUTES: Final = "Attributes complete"
_LOGOUT: Final = "Logout"
_UNUSED: Final = (
    Step(_SIGN_IN, False, "Nobody has signed in yet."),
    Step(_ATTRIBUTES, False, "The test sign-in shows it."),
    Step(_LOGOUT, False, "Sign out after the test sign-in."),
)


def _used(session: Session, entity_id: str) -> tuple[Step, ...]:
    issued = audit.newest(session, _ISSUED, entity_id=entity_id, limit=1)
    if not issued:
        return _UNUSED
    at = issued[0].at
    missing = [e for e in audit.newest(session, answers.MISSING, entity_id=entity_id, limit=1) if e.at >= at]
    told = f"Missing: {', '.join(missing[0].detail['attributes'])}." if missing else "Everything it requires was told."
    over = any(audit.newest(session, kind, entity_id=entity_id, limit=1) for kind in _LOGOUTS)
    return (
        Step(_SIGN_IN, True, f"The last one: {at:%-d %b %Y, %H:%M} UTC."),
        Step(_ATTRIBUTES, not missing, told),
        Step(_LOGOUT, over, "A session was ended on both sides." if over else _UNUSED[2].told),
    )


def _provisioning(session: Session, connection: Connection | None) -> Step:
    name = "Provisioning"
    if connection is None:
        return Step(name, None, "Can be set up when the connection is made.")
    if connection.provisioning_url is None:
        return Step(name, None, "Not set up: accounts are made at the first sign-in.")
    stream = session.get(Stream, connection.id)
    if stream is None or stream.last_success is None:
        return Step(name, False, (stream.error if stream is not None else None) or "The first run is to come.")
    return Step(name, True, f"The last run: {stream.last_success:%-d %b %Y, %H:%M} UTC.")
