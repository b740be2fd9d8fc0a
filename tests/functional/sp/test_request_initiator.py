"""The request initiator: a portal's link starts a sign-in at this site, as it wants it (REQINIT 2.3)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from webtest import TestApp

from federation.saml.names import NameIDFormat, StatusCode
from tests.factories import signing_key
from tests.sp_factories import NOW, TARGET, Departure, Site, make_site

MFA = "https://refeds.org/profile/mfa"
SFA = "https://refeds.org/profile/sfa"


@pytest.mark.conformance("SDP-SP07")
def test_without_options_the_request_asks_for_nothing(site: Site, browser: TestApp) -> None:
    request = site.idp.read(browser.get("/saml/login")).request
    assert (request.force_authn, request.is_passive) == (False, False)
    assert request.requested_authn_context is None
    assert request.scoping is None
    assert request.subject is None
    assert request.assertion_consumer_service_index is None
    assert request.attribute_consuming_service_index is None


@pytest.mark.conformance("SDP-SP04", "IIP-SP03")
def test_a_request_leaves_the_identifier_to_the_identity_provider(site: Site, browser: TestApp) -> None:
    assert site.idp.read(browser.get("/saml/login")).request.name_id_policy is None


@pytest.mark.conformance("SDP-SP04", "IIP-SP03")
def test_a_site_may_say_allow_create_and_still_no_format(tmp_path: object) -> None:
    site = make_site(tmp_path, name_id_policy="allow-create")  # type: ignore[arg-type]
    policy = site.idp.read(site.browser().get("/saml/login")).request.name_id_policy
    assert policy is not None
    assert (policy.allow_create, policy.format, policy.sp_name_qualifier) == (True, None, None)
    assert NameIDFormat.TRANSIENT in site.provider.entity.sp.name_id_formats  # type: ignore[union-attr]
    site.provider.engine.dispose()


def test_a_fresh_sign_in_is_demanded_and_an_old_one_is_not_accepted(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET, "forceAuthn": "true"}))
    assert departure.request.force_authn
    early = site.idp.answer(departure, authn_instant=NOW - timedelta(hours=1))
    page = browser.post("/saml/acs", early, status=403)
    assert "You have to sign in anew" in page
    assert site.rows("select rule from sp_audit") == [("assertion.force_authn",)]
    # Beginning again demands the same.
    departure = site.idp.read(page.click("Sign in again"))
    assert departure.request.force_authn
    fresh = site.idp.answer(departure, authn_instant=NOW)
    assert browser.post("/saml/acs", fresh).location == site.origin + TARGET


def test_a_way_of_signing_in_is_demanded_exactly_and_another_is_not_accepted(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET, "authnContextClassRef": f"{MFA} {SFA}"}))
    context = departure.request.requested_authn_context
    assert context is not None
    assert (context.comparison, context.class_refs) == ("exact", (MFA, SFA))
    page = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    assert "A stronger sign-in is needed" in page
    departure = site.idp.read(page.click("Sign in again"))
    assert departure.request.requested_authn_context == context
    good = site.idp.answer(departure, authn_context_class_ref=SFA)
    assert browser.post("/saml/acs", good).location == site.origin + TARGET
    assert browser.get("/whoami").json["authn_context_class_ref"] == SFA


def passively(site: Site, browser: TestApp, target: str = TARGET) -> Departure:
    departure = site.idp.read(browser.get("/saml/login", {"target": target, "isPassive": "true"}))
    assert departure.request.is_passive
    return departure


def test_passively_somebody_who_is_signed_in_comes_in(site: Site, browser: TestApp) -> None:
    departure = passively(site, browser)
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


@pytest.mark.parametrize("status", [StatusCode.NO_PASSIVE, StatusCode.REQUEST_DENIED, None])
def test_passively_nobody_leads_back_to_the_page_which_is_told_so(
    site: Site, browser: TestApp, status: str | None
) -> None:
    departure = passively(site, browser)
    back = browser.post("/saml/acs", site.idp.deny(departure, status), status=303)
    assert back.location == f"{site.origin}{TARGET}&saml_signed_in=no"
    [(kind, rule)] = site.rows("SELECT kind, rule FROM sp_audit")
    assert (kind, rule) == ("nobody signed in", "response.status")
    # From there the person may sign in for good: they are asked then, and land on the page itself.
    departure = site.idp.read(browser.get("/saml/login", {"target": f"{TARGET}&saml_signed_in=no"}))
    assert not departure.request.is_passive
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_a_page_cannot_ask_passively_for_ever(site: Site, browser: TestApp) -> None:
    link = {"target": f"{TARGET}&saml_signed_in=no", "isPassive": "true"}
    assert "This link cannot be used" in browser.get("/saml/login", link, status=400)


def test_passively_a_response_that_breaks_a_rule_is_refused_as_ever(site: Site, browser: TestApp) -> None:
    departure = passively(site, browser)
    forged = site.idp.deny(departure, StatusCode.NO_PASSIVE, signing_key=signing_key("mallory"))
    assert "This sign-in was not accepted" in browser.post("/saml/acs", forged, status=403)
    other = site.browser()
    elsewhere = other.post("/saml/acs", site.idp.deny(departure, StatusCode.NO_PASSIVE), status=403)
    assert "belongs to another browser window" in elsewhere
    assert TARGET not in elsewhere


def test_no_passive_is_no_answer_to_a_sign_in_that_may_ask(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    assert "You are not signed in yet" in browser.post(
        "/saml/acs", site.idp.deny(departure, StatusCode.NO_PASSIVE), status=403
    )


def test_passively_a_paused_connection_is_nobody_too(site: Site, browser: TestApp) -> None:
    site.change_connection(state="paused")
    back = browser.get("/saml/login", {"target": "/#here", "isPassive": "true"}, status=303)
    assert back.location == f"{site.origin}/?saml_signed_in=no#here"
    browser.get("/saml/login", {"target": "/"}, status=403)


@pytest.mark.parametrize("value", ["true", "1", "TRUE", "false", "0", ""])
def test_a_boolean_is_written_as_xml_or_other_software_writes_it(site: Site, browser: TestApp, value: str) -> None:
    request = site.idp.read(browser.get("/saml/login", {"forceAuthn": value})).request
    assert request.force_authn is (value.lower() in ("true", "1"))


def test_what_nobody_defined_is_ignored(site: Site, browser: TestApp) -> None:
    link = "/saml/login?acsURL=https://evil.example/&acsIndex=7&NameIDFormat=urn:x&providerId=https://evil.example"
    request = site.idp.read(browser.get(link)).request
    assert request.assertion_consumer_service_url == f"{site.origin}/saml/acs"
    assert request.name_id_policy is None


@pytest.mark.parametrize(
    "link",
    [
        "forceAuthn=perhaps",
        "isPassive=true&isPassive=false",
        "authnContextClassRef=mfa",
        "authnContextClassRef=javascript:%22",
        "authnContextClassRef=" + "+".join(f"urn:x:{n}" for n in range(51)),
        "authnContextClassRef=urn:x:" + "a" * 300,
    ],
)
def test_a_link_that_says_what_cannot_be_is_refused_in_plain_words(site: Site, browser: TestApp, link: str) -> None:
    page = browser.get(f"/saml/login?{link}", status=400)
    assert "This link cannot be used" in page
    assert site.counts()["sp_pending_request"] == 0
