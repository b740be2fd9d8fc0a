"""Single logout: requests and answers come by the person's browser or by SOAP, and the browser is sent on."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import FederationError, Malformed, PolicyRefusal, ProtocolError
from federation.saml.bindings.parameters import RELAY_STATE, RESPONSE
from federation.saml.messages import Received
from federation.saml.profiles import logout as profile
from federation.web import page, saml
from federation.web.cookies import SESSION
from federation.web.problems import Problem, respond
from federation.web.transactions import commit_so_far, instead
from idp_app.composition import record_refusal
from idp_app.models import LogoutRun
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.logout import chain, contact, ending, requests, responses, runs
from idp_app.services.logout.requests import Arrival

_LOOK_AGAIN_S: Final = 3
NOT_HERE: Final = Problem(
    404,
    "There is nothing to finish here",
    "This sign-out is over, or it began in another browser.",
    "To be sure that you are signed out everywhere, close the browser.",
)


@view_config(route_name="idp.slo", request_method="GET")
def by_redirect(request: Request) -> Response:
    """A message by HTTP-Redirect."""
    return _by_browser(request)


@view_config(route_name="idp.slo", request_method="POST")
def by_post(request: Request) -> Response:
    """A message by HTTP-POST, or a request by SOAP: the media type tells them apart."""
    return _by_soap(request) if saml.is_soap(request) else _by_browser(request)


@view_config(route_name="idp.logout", request_method="GET")
def proceed(request: Request) -> Response:
    """Go on with a logout: at its beginning, after a site did not answer, at a reload, by a link."""
    idp, now = request.idp, request.federation.now
    try:
        run = runs.claim(idp.session, request.matchdict["key"], browser_hash=idp.browser_hash, now=now)
    except PolicyRefusal:
        return respond(request, NOT_HERE)
    if run.finished is not None:
        back = chain.answer(idp.session, run, idp.installation, now) if "return" in request.GET else None
        return _go(request, back) if back is not None else _last_page(request, run)
    calls = contact.prepare(idp.session, run, idp.installation, now)
    if calls:
        commit_so_far(request)
        contact.record(idp.session, contact.make(calls, idp.installation), _act(request))
        run = runs.claim(idp.session, run.key, browser_hash=idp.browser_hash, now=now)
    return _go_on(request, run, skip="wait" not in request.GET)


def _by_browser(request: Request) -> Response:
    try:
        received = saml.receive(request)
    except Malformed as error:
        return _distrust(request, error, request.params.get(RELAY_STATE))
    return _answered(request, received) if received.parameter == RESPONSE else _asked(request, received)


def _asked(request: Request, received: Received) -> Response:
    """End the sessions that a site names; then the other sites are told, and at last the one that asked."""
    idp = request.idp
    arrival = requests.arrive(idp.session, received, idp.installation, request.federation.now)
    here, act = idp.signed_in, idp.act
    ended = requests.end(idp.session, arrival, idp.installation, act)
    run = runs.begin(
        idp.session,
        ended,
        act,
        person_id=next(iter(ended.values()), None),
        by_browser=True,
        # A post from another site comes without our cookies: which browser it is shows at the next step.
        browser_hash=idp.browser_hash if request.method == "GET" else None,
        arrival=arrival,
    )
    response = saml.redirect(_address(request, run)) if run is not None else _answer_at_once(request, arrival, ended)
    if here is not None and here.session_id in ended:
        request.federation.cookies.delete(response, SESSION)
    return response


def _answer_at_once(request: Request, arrival: Arrival, ended: Collection[str]) -> Response:
    """There is no other site to tell: the one that asked gets its answer, or else the person sees the last page."""
    status = profile.SUCCESS if ended else requests.UNKNOWN
    message = None
    if not arrival.request.asynchronous:
        message = requests.answer(
            arrival.partner,
            arrival.request.id,
            status,
            request.idp.installation,
            relay_state=arrival.relay_state,
            now=request.federation.now,
        )
    if message is not None:
        return _go(request, chain.Go(arrival.partner, message, finished=True))
    values = {"sites": [], "ended": bool(ended), "partner": arrival.partner, "back": None}
    return page(request, "idp_app:templates/signed_out.jinja2", values)


def _answered(request: Request, received: Received) -> Response:
    """A site says what became of our request; what does not pass concerns this site alone."""
    idp = request.idp
    try:
        run = responses.arrive(idp.session, received, idp.installation, idp.act)
    except ProtocolError as error:
        return _distrust(request, error, _claimed(received), received.relay_state)
    return _go_on(request, run)


def _claimed(received: Received) -> str | None:
    try:
        return profile.in_response_to_of(received)
    except Malformed:
        return None


def _distrust(request: Request, error: FederationError, *handles: str | None) -> Response:
    """Record the refusal and mark the step; the browser goes on, if it is the one in which the logout began.

    Raises the error itself where the message belongs to no logout.
    """
    idp = request.idp
    with instead(request):
        step = responses.claimed_step(idp.session, *handles, now=request.federation.now)
        if step is None:
            raise error
        responses.distrust(idp.session, step)
        audit.record_refusal(idp.session, "refused.slo", _act(request), error)
        key = step.run_key
    return saml.redirect(request.federation.url("idp.logout", key=key))


def _by_soap(request: Request) -> Response:
    """End the sessions, tell the other sites directly, and answer inline: no browser takes part.

    An asynchronous request is answered as well: its sender does not demand that, and SOAP does (SAML Bindings 3.2.2).
    """
    idp, now = request.idp, request.federation.now
    try:
        arrival = requests.arrive(idp.session, saml.receive_envelope(request), idp.installation, now)
    except ProtocolError as error:
        with instead(request):
            record_refusal(request, error)
        return saml.fault_response(request, error)
    act = _act(request)
    ended = requests.end(idp.session, arrival, idp.installation, act)
    person_id = next(iter(ended.values()), None)
    run = runs.begin(idp.session, ended, act, person_id=person_id, by_browser=False, arrival=arrival)
    status = profile.SUCCESS if ended else requests.UNKNOWN
    if run is not None:
        commit_so_far(request)
        told = ending.tell_now(
            idp.installation, run.key, actor=arrival.partner.name, reference=request.federation.reference
        )
        status = chain.status_of(told)
    answer = requests.answer_in_envelope(arrival.partner, arrival.request.id, status, idp.installation, now=now)
    return saml.envelope_response(answer)


def _go_on(request: Request, run: LogoutRun, *, skip: bool = False) -> Response:
    idp = request.idp
    move = chain.next_move(idp.session, run, idp.installation, _act(request), skip=skip)
    match move:
        case chain.Go():
            return _go(request, move)
        case chain.Wait(partner=partner):
            address = _address(request, run)
            response = page(request, "idp_app:templates/signing_out.jinja2", {"partner": partner, "address": address})
            response.headers["Refresh"] = f"{_LOOK_AGAIN_S}; url={address}?wait=yes"
            return response
    return _last_page(request, run) if skip else saml.redirect(_address(request, run))


def _go(request: Request, go: chain.Go) -> Response:
    """Send the browser to a partner with a message."""
    title = f"Back to {go.partner.name}" if go.finished else f"Signing out of {go.partner.name}"
    return saml.message_response(request, go.message, title, recipient=go.partner.name)


def _last_page(request: Request, run: LogoutRun) -> Response:
    """What ended, what did not, and what to do."""
    idp = request.idp
    back = chain.answer(idp.session, run, idp.installation, request.federation.now)
    values = {
        "sites": runs.sites(idp.session, run),
        "ended": True,
        "partner": back.partner if back is not None else None,
        "back": f"{_address(request, run)}?return=yes" if back is not None else None,
    }
    return page(request, "idp_app:templates/signed_out.jinja2", values)


def _address(request: Request, run: LogoutRun) -> str:
    return str(request.federation.url("idp.logout", key=run.key))


def _act(request: Request) -> Act:
    """The occasion, at the time it has become: sites may have been waited for. Nobody is signed in any more."""
    exchange = request.federation
    return Act(request.idp.installation.clock(), "", exchange.reference, tuple(exchange.received))
