"""Which routes are ours, and what is promised about each.

A guest in a host's application must change nothing outside its own routes. Pyramid finds an exception view by the
route's request interface before it looks at application-wide ones, so each of our routes carries its own, and wins
there over the host's and nowhere else. Our subscriber and our view deriver ask `rules_for` first and do nothing when
the answer is None.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from pyramid.request import Request

from federation.errors import FederationError
from federation.web.addresses import origin_of
from federation.web.cookies import Cookies

MIB: Final = 1_048_576
_KEY: Final = "federation.web"


@dataclass(frozen=True, slots=True)
class Site:
    """The site that the pages and cookies belong to.

    `key` is a short name (`[a-z0-9-]+`) that no other site on the same host name has: it names the cookies. `name` is
    shown to people. `public_url` is where browsers find the application, from the settings and never from a Host
    header; its path, if any, is where a host mounted the application. `body_limit` is in bytes.
    """

    key: str
    name: str
    public_url: str
    body_limit: int = MIB

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser writes them in an Origin header."""
        return origin_of(self.public_url)

    @property
    def https(self) -> bool:
        """Whether browsers reach the site by https."""
        return self.public_url.startswith("https:")


@dataclass(frozen=True, slots=True)
class RouteRules:
    """What is promised about a route; see `routes.add_federation_route`."""

    cross_site: bool = False
    popup: bool = False
    files: bool = False
    acts: bool = False
    body_limit: int | None = None
    problems: str = "html"


UNTOLD: Final = RouteRules(files=True)
"""For the pages of a whole site that say nothing about themselves."""

Recorder = Callable[[Request, FederationError], None]


@dataclass(slots=True)
class Scope:
    """What one application registered: one object in its registry."""

    site: Site | None = None
    cookies: Cookies | None = None
    whole: bool = False
    routes: dict[str, RouteRules] = field(default_factory=dict)
    recorder: Recorder | None = None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def rules_for(self, request: Request) -> RouteRules | None:
        """The rules of the route that matched, the default ones on a whole site, or None: not ours, hands off."""
        route = getattr(request, "matched_route", None)
        rules = self.routes.get(route.name) if route is not None else None
        return rules or (UNTOLD if self.whole else None)

    def body_limit(self, rules: RouteRules) -> int:
        """How many bytes the body of a request may have: its route's limit, or else the site's."""
        assert self.site is not None  # routes._require_site
        return rules.body_limit or self.site.body_limit


def scope_of(registry: Any) -> Scope:
    """The registry's scope, made at first use."""
    scope: Scope | None = registry.get(_KEY)
    if scope is None:
        scope = registry[_KEY] = Scope()
    return scope


def rules_for(request: Request) -> RouteRules | None:
    """`Scope.rules_for` of the request's application."""
    return scope_of(request.registry).rules_for(request)


def owns_view(scope: Scope, route_name: str | None) -> bool:
    """Whether a view registered for this route (or for none) is ours."""
    return scope.whole or route_name in scope.routes
