"""Where a person lands is always a page of this site."""

from __future__ import annotations

import pytest
from webtest import TestApp

from tests.sp_factories import Site

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\t//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "evil.example",
    "private",
    "/\u2028/evil.example",
    "https://intranet.example.org.evil.example/",
    "https://intranet.example.org@evil.example/",
    "https://intranet.example.org//evil.example/",
    "/" + "a" * 3000,
]


@pytest.mark.parametrize("target", ELSEWHERE)
def test_a_link_that_would_lead_away_is_refused(site: Site, browser: TestApp, target: str) -> None:
    page = browser.get("/saml/login", {"target": target}, status=400)
    assert "leads nowhere" in page
    assert "evil" not in page
    assert site.counts()["sp_pending_request"] == 0


@pytest.mark.parametrize(
    "target", ["/", "/private", "/private?next=//evil.example", "/private/%2F%2Fevil", "/a/../b#c", "/:80"]
)
def test_any_path_of_this_site_is_fine(site: Site, browser: TestApp, target: str) -> None:
    assert site.sign_in(browser, target=target).location == site.origin + target


def test_a_path_in_letters_beyond_ascii_is_led_back_to_in_its_escapes(site: Site, browser: TestApp) -> None:
    assert site.sign_in(browser, target="/ö 1").location == f"{site.origin}/%C3%B6%201"


def test_an_address_of_our_own_counts_as_its_path(site: Site, browser: TestApp) -> None:
    assert site.sign_in(browser, target=f"{site.origin}/private?a=b").location == f"{site.origin}/private?a=b"


def test_a_protected_page_with_an_odd_address_still_leads_to_sign_in(site: Site, browser: TestApp) -> None:
    login = browser.get("/private/" + "a" * 3000)
    assert login.location == f"{site.origin}/saml/login"


@pytest.mark.parametrize("endpoint", ["/saml/login", "/saml/login?target=/private", "/saml/acs", "/saml/logout"])
def test_the_endpoints_themselves_are_no_place_to_land(site: Site, browser: TestApp, endpoint: str) -> None:
    """Otherwise a link could send a browser round in circles."""
    assert site.sign_in(browser, target=endpoint).location == f"{site.origin}/private"
