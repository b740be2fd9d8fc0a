"""Beginning a sign-in, and the response that ends it."""

from __future__ import annotations

from collections.abc import Sequence

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.saml.bindings.post import PostForm
from federation.web import cookies, csrf, page
from federation.web.saml import post_form_response, receive, redirect
from sp_app.events import SignedIn
from sp_app.models import IdPConnection
from sp_app.services import audit, sessions
from sp_app.services.login import Departure, SeveralIdentityProviders, Success, safe_target


@view_config(route_name="sp.login", request_method="GET")
def login(_context: object, request: Request) -> Response:
    """Send the browser to the identity provider. Parameters: `target`, `entityID`, or `resume` to begin again."""
    service, provider = request.sp.login(), request.sp.provider
    target = service.target_of(request.GET.get("resume")) or safe_target(
        request.GET.get("target"),
        origin=request.federation.site.origin,
        endpoints=provider.endpoints,
        default=provider.settings.default_target,
    )
    browser = request.federation.cookies.get(request, cookies.BINDING)
    try:
        departure = service.start(target=target, idp_entity_id=request.GET.get("entityID"), browser=browser)
    except SeveralIdentityProviders as several:
        return _choose(request, several.choices)
    response = _towards(request, departure)
    request.federation.cookies.set(
        response, cookies.BINDING, departure.browser, max_age=provider.settings.sign_in_window
    )
    return response


@view_config(route_name="sp.acs", request_method="POST")
def assertion_consumer(_context: object, request: Request) -> Response:
    """The assertion consumer service (SAML Profiles 4.1.4.5): accept the response, open a session, land on the page."""
    received = receive(request)
    browser = request.federation.cookies.get(request, cookies.BINDING)
    success = request.sp.login().finish(received, browser=browser)
    return _arrived(request, success)


def _choose(request: Request, choices: Sequence[IdPConnection]) -> Response:
    """A link for each identity provider, which keeps whatever else was asked for."""
    asked = {name: request.GET[name] for name in ("target", "resume") if name in request.GET}
    links = [
        (choice, request.route_path("sp.login", _query={**asked, "entityID": choice.entity_id})) for choice in choices
    ]
    return page(request, "sp_app:templates/choose.jinja2", {"choices": links})


def _towards(request: Request, departure: Departure) -> Response:
    if isinstance(departure.message, PostForm):
        name = departure.partner.name
        return post_form_response(request, departure.message, title=f"Signing in with {name}", recipient=name)
    return redirect(departure.message)


def _arrived(request: Request, success: Success) -> Response:
    """A new session under a new cookie; an older one of this browser ends, and so do forms made before."""
    older = request.federation.cookies.get(request, cookies.SESSION)
    if older:
        sessions.end(request.sp.session, older, request.federation.now)
    account_id = success.session.account_id
    request.sp.audit(
        kind=audit.SIGNED_IN,
        detail="a person signed in",
        idp_entity_id=success.idp_entity_id,
        account_id=account_id,
        message_id=success.response_id,
    )
    response = HTTPSeeOther(request.federation.site.origin + success.target)
    request.federation.cookies.set(response, cookies.SESSION, success.session.handle)
    csrf.renew(request)
    request.registry.notify(SignedIn(request, response, account_id, success.idp_entity_id, success.session.id))
    return response
