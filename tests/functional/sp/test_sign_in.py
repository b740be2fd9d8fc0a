"""A person signs in at the site, by real messages with real keys."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest import TestApp

from federation.saml.names import Binding
from tests.sp_factories import ALICE, BOB, TARGET, Site, attributes


@pytest.mark.conformance("IIP-SSO01", "IIP-SP09", "SDP-SP01", "SDP-SP08", "SDP-SP21")
def test_a_protected_page_leads_to_the_identity_provider_and_back_to_the_very_page(
    site: Site, browser: TestApp
) -> None:
    login = browser.get(TARGET)
    departure = site.idp.read(login.follow())
    landed = browser.post("/saml/acs", site.idp.answer(departure))
    assert landed.status_int == 303
    assert landed.location == site.origin + TARGET
    assert "Alice Archer" in landed.follow()


def test_the_page_lists_which_attributes_arrived(site: Site, browser: TestApp) -> None:
    told = attributes(display_name="Alice Archer", mail="alice@example.org", groups=["staff", "library"])
    page = site.sign_in(browser, attributes=told).follow()
    for text in (
        "Display name",
        "Alice Archer",
        "E-mail address",
        "alice@example.org",
        "Groups",
        "staff",
        "library",
        ALICE,
    ):
        assert text in page


def test_whoami_tells_the_same_to_programs(site: Site, browser: TestApp) -> None:
    assert browser.get("/whoami", status=401).json == {"signed_in": False}
    site.sign_in(browser, attributes=attributes(display_name="Alice Archer", groups=["staff", "library"]))
    answer = browser.get("/whoami").json
    assert answer["signed_in"]
    assert answer["account"]["display_name"] == "Alice Archer"
    assert answer["identity_provider"] == site.idp.entity_id
    assert answer["attributes"]["urn:oid:1.3.6.1.4.1.5923.1.5.1.1"] == ["staff", "library"]
    assert answer["friendly_names"]["urn:oid:2.16.840.1.113730.3.1.241"] == "displayName"


@pytest.mark.conformance("IIP-SSO02", "SDP-SP02", "SDP-SP05", "SDP-SP06")
def test_the_request_is_signed_and_says_where_to_post_the_answer(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    assert departure.binding == Binding.REDIRECT
    assert departure.request.issuer == site.provider.entity_id
    assert departure.request.destination == site.idp.sso_url
    assert departure.request.assertion_consumer_service_url == f"{site.origin}/saml/acs"
    assert departure.request.protocol_binding == Binding.POST


@pytest.mark.conformance("IIP-SSO02")
def test_the_request_travels_by_post_where_the_connection_says_so(site: Site, browser: TestApp) -> None:
    site.change_connection(request_binding="post")
    page = browser.get("/saml/login?target=/private")
    departure = site.idp.read(page)
    assert departure.binding == Binding.POST
    assert "Alice Archer" in browser.post("/saml/acs", site.idp.answer(departure)).follow()


def test_the_relay_state_is_opaque_and_short(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    assert departure.relay_state is not None
    assert "private" not in departure.relay_state
    assert len(departure.relay_state.encode()) <= 80
    assert not site.rows("select 1 from sp_pending_request where handle_hash = ?", departure.relay_state)


def test_a_person_who_signs_in_for_the_first_time_gets_an_account_and_keeps_it(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    first = browser.get("/whoami").json["account"]["id"]
    elsewhere = site.browser()
    site.sign_in(elsewhere)
    assert elsewhere.get("/whoami").json["account"]["id"] == first
    assert site.counts()["sp_account"] == 1


def test_two_people_with_the_same_name_and_address_are_two_accounts(site: Site, browser: TestApp) -> None:
    same: dict[str, Any] = {"display_name": "A. Archer", "mail": "desk@example.org", "username": "archer"}
    site.sign_in(browser, attributes=attributes(ALICE, **same))
    site.sign_in(site.browser(), attributes=attributes(BOB, **same))
    assert site.counts()["sp_account"] == 2
    assert site.rows("select username from sp_account order by username nulls last") == [("archer",), (None,)]


def test_the_letter_case_of_the_identifier_does_not_make_another_person(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    site.sign_in(site.browser(), attributes=attributes(ALICE.upper()))
    assert site.counts()["sp_account"] == 1


def test_the_name_follows_what_the_identity_provider_tells(site: Site, browser: TestApp) -> None:
    site.sign_in(browser, attributes=attributes(display_name="Alice Archer", mail="alice@example.org"))
    site.sign_in(browser, attributes=attributes(display_name="Alice Bow"))
    account = browser.get("/whoami").json["account"]
    assert account["display_name"] == "Alice Bow"
    assert account["mail"] == "alice@example.org"  # what is not told again is not forgotten


def test_two_tabs_of_one_browser_sign_in_independently(site: Site, browser: TestApp) -> None:
    first = site.idp.read(browser.get("/saml/login", {"target": "/private/one"}))
    second = site.idp.read(browser.get("/saml/login", {"target": "/private/two"}))
    assert browser.post("/saml/acs", site.idp.answer(second)).location.endswith("/private/two")
    assert browser.post("/saml/acs", site.idp.answer(first)).location.endswith("/private/one")


def test_the_back_button_to_the_identity_provider_and_another_answer_to_the_same_request(
    site: Site, browser: TestApp
) -> None:
    """Back to the sign-in page there, and forward again: the identity provider answers the same request once more."""
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    browser.post("/saml/acs", site.idp.answer(departure))
    again = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "used already" in again
    assert again.click("Go on to your page").request.path_qs == TARGET
    assert browser.get("/whoami").json["signed_in"]


def test_back_to_the_login_link_simply_begins_anew(site: Site, browser: TestApp) -> None:
    browser.get("/saml/login", {"target": TARGET})
    assert site.sign_in(browser, target=TARGET).location == site.origin + TARGET


def test_a_page_left_open_overnight_still_signs_in(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    site.clock.advance(hours=15)
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_without_a_target_people_land_on_the_page_of_the_settings(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == f"{site.origin}/private"


def test_the_sign_in_is_on_record(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    ((kind, idp, account),) = site.rows("select kind, idp_entity_id, account_id from sp_audit")
    assert (kind, idp) == ("signed in", site.idp.entity_id)
    assert account == browser.get("/whoami").json["account"]["id"]


def test_the_binding_cookie_survives_a_cross_site_post_and_the_session_cookie_is_lax(
    site: Site, browser: TestApp
) -> None:
    (binding,) = browser.get("/saml/login").headers.getall("Set-Cookie")
    assert binding.startswith("__Host-intranet-binding=")
    assert "SameSite=None" in binding
    assert "secure" in binding
    assert "HttpOnly" in binding
    cookies = [cookie for cookie in site.sign_in(browser).headers.getall("Set-Cookie") if "-session=" in cookie]
    assert len(cookies) == 1
    assert cookies[0].startswith("__Host-intranet-session=")
    assert "SameSite=Lax" in cookies[0]
    assert "HttpOnly" in cookies[0]


def test_one_browser_keeps_one_binding_cookie(site: Site, browser: TestApp) -> None:
    values = set()
    for _ in range(3):
        browser.get("/saml/login")
        values.add(browser.cookies["__Host-intranet-binding"])
    assert len(values) == 1


@pytest.mark.parametrize("planted", ["", "x", "short", "a" * 42, "a" * 44, "a" * 42 + "!"])
def test_a_binding_cookie_that_is_not_ours_is_replaced(site: Site, browser: TestApp, planted: str) -> None:
    response = browser.get("/saml/login", headers={"Cookie": f"__Host-intranet-binding={planted}"})
    assert f"__Host-intranet-binding={planted};" not in response.headers["Set-Cookie"]


def test_the_host_header_decides_nothing(site: Site, browser: TestApp) -> None:
    evil = {"HTTP_HOST": "evil.example"}
    login = browser.get(TARGET, extra_environ=evil)
    assert login.location.startswith(f"{site.origin}/saml/login")
    departure = site.idp.read(browser.get(login.location, extra_environ=evil))
    assert departure.request.assertion_consumer_service_url == f"{site.origin}/saml/acs"


def test_only_the_reading_of_a_page_leads_to_sign_in(browser: TestApp) -> None:
    assert browser.post("/private", status=405)
    assert parse_qs(urlsplit(browser.get("/private/a?b=c").location).query) == {"target": ["/private/a?b=c"]}
