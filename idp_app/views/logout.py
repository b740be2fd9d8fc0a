"""Single logout: a partner's request comes by the person's browser, or from the partner itself by SOAP."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import ProtocolError
from federation.saml.bindings import soap
from federation.saml.bindings.post import PostForm
from federation.web import page, saml
from federation.web.cookies import SESSION
from federation.web.scope import body_limit
from federation.web.transactions import instead
from idp_app.composition import record_refusal
from idp_app.services import logout


@view_config(route_name="idp.slo", request_method="GET")
def by_redirect(request: Request) -> Response:
    """A LogoutRequest by HTTP-Redirect."""
    return _by_browser(request)


@view_config(route_name="idp.slo", request_method="POST")
def by_post(request: Request) -> Response:
    """A LogoutRequest by HTTP-POST, or by SOAP: the media type tells them apart."""
    return _by_soap(request) if saml.is_soap(request) else _by_browser(request)


def _by_browser(request: Request) -> Response:
    """End the sessions and send the browser back with the answer, or show the person what happened."""
    idp, now = request.idp, request.federation.now
    received = saml.receive(request)
    arrival = logout.arrive(idp.session, received, idp.installation, now)
    here = idp.signed_in
    ended = logout.end(idp.session, arrival, idp.installation, idp.act)
    message = None
    if not arrival.request.asynchronous:
        message = logout.answer(arrival, ended.status, idp.installation, relay_state=received.relay_state, now=now)
    name = arrival.partner.name
    match message:
        case PostForm() | str():
            response = saml.message_response(request, message, f"Signing out of {name}", recipient=name)
        case _:
            values = {"partner": arrival.partner, "ended": ended}
            response = page(request, "idp_app:templates/signed_out.jinja2", values)
    if here is not None and here.session_id in ended.sessions:
        request.federation.cookies.delete(response, SESSION)
    return response


def _by_soap(request: Request) -> Response:
    """End the sessions and answer inline: no browser takes part."""
    idp, now = request.idp, request.federation.now
    try:
        received = soap.decode(request.body, max_bytes=body_limit(request))
        arrival = logout.arrive(idp.session, received, idp.installation, now)
    except ProtocolError as error:
        with instead(request):
            record_refusal(request, error)
        return saml.fault_response(request, error)
    ended = logout.end(idp.session, arrival, idp.installation, idp.act)
    return saml.envelope_response(logout.answer_in_envelope(arrival, ended.status, idp.installation, now=now))
