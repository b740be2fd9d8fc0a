"""Single sign-on: from a message to a question we may answer, and from a question to what happens next.

arrive     the request is from a connected partner and passes every check of the profile
answer     an assertion, an error that the partner is told, or something only a person can settle
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from federation.audiences import eligibility
from federation.errors import PolicyRefusal
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.messages import Received, Status
from federation.saml.names import StatusCode
from federation.saml.profiles import sso_request, unsolicited
from idp_app.installation import Installation
from idp_app.models import ConnectionState
from idp_app.services import answers, release, second_factor
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.methods import Methods, Missing
from idp_app.services.questions import Question, Waiting, digest_of, hold
from idp_app.services.sessions import SignedIn


class Arrival(NamedTuple):
    """An accepted request: whose it is, what it asks, what tells it apart, and the checks it passed."""

    partner: LiveConnection
    question: Question
    digest: bytes
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class SignInNeeded:
    """The person has to sign in first, or again."""

    partner: LiveConnection
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class SecondFactorNeeded:
    """The person is signed in, and has to add a second factor."""

    partner: LiveConnection
    waiting: Waiting


@dataclass(frozen=True, slots=True)
class Denied:
    """The person may not use this partner. `reason` is one plain sentence for them."""

    partner: LiveConnection
    waiting: Waiting
    reason: str


Outcome = PostForm | SignInNeeded | SecondFactorNeeded | Denied
"""A form for the browser to carry, or what a person settles."""

REQUEST_DENIED = Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED, "This person may not use this service.")
CANCELLED = Status(StatusCode.RESPONDER, StatusCode.AUTHN_FAILED, "The person cancelled the sign-in.")
NO_PASSIVE = Status(StatusCode.RESPONDER, StatusCode.NO_PASSIVE, "Nobody can be identified without a page.")
NO_AUTHN_CONTEXT = Status(
    StatusCode.RESPONDER, StatusCode.NO_AUTHN_CONTEXT, "No way of signing in meets the requested context."
)


@rule("request.partner", "SAML Profiles 4.1.4.1; SDP-MD01")
def partner_is_connected(partner: LiveConnection | None, issuer: str) -> Seen:
    """The issuer is one of our connections, which was not ended."""
    connected = partner is not None and not partner.state.over
    return connected, "an entityID that is connected", issuer


def arrive(
    session: Session,
    received: Received,
    installation: Installation,
    now: datetime,
    *,
    sender: LiveConnection | None = None,
) -> Arrival:
    """Accept an AuthnRequest. `sender` is the partner that it was fetched from, if it was: no other may be its issuer.

    Raises `Malformed` or `Refused` with every check made.
    """
    issuer = sso_request.issuer_of(received)
    partner = sender or installation.partners.introduced(session, issuer)
    checks = run((partner_is_connected,), (), partner, issuer)
    assert partner is not None
    settings = installation.settings
    accepted = sso_request.accept(
        received,
        expected_destination=settings.sso_url,
        idp_entity_id=settings.own_entity_id,
        partner=partner.entity,
        now=now,
        skew=settings.clock_skew,
        answer_bindings=partner.answer_bindings,
        decryption_keys=lambda: installation.keys.decryption,
        algorithms=partner.algorithms,
    )
    question = Question.of(accepted.request, acs=accepted.acs, relay_state=received.relay_state)
    return Arrival(partner, question, digest_of(received), (*checks, *accepted.checks))


def start(session: Session, asked: unsolicited.Start, installation: Installation, now: datetime) -> Arrival:
    """Accept a link that asks for an unsolicited response. Raises `Refused` with every check made."""
    partner = installation.partners.by_entity_id(session, asked.entity_id)
    checks = run((partner_is_connected,), (), partner, asked.entity_id)
    assert partner is not None
    acs, made = unsolicited.accept(
        asked,
        partner=partner.entity,
        now=now,
        answer_bindings=partner.answer_bindings,
        skew=installation.settings.clock_skew,
    )
    question = Question(None, acs.location, acs.binding, asked.relay_state)
    return Arrival(partner, question, b"", (*checks, *made))


def answer(
    session: Session,
    installation: Installation,
    partner: LiveConnection,
    waiting: Waiting,
    signed_in: SignedIn | None,
    act: Act,
    *,
    checks: tuple[Check, ...] = (),
) -> Outcome:
    """Decide what happens to a question. Records what is sent in the audit trail, in the caller's transaction.

    Raises `PolicyRefusal` when nothing may be sent to the partner at all any more.
    """
    question = waiting.question
    require_partner(partner, question, act.now)
    methods, requested, since = installation.methods, question.authn_context, waiting.fresh_since
    needed = methods.needed(requested)
    error = None if needed is not None else NO_AUTHN_CONTEXT
    missing = methods.missing(needed, signed_in, since=since)
    if error is None and missing is not None:
        if not question.is_passive:
            step = SignInNeeded if missing is Missing.PASSWORD else SecondFactorNeeded
            return step(partner, hold(session, waiting))
        error = _without_a_page(session, missing, signed_in)
    if error is not None or signed_in is None:
        return answers.error(session, installation, partner, question, error or NO_PASSIVE, act, checks=checks)
    stated = methods.stated(requested, signed_in, since=since)
    if stated is None:
        return answers.error(session, installation, partner, question, NO_AUTHN_CONTEXT, act, checks=checks)
    class_ref, signed_in = stated
    memberships = release.memberships_of(session, signed_in.person_id)
    decision = eligibility.decide(
        guest=signed_in.guest,
        suspended=False,  # a suspended person has no live session
        person_audiences=memberships.audiences,
        connection_audiences=partner.audiences,
        connection_active=partner.state is ConnectionState.ACTIVE,
    )
    if not decision.allowed:
        if question.is_passive:
            return answers.error(session, installation, partner, question, REQUEST_DENIED, act, checks=checks)
        answers.record_denial(session, partner, question, signed_in, decision, act, checks=checks)
        return Denied(partner, hold(session, waiting), decision.reason)
    return answers.assertion(
        session, installation, partner, question, signed_in, memberships.groups, class_ref, act, checks=checks
    )


def require_partner(partner: LiveConnection, question: Question, now: datetime) -> None:
    """Whether the partner may be sent anything, at the address that was remembered. Raises `PolicyRefusal`.

    Between the request and the answer lies a sign-in: the connection may have changed meanwhile.
    """
    known = any(
        each.location == question.acs_url and each.binding == question.acs_binding
        for each in partner.sp.assertion_consumer
    )
    if partner.state.over or not partner.usable(now) or not known:
        raise PolicyRefusal("connection.changed", f"the connection to {partner.name} changed during the sign-in")
    if partner.has_unusable_keys:
        raise PolicyRefusal("connection.encryption", f"{partner.name} has no encryption key that we can use")


def missing_for(waiting: Waiting, signed_in: SignedIn | None, methods: Methods) -> Missing | None:
    """What a person has still to do before the question can be answered."""
    return methods.missing(methods.needed(waiting.question.authn_context), signed_in, since=waiting.fresh_since)


def _without_a_page(session: Session, missing: Missing, signed_in: SignedIn | None) -> Status:
    """What a passive request is told: who has no second factor could not meet it on a page either."""
    if missing is Missing.SECOND_FACTOR and signed_in is not None:
        return NO_PASSIVE if second_factor.of(session, signed_in.person_id) is not None else NO_AUTHN_CONTEXT
    return NO_PASSIVE
