"""Single logout: a partner asks, its subject's sessions end here, the answer says what happened (SAML Profiles 4.4).

arrive     the request is from a connected partner, passes every check of the profile, and is new
end        the live sessions that it names, among those that reached this partner and no other
answer     where the partner's metadata says that answers go
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received, Status
from federation.saml.names import NameIDFormat, StatusCode
from federation.saml.profiles import logout
from federation.saml.profiles.logout_rules import LogoutExpectations
from idp_app.installation import Installation
from idp_app.models import Connection, ConnectionState, Participation, ReceivedLogout, SignInSession
from idp_app.models.base import table_of
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.upsert import insert_new

UNKNOWN: Final = Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL, "No session of that subject is known here.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An accepted request, whose it is, and the checks it passed."""

    partner: LiveConnection
    request: LogoutRequest
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Ended:
    """What a request ended: sessions by id, and the names of the other sites that those sessions had reached."""

    sessions: frozenset[str]
    left: tuple[str, ...]

    @property
    def status(self) -> Status:
        """The truth about it (SDP-IDP31): the other sites were not told, so where there are any it is partial."""
        if not self.sessions:
            return UNKNOWN
        return logout.PARTIAL if self.left else logout.SUCCESS


@rule("logout.partner", "SAML Profiles 4.4.4.1; SDP-MD01")
def partner_is_connected(partner: LiveConnection | None, issuer: str) -> Seen:
    """The issuer is one of our connections, which was not ended."""
    connected = partner is not None and partner.state is not ConnectionState.DISCONNECTED
    return Seen(connected, "an entityID that is connected", issuer)


@rule("logout.replay", "SAML Core 1.3.4; SAML Security 6.4.5")
def request_is_new(fresh: bool) -> Seen:
    """The partner has not used this ID before."""
    return Seen(fresh, "a new ID", "a new ID" if fresh else "an ID that was used before")


def arrive(session: Session, received: Received, installation: Installation, now: datetime) -> Arrival:
    """Accept a LogoutRequest, once. Raises `Malformed`, or `Refused` with every check made."""
    issuer = logout.issuer_of(received)
    partner = installation.partners.by_entity_id(session, issuer)
    checks = run((partner_is_connected,), (), partner, issuer)
    assert partner is not None
    settings = installation.settings
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
    )
    row = {"key": accepted.replay_key, "expires": accepted.replay_until}
    fresh = insert_new(session, table_of(ReceivedLogout), row)
    return Arrival(partner, accepted.request, run((request_is_new,), (*checks, *accepted.checks), fresh))


def end(session: Session, arrival: Arrival, installation: Installation, act: Act) -> Ended:
    """End the live sessions that the request names, and record it. No SessionIndex means all of that subject's."""
    ids = _named(session, arrival, installation, act.now)
    left: Sequence[str] = ()
    person_id = None
    if ids:
        live = update(SignInSession).where(SignInSession.id.in_(ids), SignInSession.ended.is_(None))
        rows = session.execute(live.values(ended=act.now).returning(SignInSession.id, SignInSession.person_id)).all()
        ids = frozenset(row.id for row in rows)
        person_id = next((row.person_id for row in rows), None)
        others = (
            select(Connection.name)
            .join(Participation, Participation.connection_id == Connection.id)
            .where(Participation.session_id.in_(ids), Connection.id != arrival.partner.id)
        )
        left = session.scalars(others.distinct().order_by(Connection.name)).all()
    ended = Ended(ids, tuple(left))
    audit.record(
        session,
        "logout",
        act,
        person_id=person_id,
        entity_id=arrival.partner.entity_id,
        request_id=arrival.request.id,
        checks=arrival.checks,
        detail={"sessions": len(ids), "not_told": list(left)},
    )
    return ended


def sites_of(session: Session, session_id: str) -> Sequence[str]:
    """The names of the sites that a session reached, in order."""
    reached = (
        select(Connection.name)
        .join(Participation, Participation.connection_id == Connection.id)
        .where(Participation.session_id == session_id)
    )
    return session.scalars(reached.distinct().order_by(Connection.name)).all()


def answer(
    arrival: Arrival, status: Status, installation: Installation, *, relay_state: str | None, now: datetime
) -> str | PostForm | None:
    """The signed answer for the browser to carry: by Redirect where the partner offers it, else by POST (SDP-IDP28).

    None when its metadata offers neither: there is nowhere to answer, and the person has to see a page of ours.
    """
    endpoint = logout.answered_at(arrival.partner.sp)
    if endpoint is None:
        return None
    response = _response(arrival, status, installation, endpoint.location, now)
    return logout.send(
        response,
        binding=endpoint.binding,
        key=arrival.partner.signing_key(installation.keys.signing),
        relay_state=relay_state,
    )


def answer_in_envelope(arrival: Arrival, status: Status, installation: Installation, *, now: datetime) -> bytes:
    """The signed answer, to go back the way the request came by SOAP."""
    return logout.envelope(
        _response(arrival, status, installation, None, now), key=arrival.partner.signing_key(installation.keys.signing)
    )


def _response(
    arrival: Arrival, status: Status, installation: Installation, destination: str | None, now: datetime
) -> LogoutResponse:
    return logout.build_response(
        id=new_id(),
        issuer=installation.settings.own_entity_id,
        destination=destination,
        in_response_to=arrival.request.id,
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
    own = installation.settings.own_entity_id
    return frozenset(
        row.session_id
        for row in session.scalars(reached)
        if logout.names(request.name_id, _as_issued(row, own=own, partner=partner.entity_id))
    )


def _as_issued(row: Participation, *, own: str, partner: str) -> NameID:
    """The NameID as the assertion had it: only persistent ones carry qualifiers."""
    if row.name_id_format == NameIDFormat.PERSISTENT:
        return NameID(row.name_id, row.name_id_format, name_qualifier=own, sp_name_qualifier=partner)
    return NameID(row.name_id, row.name_id_format or None)
