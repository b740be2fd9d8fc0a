"""How long people stay signed in, and how they sign out."""

from __future__ import annotations

from datetime import timedelta

import pytest
from webtest import TestApp

from tests.sp_factories import NOW, Site, attributes


def test_a_session_ends_after_its_lifetime(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    site.clock.advance(hours=9, minutes=59)
    assert browser.get("/whoami").json["signed_in"]
    site.clock.advance(minutes=1)
    browser.get("/whoami", status=401)


def test_a_session_ends_when_the_identity_provider_says_so(site: Site, browser: TestApp) -> None:
    site.sign_in(browser, session_not_on_or_after=NOW + timedelta(minutes=30))
    site.clock.advance(minutes=29)
    assert browser.get("/whoami").json["signed_in"]
    site.clock.advance(minutes=1)
    browser.get("/whoami", status=401)


def test_an_identity_provider_cannot_make_a_session_longer_than_ours(site: Site, browser: TestApp) -> None:
    site.sign_in(browser, session_not_on_or_after=NOW + timedelta(days=300))
    assert browser.get("/whoami").json["expires_at"] == (NOW + timedelta(hours=10)).isoformat()


def test_signing_in_gives_a_new_session_whatever_cookie_the_browser_had(site: Site, browser: TestApp) -> None:
    """Session fixation: a value that somebody planted before the sign-in opens nothing after it."""
    planted = "a" * 43
    departure = site.idp.read(browser.get("/saml/login"))
    binding = browser.cookies["__Host-intranet-binding"]
    cookie = f"__Host-intranet-binding={binding}; __Host-intranet-session={planted}"
    browser.post("/saml/acs", site.idp.answer(departure), headers={"Cookie": cookie})
    fresh = site.browser()
    fresh.get("/whoami", headers={"Cookie": f"__Host-intranet-session={planted}"}, status=401)


def test_signing_in_again_ends_the_older_session_of_the_browser(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    older = browser.cookies["__Host-intranet-session"]
    site.sign_in(browser)
    assert browser.cookies["__Host-intranet-session"] != older
    site.browser().get("/whoami", headers={"Cookie": f"__Host-intranet-session={older}"}, status=401)


@pytest.mark.parametrize("value", ["", "x", "a" * 10_000, "%00", "ö", "' or 1=1 --"])
def test_a_cookie_that_is_none_of_ours_is_nobody(site: Site, browser: TestApp, value: str) -> None:
    cookie = f'__Host-intranet-session="{value}"'.encode().decode("latin-1")
    browser.get("/whoami", headers={"Cookie": cookie}, status=401)


def test_what_is_stored_opens_no_session(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    ((stored,),) = site.rows("select handle_hash from sp_session")
    assert browser.cookies["__Host-intranet-session"] not in stored
    site.browser().get("/whoami", headers={"Cookie": f"__Host-intranet-session={stored}"}, status=401)


def test_signing_out_ends_the_session_on_the_server(site: Site, browser: TestApp) -> None:
    page = site.sign_in(browser).follow()
    value = browser.cookies["__Host-intranet-session"]
    out = page.forms[0].submit()
    assert out.location.startswith(f"{site.origin}/saml/logout/done?")
    assert "__Host-intranet-session" not in browser.cookies
    site.browser().get("/whoami", headers={"Cookie": f"__Host-intranet-session={value}"}, status=401)
    assert "signed out here only" in out.follow()


def test_nobody_else_can_sign_a_person_out(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    for posted, headers in (({}, {}), ({"csrf_token": "x"}, {}), ({}, {"Origin": "https://evil.example"})):
        browser.post("/saml/logout", posted, headers=headers, status=400)
    browser.get("/saml/logout")
    assert browser.get("/whoami").json["signed_in"]


def test_signing_out_without_a_session_is_harmless(site: Site, browser: TestApp) -> None:
    page = site.sign_in(browser).follow()
    form, token = page.forms[0], browser.cookies["__Host-intranet-csrf"]
    out = form.submit(headers={"Cookie": f"__Host-intranet-csrf={token}"}).follow()
    assert "Nobody is signed in here" in site.browser().get(out.request.path_qs)
    assert "Nobody is signed in here" in site.browser().get("/saml/logout").follow()


def test_another_person_in_the_same_browser_is_another_session(site: Site, browser: TestApp) -> None:
    site.sign_in(browser)
    site.sign_in(browser, attributes=attributes("bob@example.org", display_name="Bob"))
    assert browser.get("/whoami").json["account"]["display_name"] == "Bob"
