"""A site of ours that is a service provider: a public page, a protected one, and `sp_app`'s console.

It is the demonstration (Intranet, Learning) and at the same time the smallest host: what it says beyond its own pages
is what any application says that includes `sp_app`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.config import Configurator
from pyramid.router import Router

from federation.errors import ConfigurationError
from federation.web.process import settle
from sp_app import database
from sp_app.provider import provider_of


def main(global_config: dict[str, str], **settings: Any) -> Router:
    """The site as a WSGI application (`egg:saml-federation#sp`).

    Ends the process with one sentence when it cannot start: every mistake in the settings, a missing key, a database
    that is not there or not at this release.
    """
    try:
        app = make_app({"here": global_config.get("here", "."), **settings})
    except ConfigurationError as error:
        raise SystemExit(f"Error: {error.message}") from None
    settle()
    return app


def make_app(settings: Mapping[str, Any]) -> Router:
    """The site on these settings. Raises `ConfigurationError`, also when a Pyramid action found the mistake."""
    own = {"tm.manager_hook": "pyramid_tm.explicit_manager", "tm.annotate_user": "no"}
    config = Configurator(settings={**own, **settings})
    config.include("federation.web.site")
    config.include("sp_app")
    config.include("sp_app.console")
    config.include("sp_app.demo")
    app = config.make_wsgi_app()
    database.require_current(provider_of(config.registry).engine)
    return app


def includeme(config: Configurator) -> None:
    """The site's own pages."""
    config.include("sp_app.demo.security")

    config.add_route("home", "/")
    config.add_route("private", "/private")
    config.add_route("private.page", "/private/*page")
    config.add_route("whoami", "/whoami")
    config.add_route("healthz", "/healthz")
    config.scan("sp_app.demo.views")
