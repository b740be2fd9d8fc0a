"""What has been done of a connection that began with an invitation, as a list to tick off."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from federation.registry.effective import entity_in
from federation.saml.metadata.rules import earliest_validity
from idp_app.models import AuditEntry, Connection, Invitation, StepState, Stream
from idp_app.services import answers, audit

_ISSUED: Final = "sso.issued"


class Step(NamedTuple):
    """One thing to do. `done` is None where it need not be done."""

    name: str
    done: bool | None
    told: str


def steps(session: Session, invitation: Invitation, now: datetime) -> Sequence[Step]:
    """Metadata, consent, test sign-in, attributes, logout, provisioning: in the order in which they can be done."""
    entity_id, connection_id, proposed = invitation.entity_id, invitation.connection_id, invitation.proposed
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
        *(_used(session, entity_id, proposed) if entity_id and proposed and connection is not None else _UNUSED),
        _provisioning(session, connection),
    )


def _metadata(invitation: Invitation, connection: Connection | None, now: datetime) -> Step:
    if invitation.document is None:
        return Step(_METADATA, False, "Not brought yet.")
    # Until both have confirmed there is only what was brought; then what is live may be newer.
    end = (
        connection.valid_until
        if connection is not None
        else earliest_validity(entity_in(invitation.document, str(invitation.entity_id)), "sp")
    )
    if end is not None and end <= now:
        return Step(_METADATA, False, f"It expired on {end:%-d %b %Y}: a newer document is needed.")
    return Step(_METADATA, True, "It was read, checked and accepted.")


_METADATA: Final = "Metadata valid"
_SIGN_IN: Final = "Test sign-in"
_ATTRIBUTES: Final = "Attributes complete"
_LOGOUT: Final = "Logout"
_UNUSED: Final = (
    Step(_SIGN_IN, False, "Nobody has signed in yet."),
    Step(_ATTRIBUTES, False, "The test sign-in shows it."),
    Step(_LOGOUT, False, "Sign out after the test sign-in."),
)


def _used(session: Session, entity_id: str, since: datetime) -> tuple[Step, ...]:
    """What the audit trail says of the connection, not of one that there was before it."""
    issued = _newest(session, _ISSUED, entity_id, since)
    if issued is None:
        return _UNUSED
    missing = _newest(session, answers.MISSING, entity_id, since)
    lacks = missing.detail["attributes"] if missing is not None and missing.response_id == issued.response_id else ()
    over = _session_ended(session, entity_id, since)
    return (
        Step(_SIGN_IN, True, f"The last one: {issued.at:%-d %b %Y, %H:%M} UTC."),
        Step(_ATTRIBUTES, not lacks, f"Missing: {', '.join(lacks)}." if lacks else "Everything it requires was told."),
        Step(_LOGOUT, over, "A session was ended on both sides." if over else _UNUSED[2].told),
    )


def _newest(session: Session, kind: str, entity_id: str, since: datetime) -> AuditEntry | None:
    return next((each for each in audit.newest(session, kind, entity_id=entity_id, limit=1) if each.at >= since), None)


def _session_ended(session: Session, entity_id: str, since: datetime) -> bool:
    """The site asked for a logout that ended a session here, or said that it ended one of its own when it was told."""
    asked = audit.newest(session, "logout", entity_id=entity_id)
    told = audit.newest(session, "logout.told", entity_id=entity_id)
    return any(each.at >= since and each.detail["sessions"] for each in asked) or any(
        each.at >= since and each.detail["state"] == StepState.ENDED for each in told
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
