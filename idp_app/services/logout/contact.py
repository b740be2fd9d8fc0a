"""Speaking to sites directly: telling them by SOAP, and looking whether those that the browser goes to are there.

A run is prepared in one transaction, the sites are spoken to without any, all at the same time, and what came of it is
recorded in another. Each exchange has a limit of its own, so the slowest site bounds the whole.

A site whose SOAP address we cannot reach is told by the browser where its metadata offers that: the address may be one
that only its own network opens. We look whether the browser's address is there first, as for every site.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Final

import httpx
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal, ProtocolError, Refused
from federation.http import BackChannel, Client, Forbidden, Policy, Unreachable
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.bindings import soap
from federation.saml.checks import Check
from federation.saml.messages import LogoutRequest, NameID
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import logout
from federation.saml.profiles.logout import AcceptedLogoutResponse
from federation.saml.profiles.logout_rules import LogoutExpectations
from federation.saml.signature import SigningKey
from idp_app.installation import Installation
from idp_app.models import ConnectionState, LogoutRun, LogoutStep, StepState
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection
from idp_app.services.logout import runs

AT_ONCE: Final = 8
_SPARE_S: Final = 1.0
"""How much longer than its limit an exchange is waited for: looking a name up has no limit of its own."""


@dataclass(frozen=True, slots=True)
class Call:
    """One site to speak to. With an envelope it is told; without one we only look whether it is there.

    `by_browser` is where the person's browser would go, if it can: what our own policy on addresses forbids us, and a
    name for which we know no address, may be open to it.
    """

    step_id: str
    entity_id: str
    url: str
    seconds: float
    by_browser: str | None
    envelope: bytes | None = None
    expected: LogoutExpectations | None = None
    algorithms: Algorithms = DEFAULT_ALGORITHMS


@dataclass(frozen=True, slots=True)
class Spoken:
    """What came of a call. `reason` and `checks` are for the audit trail."""

    call: Call
    state: StepState
    reason: str = ""
    checks: tuple[Check, ...] = field(default=())


def way(partner: LiveConnection, now: datetime, *, by_browser: bool) -> Endpoint | None:
    """Where and by which binding a site is told; None when its metadata offers nothing that can be used.

    Through the browser it is Redirect before POST (SDP-IDP24), by SOAP only what the connection says; without a browser
    there is only SOAP.
    """
    if partner.state is ConnectionState.DISCONNECTED or not partner.usable(now):
        return None
    soap_endpoint = next((each for each in partner.sp.single_logout if each.binding == Binding.SOAP), None)
    if not by_browser:
        return soap_endpoint
    if soap_endpoint is not None and partner.takes_logout_by_soap:
        return soap_endpoint
    return logout.asked_at(partner.sp)


def signer(partner: LiveConnection, installation: Installation) -> SigningKey | None:
    """Our key for messages to a site; None when nothing that we can sign with is allowed for it."""
    try:
        return partner.signing_key(installation.keys)
    except PolicyRefusal:
        return None


def request_of(step: LogoutStep, destination: str, installation: Installation, *, now: datetime) -> LogoutRequest:
    """Our LogoutRequest to a site: the NameID exactly as it was issued, and never encrypted (SDP-IDP27)."""
    return logout.build_request(
        id=step.id,
        issuer=installation.settings.own_entity_id,
        destination=destination,
        name_id=NameID(**step.name_id),
        session_indexes=step.session_indexes,
        now=now,
    )


def expectations(
    step_id: str, partner: LiveConnection, installation: Installation, now: datetime
) -> LogoutExpectations:
    """What the answer to a step's request is held against."""
    settings = installation.settings
    return LogoutExpectations(
        destination=settings.slo_url,
        partner=partner.entity,
        role=partner.sp,
        now=now,
        request_id=step_id,
        skew=settings.clock_skew,
    )


def prepare(session: Session, run: LogoutRun, installation: Installation, now: datetime) -> list[Call]:
    """The calls that a run begins with, once: whoever comes second finds it contacted, and gets none."""
    if run.contacted is not None:
        return []
    run.contacted = now
    settings = installation.settings
    calls = []
    for step in runs.steps_of(session, run):
        partner = installation.partners.by_id(session, step.connection_id)
        endpoint = way(partner, now, by_browser=run.by_browser)
        in_browser = logout.asked_at(partner.sp) if run.by_browser else None
        key = signer(partner, installation)
        if endpoint is None or key is None or not step.name_id["value"]:
            runs.settle(session, step.id, StepState.IMPOSSIBLE)
        elif endpoint.binding == Binding.SOAP:
            runs.ask(session, step.id, Binding.SOAP, now + settings.logout_timeout)
            request = request_of(step, endpoint.location, installation, now=now)
            calls.append(
                Call(
                    step.id,
                    partner.entity_id,
                    endpoint.location,
                    settings.logout_timeout.total_seconds(),
                    by_browser=in_browser.location if in_browser is not None else None,
                    envelope=logout.envelope(request, key=key),
                    expected=expectations(step.id, partner, installation, now),
                    algorithms=partner.algorithms,
                )
            )
        elif settings.logout_look:
            seconds = settings.logout_look.total_seconds()
            calls.append(Call(step.id, partner.entity_id, endpoint.location, seconds, by_browser=endpoint.location))
    return calls


def make(calls: Sequence[Call], installation: Installation) -> list[Spoken]:
    """Speak to the sites, all at the same time. No transaction may be open meanwhile."""
    if not calls:
        return []
    settings = installation.settings
    policy = Policy(allow_loopback=settings.allow_http_loopback, networks=settings.private_networks)
    context = httpx.create_ssl_context()
    look_s = settings.logout_look.total_seconds()
    pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="logout")
    try:
        begun: dict[Future[Spoken], Call] = {}
        for call in calls:
            bounds: dict[str, Any] = {"ssl_context": context, "transport": installation.transport}
            look = partial(_look, call, partial(Client, policy, timeout=look_s, **bounds), look_s)
            if call.envelope is None:
                begun[pool.submit(look)] = call
            else:
                channel = BackChannel(policy, timeout=call.seconds, **bounds)
                begun[pool.submit(_tell, call, channel, installation.clock, look if look_s else None)] = call
        rounds = -(-len(calls) // AT_ONCE)
        wait(begun, timeout=rounds * (max(call.seconds for call in calls) + look_s) + _SPARE_S)
        return [
            future.result() if future.done() else _unreached(call, "its name cannot be looked up")
            for future, call in begun.items()
        ]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def record(session: Session, spoken: Sequence[Spoken], act: Act) -> None:
    """Note what came of the calls."""
    for each in spoken:
        if each.call.envelope is not None or each.state is not StepState.WAITING:
            runs.settle(session, each.call.step_id, each.state, only=runs.OUTSTANDING)
        if each.state is not StepState.WAITING:
            audit.record(
                session,
                "logout.told" if each.call.envelope is not None else "logout.unreachable",
                act,
                entity_id=each.call.entity_id,
                request_id=each.call.step_id,
                checks=each.checks,
                detail={"state": each.state.value, "reason": each.reason},
            )


def state_of(accepted: AcceptedLogoutResponse) -> StepState:
    """What a site says has happened (SAML Core 3.7.3.2)."""
    if accepted.outcome == "failed" and accepted.response.status.second_level == StatusCode.UNKNOWN_PRINCIPAL:
        return StepState.UNKNOWN
    return StepState(accepted.outcome)


def _unreached(call: Call, reason: str) -> Spoken:
    """We cannot get there; the person's browser may be on a network that can."""
    return Spoken(call, StepState.WAITING if call.by_browser else StepState.UNREACHABLE, reason)


def _tell(call: Call, channel: BackChannel, clock: Callable[[], datetime], look: Callable[[], Spoken] | None) -> Spoken:
    """Send our request by SOAP (SAML Bindings 3.2) and judge the answer.

    What certainly did not arrive is left to the browser, which goes where `look` finds somebody.
    """
    assert call.envelope is not None, "whoever is told, is sent something"
    assert call.expected is not None, "whoever is told, is expected to answer"
    try:
        received = soap.decode(channel.exchange(call.url, call.envelope))
        accepted = logout.accept_response(received, replace(call.expected, now=clock()), algorithms=call.algorithms)
    except Forbidden as error:
        return _unreached(call, error.message)
    except Unreachable as error:
        if error.sent:
            return Spoken(call, StepState.UNANSWERED, error.message)
        return look() if call.by_browser and look is not None else _unreached(call, error.message)
    except ProtocolError as error:
        checks = error.checks if isinstance(error, Refused) else ()
        return Spoken(call, StepState.REFUSED, error.message, checks)
    return Spoken(call, state_of(accepted), "", accepted.checks)


def _look(call: Call, connect: Callable[[], Client], seconds: float) -> Spoken:
    """Is anybody there? Any answer will do; OPTIONS asks for nothing that a site would act upon."""
    assert call.by_browser is not None, "we look where a browser would go"
    started = time.monotonic()
    try:
        with connect() as client:
            client.request("OPTIONS", call.by_browser)
    except Unreachable as error:
        if error.unresolved:
            return Spoken(call, StepState.WAITING)  # the person's browser may be on a network that knows the name
        if not error.sent or time.monotonic() - started >= seconds:
            return Spoken(call, StepState.UNREACHABLE, error.message)
    except Forbidden:
        pass  # our own policy keeps us from looking, not the person's browser from going there
    return Spoken(call, StepState.WAITING)
