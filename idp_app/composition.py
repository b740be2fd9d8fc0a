"""Putting the web application together: settings and registry here, and nowhere else.

Views find what they need on `request.idp`; services get it as arguments.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.decorator import reify
from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError, FederationError
from federation.storage.session import for_transaction_manager
from federation.web import Site
from federation.web.cookies import SESSION, Purpose
from federation.web.process import settle
from idp_app import settings
from idp_app.installation import Installation
from idp_app.security import SessionSecurity
from idp_app.services import audit, sessions
from idp_app.services.act import Act
from idp_app.services.housekeeping import BROWSER_MEMORY
from idp_app.services.publication import Publisher
from idp_app.services.responder import Responder
from idp_app.services.sessions import SignedIn

BROWSER: Final = Purpose("browser")
"""Tells one browser from another, signed in or not: it binds a waiting request to the browser that brought it."""

_INSTALLATION: Final = "idp_app.installation"
_PUBLISHER: Final = "idp_app.publisher"
_RESPONDER: Final = "idp_app.responder"


class IdP:
    """`request.idp`: this site's part of a request."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self.installation: Installation = request.registry[_INSTALLATION]
        """Settings, keys, database, clock."""

    @property
    def publisher(self) -> Publisher:
        """Our own metadata."""
        publisher: Publisher = self._request.registry[_PUBLISHER]
        return publisher

    @property
    def responder(self) -> Responder:
        """Our connections' metadata."""
        responder: Responder = self._request.registry[_RESPONDER]
        return responder

    @reify
    def session(self) -> Session:
        """The database session that commits with the request's transaction."""
        return for_transaction_manager(self.installation.sessions, self._request.tm)

    @reify
    def signed_in(self) -> SignedIn | None:
        """Who is signed in, and in which session."""
        token = self._request.federation.cookies.get(self._request, SESSION)
        if not token:
            return None
        now = self._request.federation.now
        found = sessions.find(self.session, token, now=now, settings=self.installation.settings)
        if found is not None:
            sessions.touch(self.session, found, now)
        return found

    @property
    def act(self) -> Act:
        """The occasion, for changes and the audit trail."""
        exchange, signed_in = self._request.federation, self.signed_in
        actor = signed_in.username if signed_in is not None else ""
        return Act(exchange.now, actor, exchange.reference, tuple(exchange.received))

    @reify
    def browser_hash(self) -> bytes:
        """What stands for this browser in the database; a browser without the cookie gets one with the response."""
        value = self._request.federation.cookies.get(self._request, BROWSER)
        if not value:
            value = secrets.token_urlsafe(32)
            self._request.add_response_callback(_set_browser_cookie(value))
        return hashlib.sha256(value.encode(errors="replace")).digest()


def _set_browser_cookie(value: str) -> Any:
    def set_cookie(request: Request, response: Response) -> None:
        request.federation.cookies.set(response, BROWSER, value, max_age=BROWSER_MEMORY)

    return set_cookie


def record_refusal(request: Request, error: FederationError) -> None:
    """The audit entry of a refusal; the toolkit calls it in a transaction of its own."""
    exchange = request.federation
    session = for_transaction_manager(request.idp.installation.sessions, request.tm)
    route = request.matched_route
    kind = f"refused.{route.name.removeprefix('idp.')}" if route is not None else "refused"
    audit.record_refusal(session, kind, Act(exchange.now, "", exchange.reference, tuple(exchange.received)), error)


def serve(raw: Mapping[str, str]) -> Any:
    """The application of an ini section; ends the process with one sentence when it cannot start."""
    try:
        app = make_app(Installation.open(settings.read(raw)))
    except ConfigurationError as error:
        raise SystemExit(f"Error: {error.message}") from None
    settle()
    return app


def make_app(installation: Installation) -> Any:
    """The WSGI application on an installation."""
    with Configurator() as config:
        chosen = installation.settings
        config.registry[_INSTALLATION] = installation
        publisher = config.registry[_PUBLISHER] = Publisher()
        config.registry[_RESPONDER] = Responder(publisher)
        config.include("federation.web.transactions")
        config.include("federation.web.site")
        config.set_federation_site(Site(key="idp", name=chosen.site_name, public_url=chosen.public_url))
        config.set_federation_clock(installation.clock)
        config.set_refusal_recorder(record_refusal)
        config.add_request_method(IdP, "idp", reify=True)
        config.set_security_policy(SessionSecurity())
        config.include("idp_app.routes")
        config.include("idp_app.views.console")
        config.include("idp_app.views.shared")
        config.include("idp_app.views.invited")
        config.scan("idp_app.views")
        return config.make_wsgi_app()
