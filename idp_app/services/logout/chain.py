"""What comes next in a logout that the person's browser carries: a site to go to, or the end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from federation.saml.bindings.post import PostForm
from federation.saml.messages import Status
from federation.saml.names import Binding
from federation.saml.profiles import logout
from idp_app.installation import Installation
from idp_app.models import ConnectionState, LogoutRun, LogoutStep, StepState
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.logout import contact, requests, runs
from idp_app.services.logout.runs import Site


@dataclass(frozen=True, slots=True)
class Go:
    """The browser carries a message to a partner: on to the next site, or back to the one that asked."""

    partner: LiveConnection
    message: str | PostForm
    finished: bool


@dataclass(frozen=True, slots=True)
class Wait:
    """A site is being asked, in another tab or by another process, and still has time to answer."""

    partner: LiveConnection


@dataclass(frozen=True, slots=True)
class End:
    """Nothing is left to do, and nobody wants an answer: the person sees the last page."""


Move = Go | Wait | End


def next_move(session: Session, run: LogoutRun, installation: Installation, act: Act, *, skip: bool = False) -> Move:
    """Decide, and note what was decided.

    `skip`: the browser came back without an answer from the site that it was sent to, so the next one is told. It is
    also passed over once its time is up, whoever asks.
    """
    if run.finished is not None:
        return End()
    for step in runs.steps_of(session, run):
        if step.state is StepState.ASKED and not _given_up(session, step, act.now, skip=skip):
            return Wait(installation.partners.by_id(session, step.connection_id))
    for step in runs.steps_of(session, run):
        if step.state is StepState.WAITING:
            go = _ask(session, step, installation, act.now)
            if go is not None:
                return go
    return _finish(session, run, installation, act)


def status_of(steps: Iterable[LogoutStep | Site]) -> Status:
    """The truth about a logout (SDP-IDP31): everything ended, or not."""
    return logout.SUCCESS if all(step.state is StepState.ENDED for step in steps) else logout.PARTIAL


def answer(session: Session, run: LogoutRun, installation: Installation, now: datetime) -> Go | None:
    """The answer for the partner that asked; None where nobody asked, wants an answer, or can be given one."""
    if run.requester_id is None or run.request_id is None or run.asynchronous:
        return None
    partner = installation.partners.by_id(session, run.requester_id)
    unusable = partner.state is ConnectionState.DISCONNECTED or not partner.usable(now)
    if unusable or contact.signer(partner, installation) is None:
        return None
    status = status_of(runs.steps_of(session, run))
    message = requests.answer(partner, run.request_id, status, installation, relay_state=run.relay_state, now=now)
    return None if message is None else Go(partner, message, finished=True)


def _given_up(session: Session, step: LogoutStep, now: datetime, *, skip: bool) -> bool:
    in_time = step.until is not None and now < step.until
    if in_time and not (skip and step.binding != Binding.SOAP):
        return False
    return runs.settle(session, step.id, StepState.UNANSWERED, only=(StepState.ASKED,))


def _ask(session: Session, step: LogoutStep, installation: Installation, now: datetime) -> Go | None:
    """Send the browser to a site. None when there is no way, or somebody else asks it already."""
    partner = installation.partners.by_id(session, step.connection_id)
    endpoint = logout.asked_at(partner.sp)
    key = contact.signer(partner, installation)
    gone = contact.way(partner, now, by_browser=True) is None
    if endpoint is None or key is None or gone or not step.name_id["value"]:
        runs.settle(session, step.id, StepState.IMPOSSIBLE)
        return None
    if not runs.ask(session, step.id, endpoint.binding, now + installation.settings.logout_timeout):
        return None
    message = logout.send(
        contact.request_of(step, endpoint.location, installation, now=now),
        binding=endpoint.binding,
        key=key,
        relay_state=step.id,
    )
    return Go(partner, message, finished=False)


def _finish(session: Session, run: LogoutRun, installation: Installation, act: Act) -> Move:
    """The end: once for each run, whoever gets there first; who comes later sees the last page."""
    run.finished = act.now
    found = runs.sites(session, run)
    audit.record(
        session,
        "logout.finished",
        act,
        person_id=run.person_id,
        request_id=run.request_id,
        detail={"begun_under": run.reference, "sites": {site.name: site.state.value for site in found}},
    )
    back = answer(session, run, installation, act.now) if run.by_browser else None
    return back or End()
