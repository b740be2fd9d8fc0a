"""Small applications for the tests of `federation.web`: a whole site of ours, and a host that has us as a guest."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from pyramid.authorization import Everyone
from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import Denied
from webtest import TestApp

from federation.web import Site

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
Setup = Callable[[Configurator], None]


def site_config(
    *, public_url: str = "http://localhost", body_limit: int = 10_000, transactions: str = "pyramid_tm"
) -> Configurator:
    """A whole site, before its routes."""
    config = Configurator(settings={"tm.manager_hook": "pyramid_tm.explicit_manager"})
    config.include(transactions)
    config.include("federation.web.site")
    config.set_federation_site(Site(key="idp", name="Example University", public_url=public_url, body_limit=body_limit))
    config.set_federation_clock(lambda: NOW)
    return config


def site(*setups: Setup, **options: Any) -> TestApp:
    """A whole site (`site_config`) with what the test sets up."""
    config = site_config(**options)
    for setup in setups:
        setup(config)
    return TestApp(config.make_wsgi_app())


def view(
    name: str,
    view: Callable[[Request], Response],
    *,
    methods: str | tuple[str, ...] | None = None,
    pattern: str | None = None,
    **rules: Any,
) -> Setup:
    """Set up one route of ours, at its own name, with one view."""

    def setup(config: Configurator) -> None:
        config.add_federation_route(name, pattern or f"/{name}", **rules)
        config.add_view(view, route_name=name, request_method=methods)

    return setup


def raising(error: BaseException) -> Callable[[Request], Response]:
    """A view that fails so."""

    def failing(request: Request) -> Response:
        raise error

    return failing


class NobodyMay:
    """A host's security policy that refuses every permission."""

    def identity(self, request: Request) -> None:
        return None

    def authenticated_userid(self, request: Request) -> None:
        return None

    def permits(self, request: Request, context: object, permission: str) -> Denied:
        return Denied(f"{Everyone} may nothing")

    def remember(self, request: Request, userid: str, **kwargs: object) -> list[tuple[str, str]]:
        return []

    def forget(self, request: Request, **kwargs: object) -> list[tuple[str, str]]:
        return []


def host(*setups: Setup, route_prefix: str | None = "federation") -> TestApp:
    """Somebody else's application, strict in every way it can be, with us as a guest below a prefix."""
    config = Configurator(
        settings={"tm.manager_hook": "pyramid_tm.explicit_manager"},
        security_policy=NobodyMay(),
        root_factory=lambda request: {"the host's": "root"},
    )
    config.include("pyramid_tm")
    config.set_default_permission("host-permission")
    config.set_default_csrf_options(require_csrf=True)
    config.add_route("host.page", "/page")
    config.add_route("host.boom", "/boom")
    config.add_view(
        lambda request: Response("host page"), route_name="host.page", permission="__no_permission_required__"
    )
    config.add_view(raising(ZeroDivisionError()), route_name="host.boom", permission="__no_permission_required__")
    config.add_notfound_view(lambda request: Response("host: not found", status=404))
    config.add_forbidden_view(lambda request: Response("host: forbidden", status=403))
    config.add_exception_view(lambda error, request: Response("host: mistake", status=500), context=Exception)

    def guest(config: Configurator) -> None:
        config.include("federation.web")
        config.set_federation_site(Site(key="guest", name="Guest", public_url="http://localhost/mounted"))
        for setup in setups:
            setup(config)

    config.include(guest, route_prefix=route_prefix)
    return TestApp(config.make_wsgi_app())


__all__ = ["NOW", "HTTPForbidden", "NobodyMay", "host", "raising", "site", "site_config", "view"]
