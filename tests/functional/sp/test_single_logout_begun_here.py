"""A person signs out here: the session ends, the identity provider is asked, and the last page tells the truth."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from federation.saml import xml
from federation.saml.codec.common import NAME_ID
from federation.saml.messages import NameID, Status
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout
from tests.factories import signing_key
from tests.slo_factories import ALICES, DONE, POST, REDIRECT, SLO, SOAP, SingleLogout
from tests.sp_factories import Site, make_site

REFUSED = Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED)


@pytest.fixture
def slo(site: Site) -> SingleLogout:
    return SingleLogout(site)


def press_sign_out(page: TestResponse) -> TestResponse:
    return page.forms[0].submit()


# -- The request ------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("IIP-SP14", "IIP-SP15", "IIP-SP17", "SDP-SP24", "SDP-SP25", "SDP-SP28", "SDP-SP34")
def test_the_session_ends_and_a_signed_request_goes_to_the_identity_provider_by_redirect(
    slo: SingleLogout, browser: TestApp
) -> None:
    page = slo.sign_in(browser)
    cookie = browser.cookies["__Host-intranet-session"]
    out = press_sign_out(page)
    assert out.location.startswith(f"{SLO}?SAMLRequest=")
    asked = slo.read(out)
    assert asked.received.binding == Binding.REDIRECT
    assert asked.request.session_indexes == ("_session",)
    assert asked.request.reason == logout.REASON_USER
    # Whatever the identity provider does with it, and in every worker: nobody is signed in here any more.
    assert "__Host-intranet-session" not in browser.cookies
    slo.site.browser().get("/whoami", headers={"Cookie": f"__Host-intranet-session={cookie}"}, status=401)


@pytest.mark.conformance("SDP-SP29", "SDP-SP30")
@pytest.mark.parametrize(
    "name_id",
    [
        ALICES,
        NameID("a@example.org", NameIDFormat.EMAIL),
        NameID("bare"),
        NameID("all", NameIDFormat.PERSISTENT, "https://q.example.org", "https://intranet.example.org", "number 7"),
    ],
)
def test_the_name_is_the_one_that_came_to_the_letter_and_in_the_clear(
    slo: SingleLogout, browser: TestApp, name_id: NameID
) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser, name_id)))
    assert asked.request.name_id == name_id
    assert [child.tag for child in xml.parse(asked.received.xml) if child.tag == NAME_ID]


def test_an_identity_provider_that_offers_only_post_is_asked_by_post(site: Site, browser: TestApp) -> None:
    slo = SingleLogout(site, (SOAP, POST))
    out = press_sign_out(slo.sign_in(browser))
    assert out.forms["message"].action == SLO
    asked = slo.read(out)
    assert asked.received.binding == Binding.POST
    assert (
        "Your session at Intranet has ended" in browser.post("/saml/slo", slo.form(slo.answer(asked.request))).follow()
    )


def test_the_pages_policy_lets_the_buttons_journey_go_to_the_identity_provider(
    slo: SingleLogout, browser: TestApp
) -> None:
    page = slo.sign_in(browser)
    assert "form-action 'self' https:" in page.headers["Content-Security-Policy"]
    assert "form-action 'self' https:" in browser.get("/saml/logout").headers["Content-Security-Policy"]


@pytest.mark.conformance("SDP-SP35")
def test_nobody_is_asked_because_somebody_was_idle(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    slo.site.clock.advance(hours=10, minutes=1)
    page = browser.get("/private").follow()
    assert slo.idp.read(page).request.id
    assert slo.site.counts()["sp_sign_out"] == 0


def test_whoever_signs_out_on_a_page_that_was_open_too_long_is_signed_out_there_too(
    slo: SingleLogout, browser: TestApp
) -> None:
    page = slo.sign_in(browser)
    slo.site.clock.advance(hours=11)
    assert slo.read(press_sign_out(page)).request.name_id == ALICES


def test_a_session_that_has_ended_is_asked_about_once(slo: SingleLogout, browser: TestApp) -> None:
    page = slo.sign_in(browser)
    slo.by_soap(slo.ask())
    assert "Nobody is signed in here" in press_sign_out(page).follow()


# -- The answer -------------------------------------------------------------------------------------------------------


@pytest.mark.conformance("SDP-SP32")
@pytest.mark.parametrize(
    ("status", "said"),
    [
        (logout.SUCCESS, "confirms that yours there has ended too"),
        (logout.PARTIAL, "could not end it at every other site"),
        (Status(StatusCode.RESPONDER, StatusCode.PARTIAL_LOGOUT), "could not end it at every other site"),
        (REFUSED, "did not confirm that yours there has ended"),
        (Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL), "did not confirm"),
    ],
)
@pytest.mark.parametrize("binding", ["redirect", "post"])
def test_the_last_page_says_what_the_identity_provider_says(
    slo: SingleLogout, browser: TestApp, status: Status, said: str, binding: str
) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    answer = slo.answer(asked.request, status)
    if binding == "redirect":
        landed = browser.get(slo.address(answer, asked.relay_state))
    else:
        landed = browser.post("/saml/slo", slo.form(answer, asked.relay_state))
    page = landed.follow()
    assert said in page
    assert "Example University" in page
    # It can be looked at again, and by nobody who does not know where.
    assert said in browser.get(landed.location)
    assert said not in browser.get("/saml/logout/done")


def test_without_relay_state_the_answer_is_still_the_answer(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    assert "confirms" in browser.get(slo.address(slo.answer(asked.request))).follow()


def test_until_the_answer_comes_nothing_is_claimed(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    page = browser.get("/saml/logout/done", {"handle": asked.relay_state})
    assert "has not answered yet" in page


WITHOUT_A_WAY = {"no endpoint": (), "soap only": (SOAP,), "artifact only": (Endpoint(Binding.ARTIFACT, SLO),)}


@pytest.mark.parametrize("what", ["no endpoint", "soap only", "artifact only", "no name", "paused", "expired"])
def test_who_cannot_be_asked_is_named_and_so_is_what_remains(site: Site, browser: TestApp, what: str) -> None:
    slo = SingleLogout(site, WITHOUT_A_WAY.get(what, (REDIRECT,)))
    page = slo.sign_in(browser, None if what == "no name" else ALICES)
    if what == "paused":
        site.change_connection(state="paused")
    if what == "expired":
        site.change_connection(valid_until=site.clock() - timedelta(seconds=1))
    last = press_sign_out(page).follow()
    assert "You are signed out here only" in last
    assert "cannot ask Example University" in last
    assert "close all windows" in last
    browser.get("/whoami", status=401)


def test_a_person_may_choose_to_sign_out_here_only(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    last = browser.get("/saml/logout").forms[0].submit("scope").follow()
    assert "as you chose" in last
    browser.get("/whoami", status=401)


def test_who_signed_in_again_meanwhile_is_told_so(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    slo.sign_in(browser, session_index="_again")
    page = browser.get(slo.address(slo.answer(asked.request), asked.relay_state)).follow()
    assert "You are signed in" in page


def test_an_application_may_have_a_last_page_of_its_own(slo: SingleLogout, browser: TestApp) -> None:
    settings = slo.site.provider.settings
    object.__setattr__(settings, "logout_target", "/?from=logout")
    try:
        asked = slo.read(press_sign_out(slo.sign_in(browser)))
        landed = browser.get(slo.address(slo.answer(asked.request, logout.PARTIAL), asked.relay_state))
        assert landed.location == f"{slo.site.origin}/?from=logout&signed_out=partly"
        slo.sign_in(browser, session_index="_again")
        landed = browser.get("/saml/logout").forms[0].submit("scope")
        assert landed.location == f"{slo.site.origin}/?from=logout&signed_out=here"
    finally:
        object.__setattr__(settings, "logout_target", "")


# -- An answer counts once, and only the right one --------------------------------------------------------------------


def refused(slo: SingleLogout, page: TestResponse, rule: str) -> None:
    """The person sees a page with a reference number; under it the trail has the rule."""
    assert page.status_int in (400, 403)
    assert "Reference number" in page
    ((last,),) = slo.site.rows("select rule from sp_audit order by id desc limit 1")
    assert last == rule


def test_an_answer_counts_once(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    url = slo.address(slo.answer(asked.request))
    browser.get(url)
    refused(slo, browser.get(url, expect_errors=True), "logout.answered_once")


def test_of_many_answers_at_once_one_counts(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    urls = [slo.address(slo.answer(asked.request)) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        codes = [
            each.status_int for each in pool.map(lambda url: slo.site.browser().get(url, expect_errors=True), urls)
        ]
    assert sorted(codes) == [303] + [403] * 5


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"in_response_to": "_" + "0" * 32}, "logout.request_known"),
        ({"issuer": "https://other-idp.example.net/saml/metadata"}, "logout.request_known"),
        ({"destination": DONE}, "logout.destination"),
    ],
)
def test_an_answer_to_something_else_is_refused(
    slo: SingleLogout, browser: TestApp, changes: dict[str, Any], rule: str
) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    page = browser.get(slo.address(slo.answer(asked.request, **changes), asked.relay_state), expect_errors=True)
    refused(slo, page, rule)
    assert "You are not signed in at this site" in page
    assert "has not answered yet" in browser.get("/saml/logout/done", {"handle": asked.relay_state})


def test_an_answer_without_a_signature_or_with_another_ones_is_refused(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    answer = slo.answer(asked.request)
    bare = slo.address(answer).partition("&SigAlg")[0]
    refused(slo, browser.get(bare, expect_errors=True), "logout.signed")
    forged = slo.address(answer, key=signing_key("other-idp"))
    refused(slo, browser.get(forged, expect_errors=True), "signature.value")


def test_an_answer_with_the_relay_state_of_another_sign_out_is_refused(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    other = slo.read(press_sign_out(slo.sign_in(browser, session_index="_two")))
    page = browser.get(slo.address(slo.answer(asked.request), other.relay_state), expect_errors=True)
    refused(slo, page, "logout.relay_state")


def test_an_answer_that_comes_too_late_is_refused(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    slo.site.clock.advance(hours=1)
    refused(slo, browser.get(slo.address(slo.answer(asked.request)), expect_errors=True), "logout.in_time")


def test_an_answer_by_soap_or_without_a_question_is_refused(slo: SingleLogout, browser: TestApp) -> None:
    asked = slo.read(press_sign_out(slo.sign_in(browser)))
    assert slo.by_soap(slo.answer(asked.request), status=403).content_type == "text/xml"
    nothing = slo.answer(asked.request, in_response_to=None)
    refused(slo, browser.get(slo.address(nothing), expect_errors=True), "logout.request_known")


@pytest.mark.parametrize("handle", ["", "x", "%ff", "a" * 5000, "%00", "<script>"])
def test_a_handle_that_is_none_names_nothing(site: Site, browser: TestApp, handle: str) -> None:
    page = browser.get(f"/saml/logout/done?handle={handle}", expect_errors=True)
    assert page.status_int in (200, 400)
    assert "<script>" not in page.text.replace("<script nonce", "")


@pytest.mark.conformance("SDP-SP36")
def test_each_virtual_host_is_an_entity_with_sessions_of_its_own(
    slo: SingleLogout, browser: TestApp, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Two sites of one server, one identity provider, the very same name: each ends its own session only."""
    folder = tmp_path_factory.mktemp("learning")
    learning = make_site(folder, public_url="https://learning.example.org", site_name="Learning")
    learning.idp.single_logout = slo.endpoints
    there = SingleLogout(learning)
    other = learning.browser()
    assert there.partner.entity_id != slo.partner.entity_id
    slo.sign_in(browser)
    there.sign_in(other)
    stolen = browser.cookies["__Host-intranet-session"]
    learning.browser().get("/whoami", headers={"Cookie": f"__Host-learning-session={stolen}"}, status=401)
    assert there.by_soap(slo.ask(), status=403).content_type == "text/xml"  # addressed to the first
    slo.by_soap(slo.ask())
    browser.get("/whoami", status=401)
    assert other.get("/whoami").json["signed_in"]
    asked = there.read(press_sign_out(other.get("/private")))
    assert asked.request.issuer == there.partner.entity_id
    learning.provider.engine.dispose()
