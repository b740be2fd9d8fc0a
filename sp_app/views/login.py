"""Beginning a sign-in, and the response that ends it."""

from __future__ import annotations

from dataclasses import replace

from pyramid.httpexceptions import HTTPMethodNotAllowed
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import Malformed, PolicyRefusal
from federation.web import cookies, csrf
from federation.web.saml import message_response, receive, receive_artifact, redirect
from sp_app.events import SessionEnded, SignedIn
from sp_app.services import audit, offers, sessions, wishes
from sp_app.services.arrivals import Visitor
from sp_app.services.artifacts import Reference
from sp_app.services.interruptions import SeveralIdentityProviders
from sp_app.services.login import Departure, Success
from sp_app.services.wishes import Wish
from sp_app.targets import is_marked, safe_target, unmarked


@view_config(route_name="sp.login", request_method="GET")
def login(_context: object, request: Request) -> Response:
    """Send the browser to the identity provider: the request initiator (REQINIT 2.3), and where our own links lead.

    Parameters: `entityID` and `target`; `isPassive`, `forceAuthn`, `authnContextClassRef`; or `resume`, a handle of
    ours, to begin again with the same aim. Where no entityID is given and there are several, the person chooses.
    """
    wish, named = wish_of(request), request.GET.get("entityID")
    try:
        return depart(request, wish, named)
    except SeveralIdentityProviders:
        session, now = request.sp.session, request.federation.now
        listed = request.sp.provider.choices.listed(session, now)
        if len(listed) == 1 and not offers.any_is_offered(session, now):
            return depart(request, wish, listed[0].entity_id)
    detour = request.sp.discovery().begin(wish, request.sp.browser)
    return _bind(request, redirect(detour.url), detour.browser)


def depart(request: Request, wish: Wish, idp_entity_id: str | None) -> Response:
    """Send the browser to an identity provider, the only one where none is named."""
    departure = request.sp.login().start(wish, idp_entity_id=idp_entity_id, browser=request.sp.browser)
    return _bind(request, _towards(request, departure), departure.browser)


@view_config(route_name="sp.acs", request_method=("GET", "POST"))
def assertion_consumer(_context: object, request: Request) -> Response:
    """The assertion consumer service (SAML Profiles 4.1.4.5): accept the response, open a session, land on the page.

    The browser brings the response itself by POST, or a reference to it by either method.
    """
    found = receive_artifact(request)
    if found is None and request.method != "POST":
        raise HTTPMethodNotAllowed  # no response comes by HTTP-Redirect
    arrived = receive(request) if found is None else Reference(*found)
    success = request.sp.login().finish(arrived, _visitor(request))
    return _arrived(request, success)


def _visitor(request: Request) -> Visitor:
    provider = request.sp.provider

    def account_id() -> str | None:
        identity = request.sp.identity
        return None if identity is None else identity.account.id

    def landing(relay_state: str | None) -> str:
        """An identity provider may have put anything there: what is no page of ours leads to the first one."""
        default = provider.settings.default_target
        try:
            return safe_target(
                relay_state, origin=request.federation.site.origin, endpoints=provider.endpoints, default=default
            )
        except PolicyRefusal:
            return default

    return Visitor(browser=request.sp.browser, account_id=account_id, landing=landing)


def wish_of(request: Request) -> Wish:
    """How this link wants the sign-in. Raises `Malformed`; `PolicyRefusal` for a target that leads away."""
    resume = request.GET.get("resume")
    again = request.sp.login().wish_of(resume) or request.sp.discovery().wish_of(resume)
    if again is not None:
        return again
    target = safe_target(
        request.GET.get("target"),
        origin=request.federation.site.origin,
        endpoints=request.sp.provider.endpoints,
        default=request.sp.provider.settings.default_target,
    )
    wish = wishes.read(request.GET.dict_of_lists(), target=target)
    if not wish.is_passive:
        return replace(wish, target=unmarked(target))
    if is_marked(target):
        raise Malformed("login.link", "that page has asked already, and would ask for ever: nobody is signed in")
    return wish


def _bind(request: Request, response: Response, browser: str) -> Response:
    """The cookie by which the browser that began is known again."""
    window = request.sp.provider.settings.sign_in_window
    request.federation.cookies.set(response, cookies.BINDING, browser, max_age=window)
    return response


def _towards(request: Request, departure: Departure) -> Response:
    name = departure.partner.name
    return message_response(request, departure.message, f"Signing in with {name}", recipient=name)


def _arrived(request: Request, success: Success) -> Response:
    """A new session under a new cookie; an older one of this browser ends, and so do forms made before."""
    older = request.federation.cookies.get(request, cookies.SESSION)
    replaced = sessions.end(request.sp.session, older, request.federation.now) if older else None
    account_id = success.session.account_id
    request.sp.audit(
        kind=audit.SIGNED_IN,
        detail="a person signed in",
        idp_entity_id=success.idp_entity_id,
        account_id=account_id,
        message_id=success.response_id,
        checks=success.checks,
    )
    response = redirect(request.federation.site.origin + success.target)
    request.federation.cookies.set(response, cookies.SESSION, success.session.handle)
    csrf.renew(request)
    if replaced is not None:
        ended = (replaced.account_id, replaced.idp_entity_id, replaced.id)
        request.registry.notify(SessionEnded(request, response, *ended, here=False))
    request.registry.notify(SignedIn(request, response, account_id, success.idp_entity_id, success.session.id))
    return response
