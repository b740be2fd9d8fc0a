"""The directives by which an application says what is ours: its routes, its site, its clock, its audit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from pyramid.config import PHASE2_CONFIG, Configurator
from pyramid.exceptions import ConfigurationError
from pyramid.request import Request

from federation.web.cookies import Cookies
from federation.web.gate import behind_gate
from federation.web.problems import problem_view
from federation.web.scope import Recorder, RouteRules, Site, scope_of

_LAST: Final = 1000
"""Whatever order actions of hosts have, those that set the site come before."""


def add_federation_route(
    config: Configurator,
    name: str,
    pattern: str,
    *,
    cross_site: bool = False,
    popup: bool = False,
    files: bool = False,
    acts: bool = False,
    body_limit: int | None = None,
    problems: str = "html",
    **options: Any,
) -> None:
    """Add a route that is ours: limits, CSRF, headers and problem pages apply to it whoever the host is.

    `cross_site`: other sites post here by design (SAML endpoints) or no cookie is used (SCIM), so no CSRF check.
    `popup`: a partner may show it in a window that it opened, so the page keeps its opener (no COOP).
    `files`: a form may bring files; elsewhere a file in the place of a text is refused before a view sees it.
    `acts`: a GET brings a message or goes on with something, so a HEAD, which must do neither, is refused.
    `body_limit`: bytes, when the site's own limit does not fit.
    `problems`: how problems are told: `html`, `json` (RFC 9457) or `scim` (RFC 7644 3.12).
    `options` go to Pyramid's `add_route`.
    """
    rules = RouteRules(
        cross_site=cross_site, popup=popup, files=files, acts=acts, body_limit=body_limit, problems=problems
    )
    scope = scope_of(config.registry)

    def register() -> None:
        scope.routes[name] = rules

    config.action(("federation.web.route", name), register, order=PHASE2_CONFIG)
    factory = config.maybe_dotted(options.pop("factory", Root))
    config.add_route(name, pattern, factory=behind_gate(factory, scope, rules), **options)
    config.add_exception_view(problem_view, context=Exception, route_name=name)


class Root:
    """The context of our routes: a host's root factory is not ours to run."""

    def __init__(self, _request: Request) -> None:
        """Nothing is asked of the request."""


def traverser(root: Root) -> Callable[[Request], dict[str, Any]]:
    """Our routes end where they begin: there is no tree below a root of ours to look for the context in, and no header
    that says so (X-Vhm-Root) is taken at its word.
    """

    def traverse(request: Request) -> dict[str, Any]:
        return {
            "context": root,
            "view_name": "",
            "subpath": request.matchdict.get("subpath", ()),
            "traversed": (),
            "virtual_root": root,
            "virtual_root_path": (),
            "root": root,
        }

    return traverse


def set_federation_site(config: Configurator, site: Site) -> None:
    """Say which site this is. Two different calls in one application conflict, loudly."""

    def register() -> None:
        scope = scope_of(config.registry)
        scope.site, scope.cookies = site, Cookies(site.key, https=site.https)

    config.action("federation.web.site", register)


def set_refusal_recorder(config: Configurator, recorder: Recorder) -> None:
    """Say who writes the audit entry of a refusal.

    It runs in a transaction of its own, after everything that the request wrote was taken back, and is committed.
    """

    def register() -> None:
        scope_of(config.registry).recorder = recorder

    config.action("federation.web.recorder", register)


def set_federation_clock(config: Configurator, clock: Callable[[], datetime]) -> None:
    """Replace the clock: tests judge by an instant of their own."""

    def register() -> None:
        scope_of(config.registry).clock = clock

    config.action("federation.web.clock", register)


def _require_site(config: Configurator) -> Callable[[], None]:
    def require() -> None:
        if scope_of(config.registry).site is None:
            raise ConfigurationError(
                "call config.set_federation_site(Site(...)): no page or cookie of ours works without"
            )

    return require


def includeme(config: Configurator) -> None:
    """Add the directives."""
    config.action("federation.web.complete", _require_site(config), order=_LAST)
    config.add_traverser(traverser, Root)
    for directive in (add_federation_route, set_federation_site, set_refusal_recorder, set_federation_clock):
        config.add_directive(directive.__name__, directive)
