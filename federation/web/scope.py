"""Which routes are ours, and what is promised about each.

A guest in a host's application must change nothing outside its own routes. Pyramid finds an exception view by the
route's request interface before it looks at application-wide ones, so each of our routes carries its own, and wins there
over the host's and nowhere else. Our subscribers and our view deriver ask `rules_for` first and do nothing when the
answer is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from pyramid.config import Configurator
from pyramid.request import Request

from federation.errors import FederationError

MIB: Final = 1_048_576
_KEY: Final = "federation.web"


@dataclass(frozen=True, slots=True)
class Site:
    """The site that the pages and cookies belong to.

    `key` is a short name (`[a-z0-9-]+`) that no other site on the same host name has: it names the cookies. `name` is
    shown to people. `public_url` is where browsers find the application, from the settings and never from a Host header;
    its path, if any, is where a host mounted the application. `body_limit` is in bytes.
    """

    key: str
    name: str
    public_url: str
    body_limit: int = MIB

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser writes them in an Origin header."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def https(self) -> bool:
        """Whether browsers reach the site by https."""
        return self.public_url.startswith("https:")


@dataclass(frozen=True, slots=True)
class RouteRules:
    """What is promised about a route; see `add_federation_route`."""

    cross_site: bool = False
    popup: bool = False
    body_limit: int | None = None
    problems: str = "html"


Recorder = Callable[[Request, FederationError], None]


@dataclass(slots=True)
class Scope:
    """What one application registered: one object in its registry."""

    site: Site | None = None
    whole: bool = False
    routes: dict[str, RouteRules] = field(default_factory=dict)
    recorder: Recorder | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)


def scope_of(registry: Any) -> Scope:
    """The registry's scope, made at first use."""
    if _KEY not in registry:
        registry[_KEY] = Scope()
    scope: Scope = registry[_KEY]
    return scope


def site_of(request: Request) -> Site:
    """The site the application said it is."""
    site = scope_of(request.registry).site
    if site is None:
        raise RuntimeError("no site is set: call config.set_federation_site(Site(...))")
    return site


def rules_for(request: Request) -> RouteRules | None:
    """The rules of the route that matched, the default ones on a whole site, or None: not ours, hands off."""
    scope = scope_of(request.registry)
    route = getattr(request, "matched_route", None)
    rules = scope.routes.get(route.name) if route is not None else None
    return rules or (RouteRules() if scope.whole else None)


def owns_view(scope: Scope, route_name: str | None) -> bool:
    """Whether a view registered for this route (or for none) is ours."""
    return scope.whole or route_name in scope.routes


def add_federation_route(
    config: Configurator,
    name: str,
    pattern: str,
    *,
    cross_site: bool = False,
    popup: bool = False,
    body_limit: int | None = None,
    problems: str = "html",
    **options: Any,
) -> None:
    """Add a route that is ours: limits, CSRF, headers and problem pages apply to it whoever the host is.

    `cross_site`: other sites post here by design (SAML endpoints) or no cookie is used (SCIM), so no CSRF check.
    `popup`: a partner may show it in a window that it opened, so the page keeps its opener (no COOP).
    `body_limit`: bytes, when the site's own limit does not fit.
    `problems`: how problems are told: `html`, `json` (RFC 9457) or `scim` (RFC 7644 3.12).
    """
    from federation.web.problems import problem_view  # the view needs pages, pages need the scope

    rules = RouteRules(cross_site=cross_site, popup=popup, body_limit=body_limit, problems=problems)
    scope_of(config.registry).routes[name] = rules
    config.add_route(name, pattern, **{"factory": Root, **options})
    config.add_exception_view(problem_view, context=Exception, route_name=name)


class Root:
    """The context of our routes: a host's root factory is not ours to run."""

    def __init__(self, request: Request) -> None:
        self.request = request


def set_federation_site(config: Configurator, site: Site) -> None:
    """Say which site this is. Two different calls in one application conflict, loudly."""

    def register() -> None:
        scope_of(config.registry).site = site

    config.action("federation.web.site", register)


def set_refusal_recorder(config: Configurator, recorder: Recorder) -> None:
    """Say who writes the audit entry of a refusal. It runs in a transaction of its own, after everything the request
    wrote was taken back, and that transaction is committed."""

    def register() -> None:
        scope_of(config.registry).recorder = recorder

    config.action("federation.web.recorder", register)


def set_federation_clock(config: Configurator, clock: Callable[[], datetime]) -> None:
    """Replace the clock (tests)."""

    def register() -> None:
        scope_of(config.registry).clock = clock

    config.action("federation.web.clock", register)


def includeme(config: Configurator) -> None:
    """The directives."""
    for directive in (add_federation_route, set_federation_site, set_refusal_recorder, set_federation_clock):
        config.add_directive(directive.__name__, directive)
