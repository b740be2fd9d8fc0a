"""A site that is ours from end to end: idp_app, and the demo site of sp_app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException, HTTPFound
from pyramid.interfaces import IRequestExtensions, IRequestFactory
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import INGRESS

from federation.web.pages import static_address
from federation.web.problems import problem_view
from federation.web.scope import scope_of

Handler = Callable[[Request], Response]


_LAST: Final = 2000
"""Whatever an application adds to its requests, it has said so by then."""


def public_url_tween(handler: Handler, registry: Any) -> Handler:
    """Make every request look as if it came to the public URL.

    A Host header is a stranger's word. Written over before anything reads it, it can reach no link, no redirect (WebOb
    makes a relative Location absolute with it) and no log. It is a tween and not WSGI middleware so that whoever makes
    the app, tests included, has it; it is the first, so that no other tween sees the header.
    """
    site = scope_of(registry).site
    assert site is not None  # routes._require_site
    parts = urlsplit(site.public_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    public = {
        "wsgi.url_scheme": parts.scheme,
        "HTTP_HOST": parts.netloc,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(port),
    }

    def at_public_url(request: Request) -> Response:
        request.environ.update(public)
        return handler(request)

    return at_public_url


def favicon(request: Request) -> Response:
    """Browsers ask for this address wherever a page names no icon, so also beside a document of JSON."""
    return HTTPFound(location=static_address(request, "mark.svg"))


def _one_class_of_requests(config: Configurator) -> Callable[[], None]:
    def replace() -> None:
        """Make what was added to requests part of their class. Pyramid would make a class anew for each request."""
        registry = config.registry
        extensions = registry.queryUtility(IRequestExtensions)
        factory = registry.queryUtility(IRequestFactory, default=Request)
        made = type(factory.__name__, (factory,), {"__module__": factory.__module__, **extensions.descriptors})
        registry.registerUtility(made, IRequestFactory)
        extensions.descriptors.clear()

    return replace


def includeme(config: Configurator) -> None:
    """Everything of `federation.web`, for every route and for what has none."""
    scope_of(config.registry).whole = True
    config.action("federation.web.request_class", _one_class_of_requests(config), order=_LAST)
    config.include("federation.web")
    config.add_tween("federation.web.site.public_url_tween", under=INGRESS)
    config.add_exception_view(problem_view, context=Exception)
    config.add_exception_view(problem_view, context=HTTPException)
    config.add_federation_route("federation.favicon", "/favicon.ico")
    config.add_view(favicon, route_name="federation.favicon", request_method="GET")
