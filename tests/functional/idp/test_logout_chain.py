"""A logout reaches every site of the session, by the person's browser, whatever one of the sites does."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from federation.registry.ending import Ending
from federation.saml.messages import LogoutRequest, NameID, NameIDPolicy, Received, Status
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout
from idp_app.services import connections, disconnecting
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, make_idp
from tests.logout_factories import (
    DONE,
    ENDPOINTS,
    accept_request,
    address,
    answer_in,
    arrive_at,
    ask,
    follow,
    form,
    is_signed_in,
    judge,
    name_of,
    reply,
    request_in,
)

DENIED = Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED)


@pytest.fixture
def idp(tmp_path: Path, database: str) -> Iterator[IdPSite]:
    """A site that sends browsers on unseen: nothing listens where its partners are."""
    site = make_idp(tmp_path, database_url=database, logout_look=timedelta())
    yield site
    site.installation.engine.dispose()


def site(idp: IdPSite, name: str, port: int, key_name: str, *endpoints: Endpoint) -> FakeSP:
    origin = f"http://localhost:{port}"
    offered = endpoints or (Endpoint(Binding.REDIRECT, f"{origin}/slo"), Endpoint(Binding.POST, f"{origin}/slo"))
    return idp.connect(FakeSP(name, origin, key_name=key_name, options={"single_logout": offered}))


@pytest.fixture
def intranet(idp: IdPSite) -> FakeSP:
    """The site where the logout begins."""
    return idp.connect(FakeSP(options={"single_logout": ENDPOINTS}))


@pytest.fixture
def learning(idp: IdPSite) -> FakeSP:
    return site(idp, "Learning", 6545, "other-sp")


@pytest.fixture
def wiki(idp: IdPSite) -> FakeSP:
    return site(idp, "Wiki", 6546, "mallory")


@pytest.fixture
def browser(idp: IdPSite) -> TestApp:
    return idp.sign_in("alice")


def begin(browser: TestApp, idp: IdPSite, intranet: FakeSP) -> tuple[LogoutRequest, TestResponse]:
    """Intranet asks for the logout of whoever is signed in; the page is where the browser is sent first."""
    arrival = arrive_at(intranet, browser, idp)
    request = ask(intranet, idp, name_of(arrival), arrival.session_index)
    return request, follow(browser.get(address(request, intranet.key)), browser, idp)


def answered(browser: TestApp, idp: IdPSite, sp: FakeSP, request: LogoutRequest, *more: Any, **odd: Any) -> Any:
    """The site sends the browser back with its answer."""
    return follow(browser.get(address(reply(sp, idp, request, *more, **odd), sp.key)), browser, idp)


def outcome(page: TestResponse, idp: IdPSite, intranet: FakeSP, request: LogoutRequest) -> str:
    """What Intranet is told at the end."""
    received = answer_in(page)
    assert received.relay_state == "deep link"
    return str(judge(received, intranet, idp, request).outcome)


@pytest.mark.conformance("SDP-IDP23", "SDP-IDP24", "SDP-IDP26", "SDP-IDP27", "SDP-IDP29", "SDP-IDP31")
def test_the_browser_goes_from_site_to_site_and_back_to_the_one_that_asked(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, wiki: FakeSP, browser: TestApp
) -> None:
    at_learning = arrive_at(learning, browser, idp)
    at_wiki = arrive_at(wiki, browser, idp)
    asked, page = begin(browser, idp, intranet)
    assert "SAMLRequest=" in page.location
    assert "SigAlg=" in page.location
    first = request_in(page, learning, idp)
    assert first.name_id == at_learning.name_id
    assert first.session_indexes == (at_learning.session_index,)
    assert not is_signed_in(idp.browser())
    page = answered(browser, idp, learning, first)
    second = request_in(page, wiki, idp)
    assert second.name_id == at_wiki.name_id
    page = answered(browser, idp, wiki, second)
    assert page.location.startswith(DONE + "?")
    assert outcome(page, idp, intranet, asked) == "ended"
    assert not is_signed_in(browser)
    assert idp.audit()[-1].detail["sites"] == {"Learning": "ended", "Wiki": "ended"}


@pytest.mark.conformance("SDP-IDP27")
def test_a_persistent_name_goes_out_as_it_was_issued_qualifiers_included(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    policy = NameIDPolicy(format=NameIDFormat.PERSISTENT)
    issued = name_of(arrive_at(learning, browser, idp, name_id_policy=policy))
    assert issued.name_qualifier
    assert issued.sp_name_qualifier
    _, page = begin(browser, idp, intranet)
    assert request_in(page, learning, idp).name_id == issued


def test_a_site_that_only_takes_posts_is_told_and_answers_by_post(
    idp: IdPSite, intranet: FakeSP, browser: TestApp
) -> None:
    where = "http://localhost:6545/slo"
    learning = site(idp, "Learning", 6545, "other-sp", Endpoint(Binding.POST, where))
    arrive_at(learning, browser, idp)
    asked, page = begin(browser, idp, intranet)
    message = page.forms["message"]
    assert message.action == where
    received = Received(Binding.POST, "SAMLRequest", base64.b64decode(message["SAMLRequest"].value))
    request = accept_request(received, learning, idp, where)
    # The browser holds our cookies back from a post that another site's page makes.
    page = idp.browser().post("/saml/slo", form(reply(learning, idp, request), learning.key))
    assert outcome(page, idp, intranet, asked) == "ended"


@pytest.mark.conformance("SDP-IDP31")
@pytest.mark.parametrize(
    "status",
    [
        DENIED,
        logout.PARTIAL,
        Status(StatusCode.RESPONDER, StatusCode.PARTIAL_LOGOUT),
        Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL),
    ],
)
def test_one_site_that_did_not_do_it_makes_the_whole_partial(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, wiki: FakeSP, browser: TestApp, status: Status
) -> None:
    arrive_at(learning, browser, idp)
    arrive_at(wiki, browser, idp)
    asked, page = begin(browser, idp, intranet)
    page = answered(browser, idp, learning, request_in(page, learning, idp), status)
    page = answered(browser, idp, wiki, request_in(page, wiki, idp))
    assert outcome(page, idp, intranet, asked) == "partial"


@pytest.mark.parametrize("offered", [(), (Binding.ARTIFACT,)])
def test_a_site_without_a_way_to_be_told_makes_it_partial_and_is_named_on_the_last_page(
    idp: IdPSite, intranet: FakeSP, browser: TestApp, offered: tuple[str, ...]
) -> None:
    endpoints = tuple(Endpoint(binding, "http://localhost:6549/saml/slo") for binding in offered)
    silent = idp.connect(
        FakeSP("Silent", "http://localhost:6549", key_name="other-sp", options={"single_logout": endpoints})
    )
    arrive_at(silent, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    asked = ask(intranet, idp, name_of(arrival))
    first = browser.get(address(asked, intranet.key))
    assert outcome(browser.get(first.location), idp, intranet, asked) == "partial"
    page = browser.get(first.location)
    assert "<strong>Silent</strong> has no way to be told" in page.text
    again = page.click("Back to Intranet")
    assert outcome(again, idp, intranet, asked) == "partial"


@pytest.mark.parametrize("back", ["the address", "the first page"])
def test_a_site_that_does_not_answer_is_passed_over_when_the_person_comes_back(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, wiki: FakeSP, browser: TestApp, back: str
) -> None:
    arrive_at(learning, browser, idp)
    arrive_at(wiki, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    asked = ask(intranet, idp, name_of(arrival))
    run = browser.get(address(asked, intranet.key)).location
    hung = request_in(browser.get(run), learning, idp)
    home = browser.get("/")
    assert "Your last sign-out is not finished" in home.text
    page = browser.get(run) if back == "the address" else home.click("Finish signing out")
    page = answered(browser, idp, wiki, request_in(page, wiki, idp))
    assert outcome(page, idp, intranet, asked) == "partial"
    assert "not finished" not in browser.get("/").text
    assert "<strong>Learning</strong> did not answer" in browser.get(run).text
    # What it says too late is still true.
    assert "You are signed out everywhere" in answered(browser, idp, learning, hung).text


def test_two_tabs_do_not_ask_a_site_twice(idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp) -> None:
    arrive_at(learning, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    run = browser.get(address(ask(intranet, idp, name_of(arrival)), intranet.key)).location
    request = request_in(browser.get(run), learning, idp)
    waiting = browser.get(run + "?wait=yes")
    assert "Waiting for Learning to answer" in waiting.text
    assert waiting.headers["Refresh"].endswith("?wait=yes")
    idp.clock.advance(seconds=11)
    assert "SAMLResponse=" in browser.get(run + "?wait=yes").location
    assert "did not answer" in browser.get(run).text
    assert "You are signed out everywhere" in answered(browser, idp, learning, request).text


def test_another_browser_cannot_go_on_with_a_logout(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    arrive_at(learning, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    run = browser.get(address(ask(intranet, idp, name_of(arrival)), intranet.key)).location
    assert idp.browser().get(run, status=404)
    assert idp.browser().get("/saml/logout/nothing", status=404)
    idp.clock.advance(hours=2)
    assert browser.get(run, status=404)


def test_a_logout_that_began_by_a_post_belongs_to_the_browser_that_follows(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    arrive_at(learning, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    asked = ask(intranet, idp, name_of(arrival))
    run = idp.browser().post("/saml/slo", form(asked, intranet.key)).location
    request = request_in(browser.get(run), learning, idp)
    assert idp.browser().get(run, status=404)
    answer = answer_in(answered(browser, idp, learning, request))
    assert judge(answer, intranet, idp, asked).outcome == "ended"


def forged(case: str, idp: IdPSite, learning: FakeSP, wiki: FakeSP, request: LogoutRequest) -> str:
    """An address that brings an answer which must not count."""
    match case:
        case "key":
            return address(reply(learning, idp, request), signing_key("sp"))
        case "unsigned":
            return address(reply(learning, idp, request), learning.key).partition("&SigAlg")[0]
        case "other site":
            return address(reply(wiki, idp, request), wiki.key)
        case "issuer":
            return address(reply(learning, idp, request, issuer=wiki.entity_id), learning.key)
        case "destination":
            elsewhere = reply(learning, idp, request, destination="http://localhost:6543/saml/sso")
            return address(elsewhere, learning.key)
        case "too old":
            return address(reply(learning, idp, request, now=idp.clock() - timedelta(hours=1)), learning.key)
    raise AssertionError(case)


@pytest.mark.parametrize("case", ["key", "unsigned", "other site", "issuer", "destination", "too old"])
def test_a_forged_answer_marks_its_own_step_and_the_rest_goes_on(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, wiki: FakeSP, browser: TestApp, case: str
) -> None:
    arrive_at(learning, browser, idp)
    arrive_at(wiki, browser, idp)
    asked, page = begin(browser, idp, intranet)
    request = request_in(page, learning, idp)
    page = follow(browser.get(forged(case, idp, learning, wiki, request)), browser, idp)
    [refusal] = [entry for entry in idp.audit() if entry.kind == "refused.slo"]
    assert refusal.detail["rule"].startswith(("logout.", "signature."))
    page = answered(browser, idp, wiki, request_in(page, wiki, idp))
    assert outcome(page, idp, intranet, asked) == "partial"
    assert idp.audit()[-1].detail["sites"] == {"Learning": "refused", "Wiki": "ended"}


def test_an_answer_counts_once(idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp) -> None:
    arrive_at(learning, browser, idp)
    _, page = begin(browser, idp, intranet)
    request = request_in(page, learning, idp)
    url = address(reply(learning, idp, request), learning.key)
    assert "SAMLResponse=" in browser.get(url).location
    page = browser.get(url)
    assert idp.audit()[-1].detail["rule"] == "logout.replay"
    assert "You are signed out everywhere" in browser.get(page.location).text
    assert idp.browser().get(page.location, status=404)


def test_a_damaged_answer_is_found_by_its_relay_state(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    arrive_at(learning, browser, idp)
    asked, page = begin(browser, idp, intranet)
    request = request_in(page, learning, idp)
    page = follow(browser.get(f"/saml/slo?SAMLResponse=rubbish&RelayState={request.id}"), browser, idp)
    assert outcome(page, idp, intranet, asked) == "partial"


@pytest.mark.conformance("IIP-IDP17")
def test_an_asynchronous_request_ends_with_our_own_page_after_every_site_was_told(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    arrive_at(learning, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    request = ask(intranet, idp, name_of(arrival), asynchronous=True)
    page = follow(browser.get(address(request, intranet.key)), browser, idp)
    page = answered(browser, idp, learning, request_in(page, learning, idp))
    assert "You are signed out everywhere" in page.text
    assert "<li>Learning</li>" in page.text
    assert "Back to" not in page.text


def test_all_sessions_of_a_name_end_and_are_named_in_one_request(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    policy = NameIDPolicy(format=NameIDFormat.PERSISTENT)
    second = idp.sign_in("alice")
    indexes = {arrive_at(learning, each, idp, name_id_policy=policy).session_index for each in (browser, second)}
    arrivals = [arrive_at(intranet, each, idp, name_id_policy=policy) for each in (browser, second)]
    request = ask(intranet, idp, NameID(name_of(arrivals[0]).value))
    page = follow(browser.get(address(request, intranet.key)), browser, idp)
    assert set(request_in(page, learning, idp).session_indexes) == indexes
    assert not is_signed_in(browser)
    assert not is_signed_in(second)


def test_the_person_signs_out_everywhere(idp: IdPSite, learning: FakeSP, browser: TestApp) -> None:
    arrive_at(learning, browser, idp)
    page = browser.get("/signout")
    assert "<li>Learning</li>" in page.text
    assert "form-action 'self' http://localhost:6545" in page.headers["Content-Security-Policy"]
    page = follow(page.forms[0].submit("scope", value="everywhere"), browser, idp)
    request = request_in(page, learning, idp)
    assert not is_signed_in(browser)
    page = answered(browser, idp, learning, request)
    assert "You are signed out everywhere" in page.text
    assert idp.audit()[-1].person_id == idp.person("alice").id


@pytest.mark.conformance("SDP-IDP22")
def test_the_person_signs_out_here_only(idp: IdPSite, learning: FakeSP, browser: TestApp) -> None:
    arrive_at(learning, browser, idp)
    page = browser.get("/signout").forms[0].submit("scope", value="here").follow()
    assert "You are signed out here." in page.text
    assert not is_signed_in(browser)
    assert [entry.kind for entry in idp.audit()].count("logout.finished") == 0


def test_a_site_that_is_being_disconnected_is_still_told(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, browser: TestApp
) -> None:
    """Its accounts may work for a while yet, and so do their sessions."""
    arrive_at(learning, browser, idp)
    arrival = arrive_at(intranet, browser, idp)
    installation = idp.installation
    box, settings = installation.secret_box, installation.settings
    with idp.work() as session:
        for name in ("Learning", "Intranet"):
            found, url = connections.find(session, name), "https://sp.example.org/scim"
            connections.set_provisioning(session, found, url, "token", idp.act(), box=box, settings=settings)
            disconnecting.begin(session, found, Ending.SUSPEND, idp.act())
    asked = ask(intranet, idp, name_of(arrival), arrival.session_index)
    page = follow(browser.get(address(asked, intranet.key)), browser, idp)
    page = answered(browser, idp, learning, request_in(page, learning, idp))
    assert outcome(page, idp, intranet, asked) == "ended"


def test_a_connection_that_was_ended_meanwhile_is_passed_over(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP, wiki: FakeSP, browser: TestApp
) -> None:
    arrive_at(learning, browser, idp)
    arrive_at(wiki, browser, idp)
    _, page = begin(browser, idp, intranet)
    request = request_in(page, learning, idp)
    for name in ("Wiki", "Intranet"):
        with idp.work() as session:
            disconnecting.begin(session, connections.find(session, name), Ending.KEEP, idp.act())
    page = answered(browser, idp, learning, request)
    assert "<strong>Wiki</strong> has no way to be told" in page.text
    assert "Back to" not in page.text
