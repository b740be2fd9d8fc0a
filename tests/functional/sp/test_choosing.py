"""More than one identity provider: the person chooses, or the link does."""

from __future__ import annotations

import pytest
from webtest import TestApp

from federation.saml.names import Binding
from tests.sp_factories import TARGET, FakeIdP, Site


def second(site: Site, **more: str) -> FakeIdP:
    """Another identity provider, connected."""
    idp = FakeIdP(
        site.clock,
        entity_id="https://other.example.org/idp",
        sso_url="https://other.example.org/sso",
        name="Other College <&>",
        key="other-idp",
        **more,  # type: ignore[arg-type]
    )
    site.connect(idp)
    return idp


@pytest.mark.conformance("IIP-SP05", "SDP-SP20")
def test_the_person_chooses_and_lands_on_the_page_asked_for(site: Site, browser: TestApp) -> None:
    other = second(site)
    page = browser.get(TARGET).follow()
    assert "Other College &lt;&amp;&gt;" in page
    departure = other.read(page.click("Other College"))
    assert browser.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_a_link_can_name_the_identity_provider(site: Site, browser: TestApp) -> None:
    other = second(site)
    departure = other.read(browser.get("/saml/login", {"entityID": other.entity_id, "target": TARGET}))
    assert browser.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_beginning_again_keeps_the_aim_through_the_choice(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    other = second(site)
    problem = site.browser()
    page = problem.post("/saml/acs", site.idp.answer(departure), status=403).click("Sign in again")
    assert "private" not in page
    departure = other.read(page.click("Other College"))
    assert problem.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_a_paused_one_is_not_offered(site: Site, browser: TestApp) -> None:
    second(site)
    site.change_connection(state="paused")
    assert browser.get("/saml/login").status_int == 303


def test_one_that_offers_only_post_is_asked_by_post(site: Site, browser: TestApp) -> None:
    site.idp.bindings = (Binding.POST,)
    site.connect(site.idp)
    assert site.idp.read(browser.get("/saml/login")).binding == Binding.POST
