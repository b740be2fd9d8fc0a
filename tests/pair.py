"""Our identity provider and our service provider, both whole, with the back channel between them and no network.

The servers ask each other as they would over HTTP: each one's outgoing requests are handed to the other's application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import httpx
from webtest import TestApp, TestResponse

from federation.attributes.policy import ReleasePolicy
from federation.http import BackChannel, Policy
from idp_app.composition import make_app
from idp_app.services import audiences
from idp_app.services import connections as idp_connections
from idp_app.services.publication import document
from sp_app.models import IdPConnection
from sp_app.services import connections as sp_connections
from sp_app.services import options
from sp_app.services.options import Options
from tests.idp_factories import IdPSite, fill_in, make_idp
from tests.sp_factories import Site, make_site

INTRANET = "http://localhost:6544"

Handler = Callable[[httpx.Request], httpx.Response]


class Between(httpx.BaseTransport):
    """What one server asks the other; a test may listen, or stand in for it."""

    def __init__(self) -> None:
        self.app: Any = None
        self.instead: Handler | None = None
        self.asked: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        if self.instead is not None:
            return self.instead(request)
        answer = httpx.WSGITransport(self.app).handle_request(request)
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(answer.read()))


@dataclass
class Pair:
    """Both sites, connected. `to_idp` and `to_sp` are the back channels."""

    idp: IdPSite
    sp: Site
    to_idp: Between
    to_sp: Between

    def choose(self, **chosen: Any) -> None:
        """Set options of the service provider's connection."""
        with self.sp.unit_of_work() as session:
            connection = sp_connections.by_entity_id(session, self.idp.entity.entity_id)
            assert connection is not None
            options.choose(session, connection, Options(**chosen), self.sp.clock())

    def sp_reads_idp(self) -> None:
        """The service provider takes over what the identity provider publishes now."""
        idp, provider, now = self.idp, self.sp.provider, self.idp.clock()
        with self.sp.unit_of_work() as session:
            sp_connections.connect(
                session,
                document(idp.installation.settings, idp.installation.keys, now).body,
                name="Example University",
                fingerprints=[idp.installation.keys.fingerprint],
                own_entity_id=provider.entity_id,
                allow_http_loopback=True,
                max_validity=provider.settings.partner_metadata_validity,
                trusted_by="a test",
                now=now,
                signing_key=provider.keys.signing,
            )

    def idp_reads_sp(self) -> None:
        """The identity provider takes over what the service provider publishes now."""
        idp, provider, act = self.idp, self.sp.provider, self.idp.act()
        fingerprint = provider.keys.fingerprint
        with idp.work() as session:
            trusted = idp_connections.examine(
                session,
                provider.metadata(idp.clock()),
                act,
                settings=idp.installation.settings,
                signer_fingerprints=[fingerprint],
            )
            idp_connections.connect(
                session,
                trusted,
                act,
                name="Intranet",
                audiences=[audiences.find(session, "Staff")],
                policy=ReleasePolicy.from_preset("directory"),
                pins=[fingerprint],
                ready=idp.installation.ready,
            )

    def browser(self) -> Browser:
        return Browser(self)


class BothSites(Protocol):
    """An identity provider and a service provider."""

    idp: IdPSite
    sp: Site


class Browser:
    """One person's browser, which has both sites' cookies."""

    def __init__(self, pair: BothSites) -> None:
        self._pair = pair
        self.at_idp = pair.idp.browser()
        self.at_sp = pair.sp.browser()
        self.visited: list[str] = []

    def sign_in(self, username: str = "alice") -> None:
        """Sign in at the identity provider."""
        assert fill_in(self.at_idp.get("/signin"), username).status_int == 303

    def answered(self) -> TestResponse:
        """What the identity provider answers to a request by redirect, for who is signed in there."""
        url = urlsplit(self.at_sp.get("/private").follow().location)
        return self.at_idp.get(f"{url.path}?{url.query}")

    def _app(self, url: str) -> TestApp:
        return self.at_sp if url.startswith((self._pair.sp.origin, "/")) else self.at_idp

    def follow(self, response: TestResponse) -> TestResponse:
        """Follow redirects, and submit the forms that carry messages, until a page is there to be read."""
        while True:
            if response.status_int in (302, 303):
                url = response.location
                self.visited.append(url)
                parts = urlsplit(url)
                response = self._app(url).get(f"{parts.path}?{parts.query}", expect_errors=True)
            elif "message" in response.forms:
                form = response.forms["message"]
                reference = "SAMLart" in form.fields
                self.visited.append(f"{form.action}?{urlencode(form.submit_fields())}" if reference else form.action)
                path = urlsplit(form.action).path
                response = self._app(form.action).post(path, form.submit_fields(), expect_errors=True)
            else:
                return response


@contextmanager
def connected(folder: Path) -> Iterator[Pair]:
    """Both sites, connected, each with its own database and keys in a folder of its own."""
    to_idp, to_sp = Between(), Between()
    idp = make_idp(folder / "idp")
    installation = replace(idp.installation, transport=to_sp)
    idp = replace(idp, installation=installation, app=make_app(installation))
    sp = make_site(folder / "sp", public_url=INTRANET, allow_http_loopback="true")
    provider = replace(sp.provider, back_channel=BackChannel(Policy(allow_loopback=True), transport=to_idp))
    sp.app.registry["sp_app.provider"] = provider
    to_idp.app, to_sp.app = idp.app, sp.app
    pair = Pair(idp, sp, to_idp, to_sp)
    with sp.unit_of_work() as session:
        session.query(IdPConnection).delete()
    pair.sp_reads_idp()
    pair.idp_reads_sp()
    yield pair
    idp.installation.engine.dispose()
    provider.engine.dispose()


def private_page(pair: Pair, browser: Browser) -> TestResponse:
    """Ask for a protected page and go all the way."""
    page = browser.follow(browser.at_sp.get("/private"))
    if "password" in page.text and "username" in page.text:
        page = browser.follow(fill_in(page, "alice"))
    return page
