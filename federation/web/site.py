"""A site that is ours from end to end: idp_app, and the demo site of sp_app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException, HTTPFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import INGRESS

from federation.web.pages import static_address
from federation.web.problems import problem_view
from federation.web.scope import scope_of, site_of

Handler = Callable[[Request], Response]


def public_url_tween(handler: Handler, _registry: Any) -> Handler:
    """Make every request look as if it came to the public URL.

    A Host header is a stranger's word. Written over before anything reads it, it can reach no link, no redirect (WebOb
    makes a relative Location absolute with it) and no log. It is a tween and not WSGI middleware so that whoever makes
    the app, tests included, has it; it is the first, so that no other tween sees the header.
    """

    def at_public_url(request: Request) -> Response:
        parts = urlsplit(site_of(request).public_url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        request.environ.update(
            {
                "wsgi.url_scheme": parts.scheme,
                "HTTP_HOST": parts.netloc,
                "SERVER_NAME": parts.hostname,
                "SERVER_PORT": str(port),
            }
        )
        return handler(request)

    return at_public_url


def favicon(request: Request) -> Response:
    """Browsers ask for this address wherever a page names no icon, so also beside a document of JSON."""
    return HTTPFound(location=static_address(request, "mark.svg"))


def includeme(config: Configurator) -> None:
    """Everything of `federation.web`, for every route and for what has none."""
    scope_of(config.registry).whole = True
    config.include("federation.web")
    config.add_tween("federation.web.site.public_url_tween", under=INGRESS)
    config.add_exception_view(problem_view, context=Exception)
    config.add_exception_view(problem_view, context=HTTPException)
    config.add_federation_route("federation.favicon", "/favicon.ico")
    config.add_view(favicon, route_name="federation.favicon", request_method="GET")
