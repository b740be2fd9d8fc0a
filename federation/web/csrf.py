"""Cross-site request forgery: our forms carry a token that the browser's cookie matches, and come from our origin.

It guards every unsafe request on our routes unless the route says `cross_site`. It stands in for whatever the host
application does about CSRF, on our routes alone: the host cannot know our forms, and its check would refuse a response
that an IdP posts. A host's default permission is lifted from our views the same way; ours say what they need.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.exceptions import BadCSRFOrigin, BadCSRFToken
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED

from federation.web.addresses import origin_of
from federation.web.cookies import CSRF
from federation.web.scope import owns_view, rules_for, scope_of

FIELD: Final = "csrf_token"
HEADER: Final = "X-CSRF-Token"
_SAFE: Final = ("GET", "HEAD", "OPTIONS", "TRACE")
_REMEMBERED: Final = "federation.csrf_token"

View = Callable[[Any, Request], Response]


def token(request: Request) -> str:
    """The browser's token: from its cookie, or a new one that the response will set."""
    value = request.environ.get(_REMEMBERED) or request.federation.cookies.get(request, CSRF)
    return value or renew(request)


def renew(request: Request) -> str:
    """A new token for the browser; call it at sign-in and sign-out, like a new session id."""
    value = secrets.token_urlsafe(32)
    if _REMEMBERED not in request.environ:
        request.add_response_callback(_set_cookie)
    request.environ[_REMEMBERED] = value
    return value


def _set_cookie(request: Request, response: Response) -> None:
    request.federation.cookies.set(response, CSRF, request.environ[_REMEMBERED])


def check(request: Request) -> None:
    """Raise BadCSRFOrigin or BadCSRFToken unless the request comes from a page of ours."""
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if origin is not None and origin_of(origin) != request.federation.site.origin:
        raise BadCSRFOrigin("the form was sent from another address")
    expected = request.federation.cookies.get(request, CSRF) or ""
    supplied = request.headers.get(HEADER) or request.POST.get(FIELD, "")
    if not expected or not isinstance(supplied, str) or not hmac.compare_digest(_octets(expected), _octets(supplied)):
        raise BadCSRFToken("the form does not carry this browser's token")


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def guard(view: View, info: Any) -> View:
    """The view deriver. It stands under Pyramid's own csrf_view, so it is applied first and can say that ours is on."""
    scope, route_name = scope_of(info.registry), info.options.get("route_name")
    if not owns_view(scope, route_name) or info.exception_only:
        return view
    info.options["require_csrf"] = False
    if not scope.whole and info.options.get("permission") is None:
        info.options["permission"] = NO_PERMISSION_REQUIRED
    own = scope.routes.get(route_name)
    if own is not None and own.cross_site:
        return view

    def guarded(context: Any, request: Request) -> Response:
        rules = rules_for(request)
        if request.method not in _SAFE and rules is not None and not rules.cross_site:
            check(request)
        return view(context, request)

    return guarded


def includeme(config: Configurator) -> None:
    """Guard our routes."""
    config.add_view_deriver(guard, "federation_guard", under="csrf_view", over="rendered_view")
