"""A partner asks for a logout, and its subject's sessions end here (SAML Profiles 4.4.3.1, 4.4.3.3).

arrive     the request is from a connected partner, passes every check of the profile, and is new
end        the live sessions that it names, among those that reached this partner and no other
answer     where the partner's metadata says that answers go
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.keys.evidence import Watch
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received, Status
from federation.saml.names import StatusCode
from federation.saml.profiles import logout
from federation.saml.profiles.logout_rules import LogoutExpectations
from federation.storage.base import table_of
from idp_app.installation import Installation
from idp_app.models import ConnectionState, Participation, ReceivedLogout, SignInSession
from idp_app.services import audit, sessions
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.metadata import name_of
from idp_app.services.upsert import insert_new

UNKNOWN: Final = Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL, "No session of that subject is known here.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An accepted request, whose it is, the RelayState that goes back with the answer, and the checks it passed."""

    partner: LiveConnection
    request: LogoutRequest
    relay_state: str | None
    checks: tuple[Check, ...]


@rule("logout.partner", "SAML Profiles 4.4.4.1; SDP-MD01")
def partner_is_connected(partner: LiveConnection | None, issuer: str) -> Seen:
    """The issuer is one of our connections, which was not ended."""
    connected = partner is not None and partner.state is not ConnectionState.DISCONNECTED
    return connected, "an entityID that is connected", issuer


@rule("logout.replay", "SAML Core 1.3.4; SAML Security 6.4.5")
def request_is_new(fresh: bool) -> Seen:
    """The partner has not used this ID before."""
    return fresh, "a new ID", "a new ID" if fresh else "an ID that was used before"


def arrive(session: Session, received: Received, installation: Installation, now: datetime) -> Arrival:
    """Accept a LogoutRequest, once. Raises `Malformed`, or `Refused` with every check made."""
    issuer = logout.issuer_of(received)
    partner = installation.partners.introduced(session, issuer)
    checks = run((partner_is_connected,), (), partner, issuer)
    assert partner is not None
    settings = installation.settings
    watch = Watch(installation.key_store.ring, installation.keys)
    accepted = logout.accept_request(
        received,
        LogoutExpectations(
            destination=settings.slo_url,
            partner=partner.entity,
            role=partner.sp,
            now=now,
            skew=settings.clock_skew,
        ),
        algorithms=partner.algorithms,
        decryption_keys=watch.decryption,
    )
    watch.note(partner.entity_id, now)
    row = {"key": accepted.replay_key, "expires": accepted.replay_until}
    fresh = insert_new(session, table_of(ReceivedLogout), row)
    checks = run((request_is_new,), (*checks, *accepted.checks), fresh)
    return Arrival(partner, accepted.request, received.relay_state, checks)


def end(session: Session, arrival: Arrival, installation: Installation, act: Act) -> dict[str, str]:
    """End the live sessions that the request names, record it, and answer which they were, each with its person's id.

    No SessionIndex means all of that subject's.
    """
    ended = sessions.end_these(session, _named(session, arrival, installation, act.now), act.now)
    audit.record(
        session,
        "logout",
        act,
        person_id=next(iter(ended.values()), None),
        entity_id=arrival.partner.entity_id,
        request_id=arrival.request.id,
        checks=arrival.checks,
        detail={"sessions": len(ended)},
    )
    return ended


def sites_of(session: Session, session_id: str) -> Sequence[str]:
    """The ids of the partners that a session reached, by name."""
    name = func.lower(name_of(table_of(Participation).c.connection_id)).label("name")
    reached = select(Participation.connection_id, name).where(Participation.session_id == session_id)
    return session.scalars(reached.distinct().order_by(name)).all()


def names_of_sites(session: Session, session_id: str) -> Sequence[str]:
    """The names of the partners that a session reached, in order."""
    name = name_of(table_of(Participation).c.connection_id).label("name")
    reached = select(name).where(Participation.session_id == session_id)
    return sorted(set(session.scalars(reached)), key=str.casefold)


def answer(
    partner: LiveConnection,
    request_id: str,
    status: Status,
    installation: Installation,
    *,
    relay_state: str | None,
    now: datetime,
) -> str | PostForm | None:
    """The signed answer for the browser to carry: by Redirect where the partner offers it, else by POST (SDP-IDP28).

    None when its metadata offers neither: there is nowhere to answer, and the person has to see a page of ours.
    """
    endpoint = logout.answered_at(partner.sp)
    if endpoint is None:
        return None
    response = _response(request_id, status, installation, endpoint.location, now)
    return logout.send(
        response,
        binding=endpoint.binding,
        key=partner.signing_key(installation.keys),
        relay_state=relay_state,
    )


def answer_in_envelope(
    partner: LiveConnection, request_id: str, status: Status, installation: Installation, *, now: datetime
) -> bytes:
    """The signed answer, to go back the way the request came by SOAP."""
    response = _response(request_id, status, installation, None, now)
    return logout.envelope(response, key=partner.signing_key(installation.keys))


def _response(
    request_id: str, status: Status, installation: Installation, destination: str | None, now: datetime
) -> LogoutResponse:
    return logout.build_response(
        id=new_id(),
        issuer=installation.settings.own_entity_id,
        destination=destination,
        in_response_to=request_id,
        status=status,
        now=now,
    )


def _named(session: Session, arrival: Arrival, installation: Installation, now: datetime) -> frozenset[str]:
    """The live sessions that reached this partner under the name, and the indexes if any, of the request."""
    request, partner = arrival.request, arrival.partner
    reached = (
        select(Participation)
        .join(SignInSession, SignInSession.id == Participation.session_id)
        .where(
            Participation.connection_id == partner.id,
            Participation.name_id == request.name_id.value,
            SignInSession.ended.is_(None),
            SignInSession.expires > now,
            SignInSession.last_seen > now - installation.settings.session_idle,
        )
    )
    if request.session_indexes:
        reached = reached.where(Participation.session_index.in_(request.session_indexes))
    columns = reached.add_columns(SignInSession.person_id)
    sides = {"idp_entity_id": installation.settings.own_entity_id, "sp_entity_id": partner.entity_id}
    found = [
        (row, person_id)
        for row, person_id in session.execute(columns)
        if logout.names(request.name_id, logout.in_full(as_issued(row), **sides))
    ]
    if _people(found) > 1:
        # What the request leaves out would tell them apart: without it, it names nobody in particular.
        found = [(row, person_id) for row, person_id in found if as_issued(row) == request.name_id]
    return frozenset(row.session_id for row, _ in found) if _people(found) == 1 else frozenset()


def _people(found: Sequence[tuple[Participation, str]]) -> int:
    return len({person_id for _, person_id in found})


def as_issued(row: Participation) -> NameID:
    """The NameID as the assertion had it."""
    return NameID(
        row.name_id, row.name_id_format or None, row.name_qualifier, row.sp_name_qualifier, row.sp_provided_id
    )
