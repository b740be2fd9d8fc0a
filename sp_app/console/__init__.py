"""The administrator's console of a service provider: `config.include("sp_app.console")` in any application.

It is for whom `config.set_federation_administrators(check)` says, and for nobody else: the context of each of its
routes asks before any view runs. `docs/how-to/embed.md` shows it whole.
"""

from __future__ import annotations

from typing import Any

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response

from federation.console import ROUTES, SMALL, add_problem_views
from federation.web.problems import problem_view
from federation.web.routes import Root
from federation.web.saml import redirect
from sp_app import administration


class ConsoleRoot(Root):
    """The context of the console's routes: there for administrators alone."""

    def __init__(self, request: Request) -> None:
        if request.sp.administrator is None:
            raise HTTPForbidden


def forbidden(error: HTTPForbidden, request: Request) -> Response:
    """Whoever is not signed in is sent to sign in, and comes back to this very page, or sends this very form."""
    if not administration.is_ours(request) or request.sp.identity is not None or not request.sp.enabled:
        return problem_view(error, request)
    reading = request.method in ("GET", "HEAD")
    path = request.sp.login_path(request.path_qs) if reading else request.sp.keep_form()
    return problem_view(error, request) if path is None else redirect(request.federation.site.origin + path)


def includeme(config: Configurator) -> None:
    """The routes, each with the same context, and the pages."""
    routes: list[str] = []

    def add(name: str, pattern: str, **options: Any) -> None:
        config.add_federation_route(name, pattern, factory=ConsoleRoot, **options)
        config.add_exception_view(forbidden, context=HTTPForbidden, route_name=name)
        routes.append(name)

    add("sp.console", "/admin")
    add("sp.console.switch", "/admin/switch")
    add("sp.console.connections", "/admin/connections")
    add("sp.console.connection_new", "/admin/connections/new", **SMALL)
    add("sp.console.connection", "/admin/connections/{id}")
    add("sp.console.disconnect", "/admin/connections/{id}/disconnect")
    add("sp.console.chooser", "/admin/chooser")
    add("sp.console.invitations", "/admin/invitations")
    add("sp.console.invitation", "/admin/invitations/{id}")
    for name, pattern, options in ROUTES:
        add(f"sp.console.{name}", f"/admin{pattern}", **options)
    add("sp.console.keys", "/admin/keys")
    add("sp.console.accounts", "/admin/accounts")
    add("sp.console.audit", "/admin/audit")
    add_problem_views(config, routes)
    config.include("sp_app.console.invitations")
    config.include("sp_app.console.shared")
    config.scan("sp_app.console")
