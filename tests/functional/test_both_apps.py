"""Our identity provider and our service provider, both whole, with the back channel between them and no network.

The servers ask each other as they would over HTTP: each one's outgoing requests are handed to the other's application.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from federation.saml.bindings import artifact
from federation.saml.names import Binding
from idp_app.services import connections as idp_connections
from tests.idp_factories import fill_in
from tests.pair import INTRANET, Pair, connected, private_page

HELD = "SELECT count(*) FROM sp_held_request"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with connected(tmp_path) as made:
        yield made


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
