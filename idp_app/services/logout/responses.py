"""A site says what became of the logout that we asked for (SAML Profiles 4.4.4.2): accepted once, from that site."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from federation.saml.checks import Seen, rule, run
from federation.saml.messages import Received
from federation.saml.profiles import logout
from idp_app.installation import Installation
from idp_app.models import LogoutRun, LogoutStep, StepState
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.logout import contact, runs


@rule("logout.in_response_to", "SAML Profiles 4.4.4.2; SAML Core 3.2.2")
def answers_a_request(step: LogoutStep | None, in_response_to: str | None) -> Seen:
    """It names a request that we sent, in a logout that still goes on."""
    return step is not None, "the ID of a request of ours", in_response_to or "none"


@rule("logout.replay", "SAML Core 1.3.4; SAML Security 6.4.5")
def answer_is_new(step: LogoutStep) -> Seen:
    """Each request of ours is answered once."""
    return step.answered is None, "the first answer", "the first" if step.answered is None else "another one"


def claimed_step(session: Session, *handles: str | None, now: datetime) -> LogoutStep | None:
    """The step that a message claims to belong to, by InResponseTo or RelayState: unverified, only to look it up."""
    for handle in handles:
        step = session.get(LogoutStep, handle, with_for_update=True, populate_existing=True) if handle else None
        if step is not None and session.get_one(LogoutRun, step.run_key).expires > now:
            return step
    return None


def arrive(session: Session, received: Received, installation: Installation, act: Act) -> LogoutRun:
    """Accept a LogoutResponse, note what it says, and answer the run that it belongs to.

    Raises `Malformed`, or `Refused` with every check made.
    """
    in_response_to = logout.in_response_to_of(received)
    step = claimed_step(session, in_response_to, now=act.now)
    checks = run((answers_a_request,), (), step, in_response_to)
    assert step is not None
    partner = installation.partners.by_id(session, step.connection_id)
    expected = contact.expectations(step.id, partner, installation, act.now)
    accepted = logout.accept_response(received, expected, algorithms=partner.algorithms)
    checks = run((answer_is_new,), (*checks, *accepted.checks), step)
    state = contact.state_of(accepted)
    step.answered = act.now
    runs.settle(session, step.id, state, only=runs.OUTSTANDING)
    audit.record(
        session,
        "logout.told",
        act,
        entity_id=partner.entity_id,
        request_id=step.id,
        response_id=accepted.response.id,
        checks=checks,
        detail={"state": state.value},
    )
    return session.get_one(LogoutRun, step.run_key)


def distrust(session: Session, step: LogoutStep) -> None:
    """Note that what came as this site's answer did not pass: only this step is marked, and the rest goes on."""
    runs.settle(session, step.id, StepState.REFUSED, only=(StepState.ASKED,))
