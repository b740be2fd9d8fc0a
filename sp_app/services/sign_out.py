"""Signing out, begun by the person: the session here ends first, then the identity provider is asked to end the rest.

start      end the session, remember the sign-out on the server under a handle that travels as RelayState, and ask
finish     the browser is back with the identity provider's answer: accept it once, and keep what it says
outcome    what the last page may truthfully tell

Nothing here runs because somebody was idle: a request is sent when a person asks to be signed out, and never else
(SDP-SP35).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select, update

from federation.errors import PolicyRefusal
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import Received
from federation.saml.metadata.entity import Endpoint
from federation.saml.profiles import logout
from sp_app.models import FederatedSession, SignOut
from sp_app.services import sessions
from sp_app.services.handles import may_be_handle, new_handle
from sp_app.services.logout_partner import LogoutService
from sp_app.services.partners import Partner
from sp_app.services.sessions import EndedSession, digest

WINDOW: Final = timedelta(hours=1)
"""How long the identity provider may take to answer, and for how long the last page can be shown again."""


class Outcome(StrEnum):
    """How far a sign-out went. The session here has ended in every case."""

    ASKED = "asked"
    EVERYWHERE = "everywhere"
    PARTLY = "partly"
    REFUSED = "refused"
    NOT_ASKED = "not-asked"
    HERE = "here"


_OUTCOMES: Final = {"ended": Outcome.EVERYWHERE, "partial": Outcome.PARTLY, "failed": Outcome.REFUSED}


@dataclass(frozen=True, slots=True)
class Leaving:
    """A sign-out has begun. `message` asks the identity provider; without one it ends with the page of `handle`."""

    handle: str
    ended: EndedSession | None
    partner: Partner | None
    message: str | PostForm | None


@dataclass(frozen=True, slots=True)
class Answered:
    """The identity provider has answered. `handle` names the last page from now on."""

    handle: str
    outcome: Outcome
    idp_entity_id: str
    response_id: str
    checks: tuple[Check, ...]


@rule("logout.request_known", "SAML Profiles 4.4.4.2; SAML Core 3.2.2")
def request_known(began: SignOut | None, issuer: str) -> Seen:
    """The response is about a sign-out that began here and asked this very identity provider."""
    ok = began is not None and began.idp_entity_id == issuer
    return ok, "an answer to a request of ours", issuer if began is not None else "an answer to none of ours"


@rule("logout.relay_state", "SAML Bindings 3.4.3, 3.5.3")
def relay_state_returned(began: SignOut, relay_state: str | None) -> Seen:
    """RelayState is the one that went with the request; a partner that drops it has still signed InResponseTo."""
    ok = relay_state is None or digest(relay_state) == began.handle_hash
    return ok, "the RelayState of the request", "another one" if not ok else "it, or none"


@rule("logout.in_time", "SAML Core 3.7.3.2")
def answered_in_time(began: SignOut, now: datetime) -> Seen:
    """The answer comes while it is awaited."""
    ok = now < began.expires_at
    return ok, f"within {WINDOW}", "in time" if ok else "too late"


@rule("logout.answered_once", "SAML Core 3.2.2")
def answered_once(first: bool) -> Seen:
    """The request was not answered before."""
    return first, "the first answer", "the first" if first else "one more"


class SigningOut(LogoutService):
    """The use case, for one request."""

    def start(self, cookie: str | None, *, everywhere: bool = True) -> Leaving:
        """End the session that a cookie names (SDP-SP34), and ask its identity provider unless it is to end here only.

        A session that is over for its age is asked about all the same: this time somebody wants to be signed out.
        """
        held = sessions.known(self._session, cookie) if cookie else None
        ended = sessions.end(self._session, cookie, self._now) if cookie else None
        handle = new_handle()
        if held is None or ended is None:
            return Leaving(handle, None, None, None)
        began = SignOut(
            handle_hash=digest(handle),
            idp_entity_id=held.idp_entity_id,
            began_at=self._now,
            expires_at=self._now + WINDOW,
        )
        self._session.add(began)
        if not everywhere:
            began.outcome = Outcome.HERE
            return Leaving(handle, ended, None, None)
        way = self.way_to_ask(held)
        if way is None:
            began.outcome = Outcome.NOT_ASKED
            return Leaving(handle, ended, None, None)
        return Leaving(handle, ended, way[0], self._ask(held, began, handle, way))

    def way_to_ask(self, held: FederatedSession) -> tuple[Partner, Endpoint] | None:
        """Who can be asked to end a session's siblings, and where; None where nobody can."""
        if held.subject is None:
            return None
        try:
            partner = self._partners.usable_by(self._session, held.idp_entity_id, self._now)
            if partner is not None:
                partner.signing_key(self._self.signing_key)
        except PolicyRefusal:  # paused, its metadata has expired, or it leaves us no algorithm
            return None
        if partner is None:
            return None
        endpoint = logout.asked_at(partner.entity.idp) if partner.entity.idp is not None else None
        return (partner, endpoint) if endpoint is not None else None

    def _ask(
        self, held: FederatedSession, began: SignOut, handle: str, way: tuple[Partner, Endpoint]
    ) -> str | PostForm:
        (partner, endpoint), subject = way, held.subject
        assert subject is not None
        request = logout.build_request(
            id=new_id(),
            issuer=self._self.entity_id,
            destination=endpoint.location,
            name_id=subject,
            session_indexes=[] if held.session_index is None else [held.session_index],
            now=self._now,
        )
        began.request_id = request.id
        key = partner.signing_key(self._self.signing_key)
        return logout.send(request, binding=endpoint.binding, key=key, relay_state=handle)

    def finish(self, received: Received) -> Answered:
        """Accept the identity provider's answer, once.

        Raises `Malformed`, or `Refused` with every check made. The transaction is to be rolled back then.
        """
        issuer = logout.issuer_of(received)
        began = self._awaited(logout.in_response_to_of(received))
        checks = run((request_known,), (), began, issuer)
        assert began is not None
        checks = run((relay_state_returned,), checks, began, received.relay_state)
        checks = run((answered_in_time,), checks, began, self._now)
        partner, expected, checks = self._sender(issuer, checks, request_id=began.request_id)
        accepted = logout.accept_response(received, expected, algorithms=partner.algorithms)
        outcome = _OUTCOMES[accepted.outcome]
        handle = new_handle()
        first = self._take(began, outcome=outcome, handle_hash=digest(handle))
        checks = run((answered_once,), (*checks, *accepted.checks), first)
        return Answered(handle, outcome, issuer, accepted.response.id, checks)

    def outcome(self, handle: str | None) -> SignOut | None:
        """What is known about the sign-out that a handle names."""
        if not may_be_handle(handle):
            return None
        began = self._session.get(SignOut, digest(handle))
        return began if began is not None and began.expires_at > self._now else None

    def _awaited(self, request_id: str | None) -> SignOut | None:
        if request_id is None:
            return None
        return self._session.scalars(select(SignOut).where(SignOut.request_id == request_id)).one_or_none()

    def _take(self, began: SignOut, **answer: Any) -> bool:
        """Note the answer; of two at the same moment one comes through."""
        taken = self._session.execute(
            update(SignOut)
            .where(SignOut.handle_hash == began.handle_hash, SignOut.answered_at.is_(None))
            .values(answered_at=self._now, **answer)
            .execution_options(synchronize_session=False)
        )
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]
