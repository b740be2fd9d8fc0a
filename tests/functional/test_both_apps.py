"""Our identity provider and our service provider, both whole, with the back channel between them and no network.

The servers ask each other as they would over HTTP: each one's outgoing requests are handed to the other's application.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx
import pytest
from webtest import TestApp, TestResponse

from federation.attributes.policy import ReleasePolicy
from federation.http import BackChannel, Policy
from federation.saml.bindings import artifact
from federation.saml.names import Binding
from idp_app.composition import make_app
from idp_app.services import audiences
from idp_app.services import connections as idp_connections
from idp_app.services.publication import document
from sp_app import keys as sp_keys
from sp_app.models import IdPConnection
from sp_app.services import connections as sp_connections
from sp_app.services import options
from sp_app.services.options import Options
from tests.idp_factories import IdPSite, fill_in, make_idp
from tests.sp_factories import Site, make_site

INTRANET = "http://localhost:6544"
HELD = "SELECT count(*) FROM sp_held_request"

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

    def browser(self) -> Browser:
        return Browser(self)


class Browser:
    """One person's browser, which has both sites' cookies."""

    def __init__(self, pair: Pair) -> None:
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
        return self.at_sp if url.startswith((INTRANET, "/")) else self.at_idp

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


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    to_idp, to_sp = Between(), Between()
    idp = make_idp(tmp_path / "idp")
    installation = replace(idp.installation, transport=to_sp)
    idp = replace(idp, installation=installation, app=make_app(installation))
    sp = make_site(tmp_path / "sp", public_url=INTRANET, allow_http_loopback="true")
    provider = replace(sp.provider, back_channel=BackChannel(Policy(allow_loopback=True), transport=to_idp))
    sp.app.registry["sp_app.provider"] = provider
    to_idp.app, to_sp.app = idp.app, sp.app
    now, act = idp.clock(), idp.act()
    with sp.unit_of_work() as session:
        session.query(IdPConnection).delete()
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
    fingerprint = sp_keys.load(provider.settings.keys_directory).fingerprint
    with idp.work() as session:
        trusted = idp_connections.examine(
            session,
            provider.metadata(now),
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
    yield Pair(idp, sp, to_idp, to_sp)
    idp.installation.engine.dispose()
    provider.engine.dispose()


def private_page(pair: Pair, browser: Browser) -> TestResponse:
    """Ask for a protected page and go all the way."""
    page = browser.follow(browser.at_sp.get("/private"))
    if "password" in page.text and "username" in page.text:
        page = browser.follow(fill_in(page, "alice"))
    return page


@pytest.mark.parametrize("request_binding", ["redirect", "post", "artifact"])
@pytest.mark.parametrize("response_binding", ["post", "artifact"])
def test_alice_signs_in_whatever_carries_the_messages(pair: Pair, request_binding: str, response_binding: str) -> None:
    pair.choose(request_binding=request_binding, response_binding=response_binding)
    browser = pair.browser()
    page = private_page(pair, browser)

    assert (page.status_int, "Alice Archer" in page.text) == (200, True)
    assert browser.visited[-1] == f"{INTRANET}/private"
    by_reference = [url for url in browser.visited if "SAMLart=" in url]
    assert len(by_reference) == [request_binding, response_binding].count("artifact")
    assert len(pair.to_idp.asked) == (response_binding == "artifact")
    assert len(pair.to_sp.asked) == (request_binding == "artifact")
    assert pair.sp.rows(HELD) == [(0,)]


def test_neither_reference_works_twice(pair: Pair) -> None:
    pair.choose(request_binding="artifact", response_binding="artifact")
    browser = pair.browser()
    browser.sign_in()
    private_page(pair, browser)
    to_idp, to_sp = (url for url in browser.visited if "SAMLart=" in url)

    again = browser.at_idp.get(to_idp.removeprefix("http://localhost:6543"), expect_errors=True)
    assert (again.status_int, "cannot be used any more" in again.text) == (403, True)
    asked = len(pair.to_idp.asked)
    again = browser.at_sp.get(to_sp.removeprefix(INTRANET), expect_errors=True)
    assert (again.status_int, "used already" in again.text) == (403, True)
    assert len(pair.to_idp.asked) == asked, "the used sign-in is known here: nobody is asked again"


def test_another_browser_gets_nothing_and_spoils_nothing(pair: Pair) -> None:
    pair.choose(response_binding="artifact")
    browser = pair.browser()
    browser.sign_in()
    answer = browser.answered()

    other = pair.sp.browser().post("/saml/acs", answer.forms["message"].submit_fields(), expect_errors=True)
    assert (other.status_int, "another browser" in other.text) == (403, True)
    assert pair.to_idp.asked == []
    assert browser.follow(answer).status_int == 200


def test_a_server_that_is_down_is_told_in_plain_words_with_a_reference(pair: Pair) -> None:
    pair.choose(response_binding="artifact")

    def down(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("Connection refused")

    pair.to_idp.instead = down
    browser = pair.browser()
    browser.sign_in()
    page = private_page(pair, browser)
    assert page.status_int == 502
    assert "does not answer" in page.text
    assert pair.sp.rows("SELECT rule FROM sp_audit ORDER BY id DESC LIMIT 1") == [("http.unreachable",)]
    pair.choose(request_binding="artifact")
    pair.to_sp.instead = down
    page = browser.follow(browser.at_sp.get("/saml/login"))
    assert (page.status_int, "does not answer" in page.text) == (502, True)
    assert "http.unreachable" in str(pair.idp.audit()[-1].detail)


@pytest.mark.parametrize("status", [403, 500, 200])
def test_an_answer_that_is_none_signs_nobody_in(pair: Pair, status: int) -> None:
    pair.choose(response_binding="artifact")
    pair.to_idp.instead = lambda _request: httpx.Response(status, stream=httpx.ByteStream(b"<html/>"))
    browser = pair.browser()
    browser.sign_in()
    page = private_page(pair, browser)
    assert page.status_int in (400, 403, 502)
    assert pair.sp.rows("SELECT count(*) FROM sp_session") == [(0,)]


def test_an_artifact_of_somebody_else_is_refused_before_anybody_is_asked(pair: Pair) -> None:
    pair.choose(response_binding="artifact")
    browser = pair.browser()
    browser.sign_in()
    answer = browser.answered()
    _, relay_state = artifact.decode_form(answer.forms["message"].submit_fields())
    for made, rule in (
        (artifact.create("https://evil.example/saml/metadata", endpoint_index=0), "artifact.source_id"),
        (artifact.create(pair.idp.entity.entity_id, endpoint_index=9), "artifact.endpoint"),
    ):
        url = artifact.encode_url(made, destination=f"{INTRANET}/saml/acs", relay_state=relay_state)
        page = browser.at_sp.get(url.removeprefix(INTRANET), expect_errors=True)
        assert page.status_int == 403
        assert pair.sp.rows("SELECT rule FROM sp_audit ORDER BY id DESC LIMIT 1") == [(rule,)]
    unknown = artifact.encode_url(
        artifact.create("https://nobody.example/", endpoint_index=0), destination="http://localhost:6543/saml/sso"
    )
    page = browser.at_idp.get(unknown.removeprefix("http://localhost:6543"), expect_errors=True)
    assert (page.status_int, "not connected" in page.text) == (403, True)
    assert (pair.to_idp.asked, pair.to_sp.asked) == ([], [])


# Sign-ins that begin at the identity provider ------------------------------------------------------------------------

START = f"/saml/sso/unsolicited?providerId={INTRANET}/saml/metadata"


def test_an_unsolicited_sign_in_is_refused_unless_the_connection_allows_it(pair: Pair) -> None:
    browser = pair.browser()
    browser.sign_in()
    page = browser.follow(browser.at_idp.get(START))
    assert (page.status_int, "did not begin here" in page.text) == (403, True)
    assert pair.sp.rows("SELECT rule FROM sp_audit ORDER BY id DESC LIMIT 1") == [("login.request_known",)]

    pair.choose(allow_unsolicited=True)
    page = browser.follow(browser.at_idp.get(START + "&target=/private/reports?year=2026"))
    assert (page.status_int, "Alice Archer" in page.text) == (200, True)
    assert browser.visited[-1] == f"{INTRANET}/private/reports?year=2026"


@pytest.mark.parametrize("by", ["post", "artifact"])
def test_who_is_not_signed_in_signs_in_first_and_where_it_ends_is_always_a_page_of_this_site(
    pair: Pair, by: str
) -> None:
    pair.choose(allow_unsolicited=True)
    if by == "artifact":  # only an endpoint by artifact is left to choose from
        with pair.idp.work() as session:
            row = idp_connections.find(session, "Intranet")
            row.metadata_xml = row.metadata_xml.replace(
                f'Binding="{Binding.POST}" Location="{INTRANET}/saml/acs"'.encode(),
                f'Binding="{Binding.PAOS}" Location="{INTRANET}/saml/acs"'.encode(),
            )
            row.version += 1
    for target, lands in (
        ("https://evil.example/", "/private"),
        ("//evil.example/", "/private"),
        (f"{INTRANET}/private/x", "/private/x"),
        ("/saml/login", "/private"),
        ("", "/private"),
    ):
        browser = pair.browser()
        page = browser.follow(browser.at_idp.get(f"{START}&target={target}"))
        page = browser.follow(fill_in(page, "alice"))
        assert page.status_int == 200
        assert browser.visited[-1] == INTRANET + lands
        assert any("SAMLart=" in url for url in browser.visited) == (by == "artifact")


def test_the_same_response_never_works_twice_and_never_takes_anothers_place(pair: Pair) -> None:
    pair.choose(allow_unsolicited=True)
    browser = pair.browser()
    browser.sign_in()
    fields = browser.at_idp.get(START).forms["message"].submit_fields()
    assert browser.at_sp.post("/saml/acs", fields).status_int == 303
    again = pair.sp.browser().post("/saml/acs", fields, expect_errors=True)
    assert (again.status_int, "used already" in again.text) == (403, True)

    mallory = pair.browser()
    mallory.sign_in("carol")
    planted = mallory.at_idp.get(START).forms["message"].submit_fields()
    page = browser.at_sp.post("/saml/acs", planted, expect_errors=True)
    assert (page.status_int, "as somebody else" in page.text) == (403, True)
    assert "Alice Archer" in browser.at_sp.get("/private").text


def test_an_answer_stolen_from_another_browser_is_not_an_unsolicited_one(pair: Pair) -> None:
    pair.choose(allow_unsolicited=True)
    victim = pair.browser()
    victim.sign_in()
    answer = victim.answered()
    stolen = dict(answer.forms["message"].submit_fields())
    del stolen["RelayState"]
    page = pair.sp.browser().post("/saml/acs", stolen, expect_errors=True)
    assert (page.status_int, "did not begin here" in page.text) == (403, True)


@pytest.mark.parametrize(
    ("query", "status", "rule"),
    [
        ("?providerId=https://nobody.example/", 403, "request.partner"),
        (f"?providerId={INTRANET}/saml/metadata&shire=https://evil.example/acs", 403, "unsolicited.acs"),
        (f"?providerId={INTRANET}/saml/metadata&time=1", 400, "unsolicited.time"),
        (f"?providerId={INTRANET}/saml/metadata&time=soon", 400, "unsolicited.time"),
        (f"?providerId={INTRANET}/saml/metadata&providerId=x", 400, "unsolicited.duplicate"),
        ("", 400, "unsolicited.provider_id"),
        (f"?providerId={INTRANET}/saml/metadata&target={'x' * 3000}", 400, "unsolicited.relay_state"),
    ],
)
def test_a_link_that_is_wrong_sends_nobody_anywhere(pair: Pair, query: str, status: int, rule: str) -> None:
    page = pair.idp.browser().get(f"/saml/sso/unsolicited{query}", expect_errors=True)
    assert page.status_int == status
    assert rule in str(pair.idp.audit()[-1].detail)


def test_a_link_made_just_now_to_an_address_of_the_metadata_is_served(pair: Pair) -> None:
    pair.choose(allow_unsolicited=True)
    browser = pair.browser()
    browser.sign_in()
    now = int(pair.idp.clock().timestamp())
    page = browser.at_idp.get(f"{START}&shire={INTRANET}/saml/acs&time={now}")
    assert page.forms["message"].action == f"{INTRANET}/saml/acs"


def test_who_cancels_an_unsolicited_sign_in_stays_here(pair: Pair) -> None:
    browser = pair.browser()
    page = browser.follow(browser.at_idp.get(START))
    back = next(form for form in page.forms.values() if form.action and "/saml/continue/" in form.action)
    assert back.submit().location == "http://localhost:6543/"
