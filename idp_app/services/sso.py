"""Single sign-on: from a message to a question we may answer, and from a question to what happens next.

arrive     the request is from a connected partner and passes every check of the profile
answer     an assertion, an error that the partner is told, or something only a person can settle
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from federation.audiences import eligibility
from federation.errors import PolicyRefusal
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.messages import Received, Status
from federation.saml.names import StatusCode
from federation.saml.profiles import authn_context, sso_request
from idp_app.installation import Installation
from idp_app.models import ConnectionState
from idp_app.services import answers, release
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.questions import Question, Waiting, digest_of
from idp_app.services.sessions import SignedIn


@dataclass(frozen=True, slots=True)
class Arrival:
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
class Denied:
    """The person may not use this partner. `reason` is one plain sentence for them."""

    partner: LiveConnection
    waiting: Waiting
    reason: str


Outcome = PostForm | SignInNeeded | Denied

LEVELS = authn_context.DEFAULT
STRONGEST = LEVELS.position(authn_context.PASSWORD)
"""The strongest way of signing in that this site has. A session's `method` is the name of its level."""

REQUEST_DENIED = Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED, "This person may not use this service.")
CANCELLED = Status(StatusCode.RESPONDER, StatusCode.AUTHN_FAILED, "The person cancelled the sign-in.")
NO_PASSIVE = Status(StatusCode.RESPONDER, StatusCode.NO_PASSIVE, "Nobody can be identified without a page.")
NO_AUTHN_CONTEXT = Status(
    StatusCode.RESPONDER, StatusCode.NO_AUTHN_CONTEXT, "No way of signing in meets the requested context."
)
NO_SUCH_SUBJECT = Status(
    StatusCode.RESPONDER, StatusCode.REQUEST_UNSUPPORTED, "Requests that name their subject are not supported."
)


@rule("request.partner", "SAML Profiles 4.1.4.1; SDP-MD01")
def partner_is_connected(partner: LiveConnection | None, issuer: str) -> Seen:
    """The issuer is one of our connections, which was not ended."""
    connected = partner is not None and partner.state is not ConnectionState.DISCONNECTED
    return Seen(connected, "an entityID that is connected", issuer)


def arrive(session: Session, received: Received, installation: Installation, now: datetime) -> Arrival:
    """Accept an AuthnRequest. Raises `Malformed` or `Refused` with every check made."""
    issuer = sso_request.issuer_of(received)
    partner = installation.partners.by_entity_id(session, issuer)
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
    )
    question = Question.of(accepted.request, acs_url=accepted.acs.location, relay_state=received.relay_state)
    return Arrival(partner, question, digest_of(received), (*checks, *accepted.checks))


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
    error = _unanswerable(question)
    if error is None and not _is_authenticated(waiting, signed_in):
        if not question.is_passive:
            return SignInNeeded(partner, waiting)
        error = NO_PASSIVE
    if error is not None or signed_in is None:
        return answers.error(session, installation, partner, question, error or NO_PASSIVE, act, checks=checks)
    class_ref = authn_context.answer(question.authn_context, reached=LEVELS.position(signed_in.method))
    if class_ref is None:
        return answers.error(session, installation, partner, question, NO_AUTHN_CONTEXT, act, checks=checks)
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
        return Denied(partner, waiting, decision.reason)
    return answers.assertion(
        session, installation, partner, question, signed_in, memberships.groups, class_ref, act, checks=checks
    )


def require_partner(partner: LiveConnection, question: Question, now: datetime) -> None:
    """Whether the partner may be sent anything, at the address that was remembered. Raises `PolicyRefusal`.

    Between the request and the answer lies a sign-in: the connection may have changed meanwhile.
    """
    known = any(endpoint.location == question.acs_url for endpoint in partner.sp.assertion_consumer)
    if partner.state is ConnectionState.DISCONNECTED or not partner.usable(now) or not known:
        raise PolicyRefusal("connection.changed", f"the connection to {partner.name} changed during the sign-in")
    if partner.has_unusable_keys:
        raise PolicyRefusal("connection.encryption", f"{partner.name} has no encryption key that we can use")


def _unanswerable(question: Question) -> Status | None:
    """What no sign-in could change."""
    if question.has_subject:
        return NO_SUCH_SUBJECT
    needed = authn_context.needed(question.authn_context)
    if needed is None or needed > STRONGEST:
        return NO_AUTHN_CONTEXT
    return None


def _is_authenticated(waiting: Waiting, signed_in: SignedIn | None) -> bool:
    """ForceAuthn means proof of presence after the request came (SAML Core 3.4.1; SDP-IDP07)."""
    if signed_in is None:
        return False
    return not waiting.question.force_authn or signed_in.authn_instant >= waiting.received
