"""A response belongs to the browser that began: elsewhere it is not accepted, and one click starts again."""

from __future__ import annotations

import pytest
from webtest import TestApp

from tests.sp_factories import TARGET, Site


def test_a_response_without_its_browsers_cookie_is_never_accepted(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    before = site.counts()
    elsewhere = site.browser()
    page = elsewhere.post("/saml/acs", answer, status=403)
    assert "belongs to another browser" in page
    assert "Set-Cookie" not in page.headers
    elsewhere.get("/whoami", status=401)
    assert site.counts() == before | {"sp_audit": before["sp_audit"] + 1}


def test_one_click_begins_again_and_ends_on_the_same_page(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    elsewhere = site.browser()
    page = elsewhere.post("/saml/acs", answer, status=403)
    departure = site.idp.read(page.click("Sign in again"))
    assert elsewhere.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_the_page_for_the_other_browser_does_not_tell_where_the_person_was_going(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": "/private/secret-merger"})))
    elsewhere = site.browser()
    page = elsewhere.post("/saml/acs", answer, status=403)
    assert "merger" not in page
    assert "merger" not in page.click("Sign in again").location


def test_the_browser_that_began_can_still_finish_after_a_stranger_tried(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    site.browser().post("/saml/acs", answer, status=403)
    assert browser.post("/saml/acs", answer).location == site.origin + TARGET


def test_another_browsers_cookie_does_not_help(site: Site, browser: TestApp) -> None:
    """An attacker posts the response for the attacker's own account through a victim's browser: login CSRF."""
    victim = site.browser()
    victim.get("/saml/login")
    attackers = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    assert "belongs to another browser" in victim.post("/saml/acs", attackers, status=403)
    victim.get("/whoami", status=401)


def test_a_browser_whose_cookies_were_cleared_begins_again(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    browser.reset()
    page = browser.post("/saml/acs", answer, status=403)
    departure = site.idp.read(page.click("Sign in again"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


@pytest.mark.parametrize(
    "relay_state", [None, "", "unknown", "a" * 80, "https://evil.example/", '"><script>', "ö" * 20]
)
def test_a_response_to_no_request_of_ours_is_not_accepted(
    site: Site, browser: TestApp, relay_state: str | None
) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    if relay_state is None:
        del answer["RelayState"]
    else:
        answer["RelayState"] = relay_state
    page = browser.post("/saml/acs", answer, status=403)
    assert "did not begin here" in page
    assert "evil" not in page
    assert '<script>"' not in page
    departure = site.idp.read(page.click("Sign in again"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == f"{site.origin}/private"


def test_a_relay_state_longer_than_the_standard_allows_is_refused(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    page = browser.post("/saml/acs", {**answer, "RelayState": "a" * 5000}, status=400)
    assert "cannot be read" in page


def test_a_response_to_the_request_of_another_tab_is_not_accepted(site: Site, browser: TestApp) -> None:
    """The relay state of one request, the response to another, both of this browser."""
    first = site.idp.read(browser.get("/saml/login", {"target": "/private/one"}))
    second = site.idp.read(browser.get("/saml/login", {"target": "/private/two"}))
    crossed = site.idp.answer(first) | {"RelayState": str(second.relay_state)}
    assert "security check" in browser.post("/saml/acs", crossed, status=403)
    assert site.rows("select rule from sp_audit") == [("response.in_response_to",)]


def test_a_sign_in_that_took_too_long_begins_again_with_the_same_aim(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    site.clock.advance(hours=25)
    page = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "took too long" in page
    departure = site.idp.read(page.click("Sign in again"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_a_link_to_begin_again_whose_request_is_long_gone_leads_to_the_usual_page(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"resume": "gone"}))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == f"{site.origin}/private"


def test_the_link_to_begin_again_carries_nothing_but_the_handle(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    page = site.browser().post("/saml/acs", site.idp.answer(departure), status=403)
    assert f'href="/saml/login?resume={departure.relay_state}"' in page
