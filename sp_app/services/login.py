"""Signing in: what is remembered between the request and the response, and what an accepted response leads to.

    start     remember the request on the server, under a handle that travels as RelayState and opens nothing by itself
    finish    the browser that began it is back with a response: verify, take the remembered request once, note the
              assertion as used, find or make the account, open the session

Between the two a person may open more tabs, press Back, or leave the page open overnight. The cookie therefore names
the browser and not the request: one browser has as many remembered requests as it likes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.http import BackChannel
from federation.saml.bindings import artifact
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check
from federation.saml.identifiers import new_id
from federation.saml.messages import AuthnRequest, Received, RequestedAuthnContext
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from federation.saml.profiles import sso_request, sso_response
from federation.storage.base import table_of
from sp_app.accounts import AccountStore
from sp_app.models import IdPConnection, PendingRequest, ReplayEntry
from sp_app.models.once import insert_once
from sp_app.services import artifacts, binding, connections, identity, late_sessions, offers, options, sessions
from sp_app.services.arrivals import Arrived, Expected, Visitor, require_same_account, unsolicited
from sp_app.services.artifacts import Reference
from sp_app.services.handles import may_be_handle, new_handle
from sp_app.services.interruptions import (
    AlreadyUsed,
    NoIdentityProvider,
    NotExpected,
    OtherBrowser,
    SeveralIdentityProviders,
    TooLate,
    UnknownIdentityProvider,
)
from sp_app.services.linking import Linking
from sp_app.services.ourselves import Limits, Self
from sp_app.services.partners import Partner, Partners, require_state
from sp_app.services.sessions import digest
from sp_app.services.wishes import Wish

# Statements of the hot path are made once: building one costs as much as running it.
_REMEMBERED: Final = (
    select(PendingRequest, IdPConnection)
    .outerjoin(IdPConnection, IdPConnection.id == PendingRequest.connection_id)
    .where(PendingRequest.handle_hash == bindparam("handle"))
)
_PENDING: Final = table_of(PendingRequest)
_TAKE: Final = (
    update(_PENDING)
    .where(_PENDING.c.handle_hash == bindparam("handle"), _PENDING.c.consumed_at.is_(None))
    .values(consumed_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class Departure:
    """A sign-in has begun. `message` is where, or the form with which, the browser leaves; `browser` its cookie."""

    message: str | PostForm
    browser: str
    partner: Partner


@dataclass(frozen=True, slots=True)
class Success:
    """A sign-in has succeeded: who it is, which session began, and where the person was going.

    `answered` is the request of ours, which the audit trail describes: while it is held here, it is not read again.
    """

    session: sessions.OpenedSession
    target: str
    idp_entity_id: str
    response_id: str
    checks: tuple[Check, ...] = ()
    answered: PendingRequest | None = None


class Login:
    """The use case, for one request."""

    def __init__(
        self,
        *,
        session: Session,
        accounts: AccountStore,
        partners: Partners,
        ourselves: Self,
        limits: Limits,
        channel: BackChannel,
        now: datetime,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        self._session = session
        self._accounts = accounts
        self._partners = partners
        self._self = ourselves
        self._limits = limits
        self._channel = channel
        self._now = now
        self._random = random

    # -- start --------------------------------------------------------------------------------------------------------

    def start(self, wish: Wish, *, idp_entity_id: str | None, browser: str | None) -> Departure:
        """Begin a sign-in as it is wanted.

        `browser` is the value of the browser's binding cookie, if it has one. Raises `NoIdentityProvider`,
        `SeveralIdentityProviders`, and `PolicyRefusal` for a connection that may not be used now.
        """
        partner = self._choose(idp_entity_id)
        endpoint, role = _single_sign_on(partner), partner.entity.idp
        assert role is not None
        request = sso_request.build(
            id=new_id(self._random),
            issuer=self._self.entity_id,
            destination=endpoint.location,
            acs_url=self._self.acs_url,
            protocol_binding=options.answers_by(role, partner.response_binding),
            now=self._now,
            force_authn=wish.force_authn,
            is_passive=wish.is_passive,
            name_id_policy=self._self.name_id_policy,
            requested_authn_context=_context(wish.class_refs),
        )
        handle = new_handle()
        browser = binding.own(browser)
        self._session.add(
            PendingRequest(
                handle_hash=digest(handle),
                request_id=request.id,
                connection_id=partner.connection_id,
                binding_hash=digest(browser),
                target=wish.target,
                force_authn=wish.force_authn,
                is_passive=wish.is_passive,
                class_refs=list(wish.class_refs),
                issued_at=self._now,
                expires_at=self._now + self._limits.window,
            )
        )
        return Departure(message=self._sent(request, endpoint, partner, handle), browser=browser, partner=partner)

    def _sent(self, request: AuthnRequest, endpoint: Endpoint, partner: Partner, handle: str) -> str | PostForm:
        """The request for the browser to carry: itself, or a reference to it."""
        key = partner.signing_key(self._self.signing_key)
        if endpoint.binding != Binding.ARTIFACT:
            return sso_request.send(request, binding=endpoint.binding, key=key, relay_state=handle)
        document = sso_request.signed(request, key=key)
        made = artifacts.hold(self._session, partner, document, issuer=self._self.entity_id, now=self._now)
        return artifact.encode_url(made, destination=endpoint.location, relay_state=handle)

    def wish_of(self, handle: str | None) -> Wish | None:
        """What a remembered request was for, whatever became of it; to begin again with the same aim.

        The handle is all it takes, so the answer must not be shown, only led to after signing in. Whoever begins again
        wants to sign in: this time they may be asked.
        """
        remembered = self._remembered(handle)
        if remembered is None:
            return None
        pending = remembered[0]
        return Wish(pending.target, force_authn=pending.force_authn, class_refs=tuple(pending.class_refs))

    def passive_target(self, handle: str | None, browser: str | None) -> str | None:
        """Where a remembered request of this browser was to end, if nobody was to be asked in it; otherwise None."""
        remembered = self._remembered(handle)
        if remembered is None or not remembered[0].is_passive or not binding.began(browser, remembered[0].binding_hash):
            return None
        return remembered[0].target

    def partner_of(self, handle: str | None) -> Partner | None:
        """The identity provider that a remembered request went to, where it may be used now: for a page that helps."""
        remembered = self._remembered(handle)
        try:
            return self._partner(*remembered) if remembered is not None else None
        except PolicyRefusal:
            return None

    def _partner(self, pending: PendingRequest | None, connection: IdPConnection | None) -> Partner:
        """Whom a remembered request went to, or who is welcome. Raises `PolicyRefusal` when it cannot be used now."""
        if connection is not None or pending is None:
            assert connection is not None  # who is welcome without a request has one
            return self._partners.of(self._session, connection, self._now)
        return self._partners.of_federation(self._session, pending.connection_id, self._now)

    def _choose(self, idp_entity_id: str | None) -> Partner:
        if idp_entity_id is not None:
            partner = self._partners.introduced(self._session, idp_entity_id, self._now)
            if partner is None:
                raise UnknownIdentityProvider(
                    "login.idp_known", "this site has no connection to that identity provider"
                )
            return partner
        choices = connections.active(self._session)
        if len(choices) > 1 or offers.any_is_offered(self._session, self._now):
            raise SeveralIdentityProviders
        if not choices:
            raise NoIdentityProvider(
                "login.idp_connected", "this site has no active connection to an identity provider"
            )
        return self._partners.of(self._session, choices[0], self._now)

    # -- finish -------------------------------------------------------------------------------------------------------

    def finish(self, arrived: Arrived, visitor: Visitor) -> Success:
        """Sign in whom the response is about.

        Raises `Interrupted` and `AlreadyUsed` before the response is even looked at, or fetched; `Malformed`, `Refused`
        (an error status: `sso_response.StatusRefused`) when it is not accepted; `OutgoingError` when it cannot be
        fetched; `PolicyRefusal` when the person may not come in. The transaction is to be rolled back then.
        """
        expected = self._expected(arrived, visitor)
        pending, partner = expected.pending, self._partner(expected.pending, expected.connection)
        received = arrived if isinstance(arrived, Received) else self._fetched(arrived, partner)
        accepted = sso_response.accept(
            received,
            sso_response.ResponseExpectations(
                sp_entity_id=self._self.entity_id,
                acs_url=self._self.acs_url,
                idp=partner.entity,
                request_id=None if pending is None else pending.request_id,
                allow_unsolicited=pending is None,
                now=self._now,
                skew=self._limits.skew,
                decryption_keys=self._self.decryption_keys,
                requested_authn_context=None if pending is None else _context(pending.class_refs),
                force_authn=pending is not None and pending.force_authn,
                request_instant=None if pending is None else pending.issued_at,
                algorithms=partner.algorithms,
            ),
        )
        self._self.watch.note(partner.entity.entity_id, self._now)
        accepted = identity.believed(accepted, idp=partner.entity)
        person = identity.read(
            accepted, idp=partner.entity, kind=partner.identifier, required=self._self.required_attributes
        )
        self._take(expected, accepted)
        if expected.connection is not None:
            require_state(connections.hold(self._session, expected.connection))
        linking = Linking(self._session, self._accounts, idp_entity_id=partner.entity.entity_id, now=self._now)
        account_id = linking.sign_in(person.identifier, person.profile)
        require_same_account(expected, visitor, account_id)
        late_sessions.refuse_ended(
            self._session,
            accepted,
            idp_entity_id=partner.entity.entity_id,
            sp_entity_id=self._self.entity_id,
            now=self._now,
        )
        opened = sessions.open_session(
            self._session,
            account_id=account_id,
            idp_entity_id=partner.entity.entity_id,
            accepted=accepted,
            now=self._now,
            lifetime=self._limits.session,
        )
        return Success(
            opened, expected.target, partner.entity.entity_id, accepted.response.id, accepted.checks, pending
        )

    def _fetched(self, reference: Reference, partner: Partner) -> Received:
        ourselves = self._self
        return artifacts.fetch(
            reference,
            partner,
            self._channel,
            issuer=ourselves.entity_id,
            key=ourselves.signing_key,
            skew=self._limits.skew,
            now=self._now,
        )

    def _remembered(self, handle: str | None) -> tuple[PendingRequest, IdPConnection | None] | None:
        if not may_be_handle(handle):
            return None
        found = self._session.execute(_REMEMBERED, {"handle": digest(handle)}).one_or_none()
        return found if found is None else (found[0], found[1])

    def _expected(self, arrived: Arrived, visitor: Visitor) -> Expected:
        """The request of ours that is answered: in the browser that sent it, in time, for the first time.

        Where none is, the response must be unsolicited, and its connection must allow that.
        """
        remembered, browser = self._remembered(arrived.relay_state), visitor.browser
        if remembered is None:
            welcome = unsolicited(self._session, arrived, visitor)
            if welcome is None:
                raise NotExpected("login.request_known", "no sign-in that began here belongs to this response")
            return welcome
        pending, connection = remembered
        if not binding.began(browser, pending.binding_hash):
            raise OtherBrowser("login.same_browser", "the response came without the cookie of the browser that began")
        if pending.consumed_at is not None:
            raise AlreadyUsed(pending.target)
        if pending.expires_at <= self._now:
            raise TooLate("login.in_time", "the sign-in began too long ago")
        return Expected(connection, pending.target, pending)

    def _take(self, expected: Expected, accepted: sso_response.AcceptedResponse) -> None:
        """Use up the request and the assertion, once: of two identical posts at the same moment one comes through."""
        fresh = expected.pending is None or self._use_up(expected.pending)
        fresh = fresh and insert_once(
            self._session, ReplayEntry, key=digest(accepted.replay_key), keep_until=accepted.replay_until
        )
        if not fresh:
            raise AlreadyUsed(expected.target)

    def _use_up(self, pending: PendingRequest) -> bool:
        taken = self._session.execute(_TAKE, {"handle": pending.handle_hash, "now": self._now})
        return bool(taken.rowcount == 1)  # type: ignore[attr-defined]


def _single_sign_on(partner: Partner) -> Endpoint:
    """Where requests go: by the binding our record prefers, or the other one that we speak.

    One of them is there: metadata without a usable endpoint does not become live (rule `metadata.endpoint.usable`).
    """
    role = partner.entity.idp
    offered = {endpoint.binding: endpoint for endpoint in reversed(role.single_sign_on)} if role is not None else {}
    preferred = options.REQUEST_BINDINGS[partner.request_binding]
    others = options.REQUEST_BINDINGS.values()
    return next(offered[binding] for binding in (preferred, *others) if binding in offered)


def _context(class_refs: Sequence[str]) -> RequestedAuthnContext | None:
    """What a request asks for and its answer has to show: one of these classes, exactly (SDP-SP07)."""
    return RequestedAuthnContext(tuple(class_refs)) if class_refs else None
