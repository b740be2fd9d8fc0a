"""A site that is ours from end to end: idp_app, and the demo site of sp_app."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPException, HTTPFound
from pyramid.interfaces import IExecutionPolicy, IRequestExtensions, IRequestFactory, IRootFactory, IRoutesMapper
from pyramid.request import Request
from pyramid.response import Response
from pyramid.router import Router
from pyramid.traversal import DefaultRootFactory

from federation.web.gate import behind_gate
from federation.web.headers import protect
from federation.web.pages import static_address
from federation.web.problems import problem_view
from federation.web.scope import UNTOLD, Site, scope_of

_LAST: Final = 2000
"""Whatever an application adds to its requests and routes, it has said so by then."""


def at_public_url(site: Site) -> Callable[[dict[str, Any], Router], Response]:
    """The execution policy: every request looks as if it came to the public URL, and every response is protected.

    A Host header is a stranger's word. Written over before anything reads it, it can reach no link, no redirect (WebOb
    makes a relative Location absolute with it) and no log. It is not WSGI middleware so that whoever makes the app,
    tests included, has it.
    """
    parts = urlsplit(site.public_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    public = {
        "wsgi.url_scheme": parts.scheme,
        "HTTP_HOST": parts.netloc,
        "SERVER_NAME": parts.hostname,
        "SERVER_PORT": str(port),
    }

    def execute(environ: dict[str, Any], router: Router) -> Response:
        environ.update(public)
        with router.request_context(environ) as request:
            response = router.invoke_request(request)
            protect(request, response)
        # What was made of a request refers to it, and it to them. Apart, they go at once and leave their memory to the
        # next request; together they would wait for the garbage collector.
        request.__dict__.clear()
        return response

    return execute


def favicon(request: Request) -> Response:
    """Browsers ask for this address wherever a page names no icon, so also beside a document of JSON."""
    return HTTPFound(location=static_address(request, "mark.svg"))


def _complete(registry: Any) -> None:
    """What is said of the whole site, once all of it is known."""
    scope = scope_of(registry)
    assert scope.site is not None  # routes._require_site
    registry.registerUtility(at_public_url(scope.site), IExecutionPolicy)
    root_factory = registry.queryUtility(IRootFactory, default=DefaultRootFactory)
    registry.registerUtility(behind_gate(root_factory, scope, UNTOLD), IRootFactory)
    for route in registry.getUtility(IRoutesMapper).get_routes():
        if route.factory is not None and route.name not in scope.routes:
            route.factory = behind_gate(route.factory, scope, UNTOLD)
    registry.registerUtility(_request_class(registry), IRequestFactory)


def _request_class(registry: Any) -> type[Request]:
    """What was added to requests as a part of their class. Pyramid would make a class anew for each request."""
    extensions = registry.getUtility(IRequestExtensions)
    factory = registry.queryUtility(IRequestFactory, default=Request)
    added = {**extensions.methods, **extensions.descriptors}
    registry.unregisterUtility(extensions, IRequestExtensions)
    return type(factory.__name__, (factory,), {"__module__": factory.__module__, **added})


def includeme(config: Configurator) -> None:
    """Everything of `federation.web`, for every route and for what has none."""
    registry = config.registry
    scope_of(registry).whole = True
    config.action("federation.web.site_complete", lambda: _complete(registry), order=_LAST)
    config.include("federation.web")
    config.add_exception_view(problem_view, context=Exception)
    config.add_exception_view(problem_view, context=HTTPException)
    config.add_federation_route("federation.favicon", "/favicon.ico")
    config.add_view(favicon, route_name="federation.favicon", request_method="GET")
