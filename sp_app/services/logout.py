"""Single logout, asked for by the identity provider (SAML Profiles 4.4): its sessions end here, whoever holds them.

arrive     the request is from a connected identity provider, passes every check of the profile, and is new
end        the living sessions that it names, among those which that identity provider opened
answer     where its metadata says that answers go

No browser's cookie takes part: sessions are found in the database, by what the assertion said when they began.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, LogoutResponse, Received, Status
from federation.saml.names import StatusCode
from federation.saml.profiles import logout
from federation.saml.profiles.logout import AcceptedLogoutRequest
from sp_app.models import FederatedSession, ReplayEntry, subject_key
from sp_app.models.once import insert_once
from sp_app.services import late_sessions, sessions
from sp_app.services.logout_partner import LogoutService
from sp_app.services.partners import Partner
from sp_app.services.sessions import EndedSession, digest

UNKNOWN: Final = Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL, "No session of that subject is open here.")


@dataclass(frozen=True, slots=True)
class Arrival:
    """An accepted request, whose it is, and the checks it passed."""

    partner: Partner
    request: LogoutRequest
    checks: tuple[Check, ...]


@rule("logout.replay", "SAML Core 1.3.4; SAML Security 6.4.5")
def request_is_new(fresh: bool) -> Seen:
    """The identity provider has not used this ID before."""
    return fresh, "a new ID", "a new ID" if fresh else "an ID that was used before"


class Logout(LogoutService):
    """The use case, for one request."""

    def arrive(self, received: Received) -> Arrival:
        """Accept a LogoutRequest, once. Raises `Malformed`, or `Refused` with every check made."""
        issuer = logout.issuer_of(received)
        partner, expected, checks = self._sender(issuer)
        accepted = logout.accept_request(
            received, expected, decryption_keys=self._self.decryption_keys, algorithms=partner.algorithms
        )
        self._self.watch.note(issuer, self._now)
        checks = run((request_is_new,), (*checks, *accepted.checks), self._is_new(accepted))
        late_sessions.remember(self._session, accepted, now=self._now, skew=self._skew)
        return Arrival(partner, accepted.request, checks)

    def end(self, arrival: Arrival) -> tuple[EndedSession, ...]:
        """End the living sessions that the request names. No SessionIndex means all of that subject's."""
        request, idp = arrival.request, arrival.partner.entity.entity_id
        of_subject = select(FederatedSession).where(
            FederatedSession.subject_key == subject_key(idp, request.name_id.value),
            FederatedSession.idp_entity_id == idp,
            FederatedSession.ended_at.is_(None),
            FederatedSession.expires_at > self._now,
        )
        if request.session_indexes:
            of_subject = of_subject.where(FederatedSession.session_index.in_(request.session_indexes))
        named = [each.id for each in self._session.scalars(of_subject) if self._is_named(each, request)]
        return sessions.end_these(self._session, named, self._now)

    def answer(
        self, arrival: Arrival, ended: tuple[EndedSession, ...], *, relay_state: str | None
    ) -> str | PostForm | None:
        """The signed answer for the browser to carry: by Redirect where it is offered, else by POST (SDP-SP31).

        None when the identity provider's metadata offers neither, or when it wants no answer: the person sees a page.
        """
        role = arrival.partner.entity.idp
        endpoint = logout.answered_at(role) if role is not None else None
        if endpoint is None or arrival.request.asynchronous:
            return None
        response = self._response(arrival, ended, endpoint.location)
        key = arrival.partner.signing_key(self._self.signing_key)
        return logout.send(response, binding=endpoint.binding, key=key, relay_state=relay_state)

    def answer_in_envelope(self, arrival: Arrival, ended: tuple[EndedSession, ...]) -> bytes:
        """The signed answer, to go back the way the request came by SOAP."""
        key = arrival.partner.signing_key(self._self.signing_key)
        return logout.envelope(self._response(arrival, ended, None), key=key)

    def _is_new(self, accepted: AcceptedLogoutRequest) -> bool:
        key = digest(f"logout {accepted.replay_key}")
        return insert_once(self._session, ReplayEntry, key=key, keep_until=accepted.replay_until)

    def _is_named(self, held: FederatedSession, request: LogoutRequest) -> bool:
        subject = held.subject
        return subject is not None and logout.names(
            request.name_id,
            logout.in_full(subject, idp_entity_id=held.idp_entity_id, sp_entity_id=self._self.entity_id),
        )

    def _response(self, arrival: Arrival, ended: tuple[EndedSession, ...], destination: str | None) -> LogoutResponse:
        """Success only where something really ended."""
        return logout.build_response(
            id=new_id(),
            issuer=self._self.entity_id,
            destination=destination,
            in_response_to=arrival.request.id,
            status=logout.SUCCESS if ended else UNKNOWN,
            now=self._now,
        )
