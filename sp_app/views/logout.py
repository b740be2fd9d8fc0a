"""The single logout service (SAML Profiles 4.4): the identity provider's requests, and its answers to ours."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config

from federation.errors import Malformed, ProtocolError
from federation.saml.bindings.parameters import RESPONSE
from federation.saml.bindings.post import PostForm
from federation.saml.messages import Received
from federation.web import page, problems, saml
from federation.web.problems import Problem
from federation.web.transactions import instead
from sp_app.composition import record_refusal
from sp_app.services import audit
from sp_app.services.logout import Arrival
from sp_app.services.sessions import EndedSession
from sp_app.views.endings import tell
from sp_app.views.sign_out import last_page

_UNREADABLE = Problem(
    400,
    "This sign-out message cannot be read",
    "What your browser delivered is damaged or incomplete. Nobody was signed out by it.",
    "If you wanted to sign out, use the button at this site, or close all windows of the browser.",
)
_REFUSED = Problem(
    403,
    "This sign-out message was not accepted",
    "What your browser delivered did not pass a security check. Nobody was signed out by it.",
    "If you wanted to sign out, use the button at this site, or close all windows of the browser.",
)
_ANSWER_REFUSED = Problem(
    403,
    "The answer to your sign-out was not accepted",
    "You are not signed in at this site. What came back from the identity provider did not pass a security check, so "
    "it is not certain that you are signed out there.",
    "Close all windows of the browser if others use this device.",
)


@view_config(route_name="sp.slo", request_method="GET")
def by_redirect(_context: object, request: Request) -> Response:
    """A message by HTTP-Redirect."""
    return _by_browser(request)


@view_config(route_name="sp.slo", request_method="POST")
def by_post(_context: object, request: Request) -> Response:
    """A message by HTTP-POST, or a request by SOAP."""
    return _by_soap(request) if saml.is_soap(request) else _by_browser(request)


@exception_view_config(ProtocolError, route_name="sp.slo")
def refused(error: ProtocolError, request: Request) -> Response:
    """Tell the person, who may be signed in as ever: the reference number leads the administrator to the reason."""
    if isinstance(error, Malformed):
        problem = _UNREADABLE
    else:
        problem = _ANSWER_REFUSED if _is_answer(request) and request.sp.identity is None else _REFUSED
    problems.report(error, problem, request)
    return problems.respond(request, problem)


def _is_answer(request: Request) -> bool:
    if request.method == "POST":
        return RESPONSE in request.POST
    return f"{RESPONSE}=" in request.environ.get("QUERY_STRING", "")


def _by_browser(request: Request) -> Response:
    received = saml.receive(request)
    return _answered(request, received) if received.parameter == RESPONSE else _asked(request, received)


def _asked(request: Request, received: Received) -> Response:
    """End the sessions and send the browser back with the answer, or show the person what happened."""
    service = request.sp.logout()
    arrival = service.arrive(received)
    ended = service.end(arrival)
    name = arrival.partner.name
    match service.answer(arrival, ended, relay_state=received.relay_state):
        case PostForm() as form:
            response = saml.post_form_response(request, form, f"Signing out of {name}", recipient=name)
        case str() as url:
            response = saml.redirect(url)
        case None:
            values = {"outcome": "ended" if ended else "nothing", "idp": name, "identity": None}
            response = page(request, "sp_app:templates/signed_out.jinja2", values)
    _record(request, arrival, ended)
    tell(request, response, ended)
    return response


def _answered(request: Request, received: Received) -> Response:
    """Keep what the identity provider says about our request, and lead on to the last page."""
    answered = request.sp.signing_out().finish(received)
    request.sp.audit(
        kind=audit.SIGNED_OUT,
        detail=f"the identity provider answered a sign-out: {answered.outcome.value}",
        idp_entity_id=answered.idp_entity_id,
        message_id=answered.response_id,
        checks=answered.checks,
    )
    return saml.redirect(last_page(request, answered.handle, answered.outcome))


def _by_soap(request: Request) -> Response:
    """End the sessions and answer inline: no browser takes part."""
    service = request.sp.logout()
    try:
        arrival = service.arrive(saml.receive_envelope(request))
    except ProtocolError as error:
        with instead(request):
            record_refusal(request, error)
        return saml.fault_response(request, error)
    ended = service.end(arrival)
    response = saml.envelope_response(service.answer_in_envelope(arrival, ended))
    _record(request, arrival, ended)
    tell(request, response, ended)
    return response


def _record(request: Request, arrival: Arrival, ended: tuple[EndedSession, ...]) -> None:
    request.sp.audit(
        kind=audit.SIGNED_OUT,
        detail=f"the identity provider asked for logout: {len(ended)} sessions ended",
        idp_entity_id=arrival.partner.entity.entity_id,
        account_id=ended[0].account_id if ended else None,
        message_id=arrival.request.id,
        checks=arrival.checks,
    )
