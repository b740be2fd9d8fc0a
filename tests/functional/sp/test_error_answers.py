"""The identity provider answers with an error: a page that a person understands, and a way on."""

from __future__ import annotations

import pytest
from webtest import TestApp

from federation.saml.names import StatusCode
from tests.factories import signing_key
from tests.sp_factories import TARGET, Site

TOLD = {
    StatusCode.REQUEST_DENIED: "You may not use this site",
    StatusCode.AUTHN_FAILED: "You were not signed in",
    StatusCode.NO_PASSIVE: "You are not signed in yet",
    StatusCode.NO_AUTHN_CONTEXT: "A stronger sign-in is needed",
    StatusCode.UNKNOWN_PRINCIPAL: "Your identity provider does not know you",
    StatusCode.UNSUPPORTED_BINDING: "Your identity provider could not sign you in",
    "urn:example:a-code-of-their-own": "Your identity provider could not sign you in",
    None: "Your identity provider could not sign you in",
}


@pytest.mark.parametrize("code", TOLD)
@pytest.mark.conformance("SDP-SP11", "IIP-SSO03")
def test_each_status_has_its_own_words_and_a_reference_number(site: Site, browser: TestApp, code: str | None) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    page = browser.post("/saml/acs", site.idp.deny(departure, code), status=403)
    assert TOLD[code] in page
    ((reference, rule),) = site.rows("select reference, rule from sp_audit")
    assert reference in page
    assert rule == "response.status"
    browser.get("/whoami", status=401)


def test_the_text_of_the_identity_provider_is_not_shown(site: Site, browser: TestApp) -> None:
    """An error answer need not be signed, so its text could be anybody's."""
    departure = site.idp.read(browser.get("/saml/login"))
    page = browser.post("/saml/acs", site.idp.deny(departure, StatusCode.REQUEST_DENIED), status=403)
    assert "text of the IdP" not in page


def test_trying_again_leads_to_the_page_first_asked_for(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    page = browser.post("/saml/acs", site.idp.deny(departure, StatusCode.AUTHN_FAILED), status=403)
    departure = site.idp.read(page.click("Sign in again"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_an_error_that_somebody_else_signed_is_refused_as_such(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    denied = site.idp.deny(departure, StatusCode.REQUEST_DENIED, signing_key=signing_key("eve"))
    assert "security check" in browser.post("/saml/acs", denied, status=403)


def test_a_success_without_an_assertion_is_refused(site: Site, browser: TestApp) -> None:
    from federation.saml.messages import Status

    departure = site.idp.read(browser.get("/saml/login"))
    empty = site.idp.deny(departure, None, status=Status(StatusCode.SUCCESS))
    assert "security check" in browser.post("/saml/acs", empty, status=403)
