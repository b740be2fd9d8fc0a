"""`request.federation`: everything of ours that a request carries, behind one name that collides with no host's."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request

from federation.saml.messages import Received
from federation.web.cookies import Cookies
from federation.web.reference import new_reference
from federation.web.scope import Scope, Site, scope_of


class Exchange:
    """One request and the response to it."""

    def __init__(self, request: Request) -> None:
        self._request = request
        scope: Scope = scope_of(request.registry)
        assert scope.site is not None  # routes._require_site
        assert scope.cookies is not None
        self.scope = scope
        """What the application registered."""
        self.site: Site = scope.site
        """The site the application said it is."""
        self.cookies: Cookies = scope.cookies
        """The site's cookies, by purpose."""
        self.now: datetime = scope.clock()
        """The instant this request is judged by, aware and in UTC: the same for everything within the request."""
        self.reference = new_reference()
        """The number under which people and the log speak of this request."""
        self.nonce = os.urandom(16).hex()
        """What marks a script as ours in this one response."""
        self.form_targets: list[str] = []
        self.watches = False
        self.received: list[Received] = []
        """The SAML messages that this request brought, for the audit trail."""

    @property
    def client_address(self) -> str:
        """The address of whoever connected. A proxy's word for it counts only where the server was told to trust it."""
        return str(self._request.environ.get("REMOTE_ADDR", ""))

    def url(self, route_name: str, *elements: str, **options: Any) -> str:
        """The absolute address of a route, from the public URL of the settings: what to write into SAML messages."""
        url: str = self._request.route_url(route_name, *elements, _app_url=self.site.public_url.rstrip("/"), **options)
        return url

    def allow_form_target(self, *sources: str) -> None:
        """Let this page's forms be sent to these CSP sources besides the site itself."""
        self.form_targets.extend(sources)

    def watch(self) -> None:
        """Let this page's script ask the site itself how things stand (`static/watch.js`)."""
        self.watches = True


def includeme(config: Configurator) -> None:
    """Add `request.federation`."""
    config.add_request_method(Exchange, "federation", reify=True)
