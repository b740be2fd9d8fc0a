"""Pyramid glue that both apps use: SAML in and out of requests, headers, problem pages, base templates.

`config.include("federation.web")` is safe inside somebody else's application: it acts on the routes added by
`config.add_federation_route` and on nothing else. `config.include("federation.web.site")` is for a site that is ours
from end to end (docs/decisions/guest-in-a-host.md).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyramid.config import Configurator

    from federation.web.pages import page
    from federation.web.scope import Site

__all__ = ["Site", "includeme", "page"]

_HOMES = {"page": "federation.web.pages", "Site": "federation.web.scope"}


def __getattr__(name: str) -> Any:
    """Load Pyramid and Jinja when a page is shown: every command reads settings from here, and shows none."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def includeme(config: Configurator) -> None:
    """What a guest may bring into a host's application."""
    config.include("federation.web.routes")  # the directives: add_federation_route, set_federation_site, ...; the gate
    config.include("federation.web.exchange")  # request.federation
    config.include("federation.web.csrf")  # our own forms, on our own routes
    config.include("federation.web.headers")  # security headers of what goes out
    config.include("federation.web.pages")  # our template environment, /federation-static
