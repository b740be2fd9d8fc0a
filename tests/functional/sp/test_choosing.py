"""More than one identity provider: the person chooses, on our own page, or the link does."""

from __future__ import annotations

import re
from typing import Any

import pytest
from webtest import TestApp, TestResponse

from federation.registry.search_text import HIDE_FROM_DISCOVERY
from federation.saml.metadata.entity import Logo, UIInfo
from federation.saml.names import Binding
from tests.sp_factories import TARGET, FakeIdP, Site


def another(site: Site, name: str = "Other College <&>", **more: Any) -> FakeIdP:
    """Another identity provider, connected; `more` is what its metadata says besides."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "x"
    own = {key: more.pop(key) for key in ("bindings", "scopes") if key in more}
    idp = FakeIdP(
        site.clock,
        entity_id=f"https://{slug}.example.org/idp",
        sso_url=f"https://{slug}.example.org/sso",
        name=name,
        key="other-idp",
        **own,
    )
    idp.options.update(more)
    site.connect(idp)
    return idp


def chooser(browser: TestApp, target: str = TARGET, **headers: str) -> TestResponse:
    """The page to choose on, as somebody meets it who asked for a page."""
    return browser.get("/saml/login", {"target": target}).follow(headers=headers)


def names(page: TestResponse, label: str = "Organisations") -> list[str]:
    """What a list of the page offers, in its order."""
    found = page.html.find("ul", attrs={"aria-label": label})
    return [] if found is None else [link.get_text() for link in found.find_all("a")]


@pytest.mark.conformance("IIP-SP05", "SDP-SP20", "SDP-SP23")
def test_the_person_chooses_and_lands_on_the_page_asked_for(site: Site, browser: TestApp) -> None:
    other = another(site)
    page = browser.get(TARGET).follow().follow()
    assert "Other College &lt;&amp;&gt;" in page
    departure = other.read(page.click("Other College").follow())
    assert browser.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET
    # The very same page by the other one.
    elsewhere = site.browser()
    departure = site.idp.read(elsewhere.get(TARGET).follow().follow().click("Example University").follow())
    assert elsewhere.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


def test_back_to_the_page_and_another_choice(site: Site, browser: TestApp) -> None:
    other = another(site)
    page = chooser(browser)
    page.click("Example University").follow()
    departure = other.read(page.click("Other College").follow())
    assert browser.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_a_link_can_name_the_identity_provider(site: Site, browser: TestApp) -> None:
    other = another(site)
    departure = other.read(browser.get("/saml/login", {"entityID": other.entity_id, "target": TARGET}))
    assert browser.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_a_link_that_names_one_that_is_not_connected_leads_to_a_clear_page(site: Site, browser: TestApp) -> None:
    page = browser.get("/saml/login", {"entityID": "https://evil.example/idp", "target": TARGET}, status=403)
    assert "does not know that identity provider" in page
    assert "evil" not in page
    assert site.idp.read(page.click("Sign in again"))
    assert site.rows("select rule from sp_audit") == [("login.idp_known",)]


def test_beginning_again_keeps_the_aim_through_the_choice(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    other = another(site)
    problem = site.browser()
    page = problem.post("/saml/acs", site.idp.answer(departure), status=403).click("Sign in again").follow()
    assert "private" not in page
    departure = other.read(page.click("Other College").follow())
    assert problem.post("/saml/acs", other.answer(departure)).location == site.origin + TARGET


def test_where_only_one_can_be_chosen_nobody_is_asked(site: Site, browser: TestApp) -> None:
    """The others are paused, expired or hidden; a link still leads to a hidden one."""
    hidden = another(site, "Hidden", entity_attributes={"http://macedir.org/entity-category": [HIDE_FROM_DISCOVERY]})
    assert site.idp.read(browser.get("/saml/login"))
    assert hidden.read(browser.get("/saml/login", {"entityID": hidden.entity_id}))
    another(site)
    site.change_connection(state="paused")
    assert "other-college" in browser.get("/saml/login").location
    site.change_connection(state="active", valid_until=site.clock())
    assert "other-college" in browser.get("/saml/login").location


def test_those_that_hide_from_discovery_are_not_listed_nor_found(site: Site, browser: TestApp) -> None:
    another(site, "Hidden", entity_attributes={"http://macedir.org/entity-category": [HIDE_FROM_DISCOVERY]})
    another(site, "Other")
    page = chooser(browser)
    assert names(page) == ["Example University", "Other"]
    found = browser.get(page.request.url + "&q=hidden")
    assert names(found) == []
    assert "Nothing was found" in found
    chosen = browser.get(page.request.url, {"choose": "https://hidden.example.org/idp"})
    assert "That choice is not available" in chosen


def test_one_that_offers_only_post_is_asked_by_post(site: Site, browser: TestApp) -> None:
    site.idp.bindings = (Binding.POST,)
    site.connect(site.idp)
    assert site.idp.read(browser.get("/saml/login")).binding == Binding.POST


# What the page shows --------------------------------------------------------------------------------------------------

DOT = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
UI_INFO = UIInfo(
    display_names=(("en", "University of Zurich"), ("de", "Universität Zürich")),
    descriptions=(("en", "Founded 1833"), ("de", "Gegründet 1833")),
    keywords=(("en", "UZH Turicensis"),),
    logos=(Logo("https://logos.example.org/uzh.png", 60, 60), Logo(DOT, 64, 64)),
)


@pytest.fixture
def zurich(site: Site) -> FakeIdP:
    """An identity provider that speaks two languages and has pictures."""
    idp = FakeIdP(
        site.clock, entity_id="https://uzh.example.ch/idp", sso_url="https://uzh.example.ch/sso", key="third-idp"
    )
    idp.scopes = ("uzh.example.ch",)
    idp.ui_info = UI_INFO
    site.connect(idp)
    return idp


def test_names_and_descriptions_come_in_the_language_of_the_reader(
    site: Site, browser: TestApp, zurich: FakeIdP
) -> None:
    page = chooser(browser, **{"Accept-Language": "de-CH, fr;q=0.5"})
    assert names(page) == ["Example University", "Universität Zürich"]
    link = page.html.find("a", string="Universität Zürich")
    assert link["lang"] == "de"
    assert page.html.find("p", string="Gegründet 1833")["lang"] == "de"
    english = chooser(browser, **{"Accept-Language": "fr"})
    assert names(english) == ["Example University", "University of Zurich"]
    assert "Founded 1833" in english


def test_only_inline_pictures_are_shown_because_a_page_fetches_nothing_from_elsewhere(
    site: Site, browser: TestApp, zurich: FakeIdP
) -> None:
    page = chooser(browser)
    assert [image["src"] for image in page.html.find_all("img")] == [DOT]
    assert "logos.example.org" not in page
    assert "img-src 'self' data:;" in page.headers["Content-Security-Policy"]


def test_the_name_that_an_administrator_gave_comes_first(site: Site, browser: TestApp, zurich: FakeIdP) -> None:
    site.connect(zurich, name="Our friends in Zurich")
    assert names(chooser(browser, **{"Accept-Language": "de"})) == ["Example University", "Our friends in Zurich"]


@pytest.mark.parametrize("words", ["zurich", "ZÜRICH", "universität z", "uzh", "turic", "uzh.example.ch", "zur univ"])
def test_a_search_finds_what_people_call_it(site: Site, browser: TestApp, zurich: FakeIdP, words: str) -> None:
    page = chooser(browser)
    assert names(browser.get(page.request.url, {"q": words})) == ["University of Zurich"]


@pytest.mark.conformance("SDP-SP23")
def test_hundreds_are_paged_searched_by_a_plain_form(site: Site, browser: TestApp) -> None:
    site.connect_many(600)
    page = chooser(browser)
    assert len(names(page)) == 40
    assert names(page)[:2] == ["Example University", "Institute 000"]
    assert "Page 1 of 16" in page
    assert names(page.click("Next"))[0] == "Institute 039"
    form = next(form for form in page.forms.values() if "q" in form.fields)
    form["q"] = "institute 59"
    found = form.submit()
    assert names(found)[:11] == [*(f"Institute {number}" for number in range(590, 600)), "Institute 059"]
    assert "16 of 601 found" in found
    assert "16 found for “institute 59”" in found.html.title.get_text()
    departure = browser.get(found.click("Institute 595").location)
    assert departure.location.startswith("https://idp595.example.net/sso?SAMLRequest=")


def test_a_page_number_that_is_none_shows_the_first_or_the_last(site: Site, browser: TestApp) -> None:
    another(site)
    url = chooser(browser).request.url
    for number in ("0", "-1", "99", "x", "9" * 30, "²"):
        assert names(browser.get(url, {"page": number})) == ["Example University", "Other College <&>"]


# What is remembered ---------------------------------------------------------------------------------------------------


def test_the_last_choices_come_first_and_can_be_forgotten(site: Site, browser: TestApp) -> None:
    for name in ("Alpha", "Beta", "Gamma", "Delta"):
        another(site, name)
    page = chooser(browser)
    assert names(page, "Where you signed in last") == []
    for name in ("Alpha", "Beta", "Gamma", "Beta", "Delta"):
        page.click(name, index=0)
    page = chooser(browser)
    assert names(page, "Where you signed in last") == ["Delta", "Beta", "Gamma"]
    assert len(names(page)) == 5
    form = next(form for form in page.forms.values() if form.method == "post" and form.action.endswith("/discovery"))
    page = form.submit().follow()
    assert names(page, "Where you signed in last") == []
    assert page.click("Alpha").follow().location.startswith("https://alpha.example.org/sso")


def test_the_memory_holds_no_names_and_is_fenced(site: Site, browser: TestApp) -> None:
    another(site)
    (cookie,) = chooser(browser).click("Other College").headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-intranet-choices=")
    for part in ("HttpOnly", "secure", "SameSite=Lax", "Max-Age=31536000"):
        assert part in cookie
    assert "other" not in cookie


@pytest.mark.parametrize("planted", ["", "x", ".", "....", "a" * 5000, "é", "<b>"])
def test_a_memory_that_is_not_ours_remembers_nothing(site: Site, browser: TestApp, planted: str) -> None:
    another(site)
    page = chooser(browser)
    cookie = f"__Host-intranet-choices={planted}"
    page = browser.get(page.request.url, headers={"Cookie": cookie.encode().decode("latin-1")})
    assert names(page, "Where you signed in last") == []
