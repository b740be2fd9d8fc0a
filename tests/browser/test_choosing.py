"""Choosing an identity provider among many: by keyboard, with scripts off, in every look, and on a narrow screen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from federation.saml import xml
from federation.saml.bindings import redirect
from federation.saml.codec import authn_request
from federation.saml.metadata.entity import Contact, Logo, UIInfo
from tests.browser.appearance import examine
from tests.browser.person import Person
from tests.browser.test_keyboard import focused, tab_to
from tests.live import free_ports
from tests.sp_factories import Departure, FakeIdP, Site, make_site, served

ROUND = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHZpZXdCb3g9IjAgMCA2NCA2NCI+PGNpcmNsZ"
    "SBjeD0iMzIiIGN5PSIzMiIgcj0iMjgiIGZpbGw9IiMxMzVkYTgiLz48L3N2Zz4="
)
COLLEGE = UIInfo(
    display_names=(("en", "Aldersgate College"), ("de", "Altstadt-Hochschule")),
    descriptions=(
        ("en", "Arts, crafts and a long description that says at some length who is welcome to sign in here"),
    ),
    logos=(Logo(ROUND, 64, 64),),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that sixty-two identity providers are connected to, on a port of its own."""
    (port,) = free_ports(1)
    folder = tmp_path_factory.mktemp("choosing")
    made = make_site(
        folder,
        public_url=f"http://localhost:{port}",
        allow_http_loopback="true",
        required_attributes="mail department",
        support_email="help@intranet.example.org",
    )
    made.idp.options["error_url"] = "https://idp.example.org/error?code=ERRORURL_CODE"
    made.idp.contacts = (Contact("support", emails=("desk@idp.example.org",)),)
    made.connect(made.idp)
    college = FakeIdP(
        made.clock, entity_id="https://college.example.org/idp", sso_url="https://college.example.org/sso"
    )
    college.ui_info = COLLEGE
    made.connect(college)
    made.connect_many(60)
    with served(made):
        yield made
    made.provider.engine.dispose()


def somebody(chromium: Browser, site: Site, **options: Any) -> Person:
    """A person whose way ends at whichever identity provider they chose: none of them is really there."""
    person = Person(chromium, SimpleNamespace(intranet=site.origin), **options)  # type: ignore[arg-type]
    person.context.route(re.compile(r"^https://"), lambda route: route.fulfill(body=f"<h1>{route.request.url}</h1>"))
    return person


@pytest.fixture
def person(chromium: Browser, site: Site) -> Iterator[Person]:
    with somebody(chromium, site) as one:
        yield one


def left_for(page: Page, address: str) -> None:
    expect(page).to_have_url(re.compile("^" + re.escape(address) + r"\?SAMLRequest="))


def test_the_page_in_every_look(person: Person, site: Site) -> None:
    found: list[str] = []
    page = person.page
    page.goto(f"{site.origin}/private")
    found += examine(page, "sp-choose")
    page.get_by_role("link", name="Aldersgate College").click()
    page.goto(f"{site.origin}/private")
    found += examine(page, "sp-choose-again")
    page.get_by_label("Search by name, place or domain").fill("nothing of that name")
    page.keyboard.press("Enter")
    found += examine(page, "sp-choose-nothing-found")
    page.goto(f"{site.origin}/saml/login?entityID=urn:nobody")
    found += examine(page, "sp-choose-unknown")
    page.goto(f"{site.origin}/saml/discovery?entityID=urn:nobody")
    found += examine(page, "sp-choose-wrong-call")
    assert found == []


def test_the_page_for_somebody_about_whom_something_is_missing(person: Person, site: Site) -> None:
    page, idp = person.page, site.idp
    left = person.context.request.get(f"{site.origin}/saml/login?entityID={idp.entity_id}", max_redirects=0)
    request = redirect.decode(urlsplit(left.headers["location"]).query.encode())
    departure = Departure(authn_request.read(xml.parse(request.xml)), request.relay_state, request.binding)
    page.goto(f"{site.origin}/nowhere")
    page.evaluate(
        """fields => {
            const form = Object.assign(document.createElement("form"), {method: "post", action: "/saml/acs"});
            for (const [name, value] of Object.entries(fields))
                form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
            document.body.append(form);
            form.submit();
        }""",
        idp.answer(departure),
    )
    expect(page.get_by_role("definition").filter(has_text="E-mail address")).to_be_visible()
    assert examine(page, "sp-missing-attributes") == []


def test_searching_and_choosing_take_no_mouse(person: Person, site: Site) -> None:
    page = person.page
    page.goto(f"{site.origin}/private")
    tab_to(page, "Search by name, place or domain")
    page.keyboard.type("institute 017")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("1 of 62 found")
    tab_to(page, "Institute 017")
    assert focused(page) == "Institute 017"
    outline = page.evaluate("getComputedStyle(document.activeElement, '::after').outlineWidth")
    assert outline == "3px"
    page.keyboard.press("Enter")
    left_for(page, "https://idp017.example.net/sso")


def test_with_scripts_off_and_a_narrow_screen_everything_works(chromium: Browser, site: Site) -> None:
    with somebody(chromium, site, scripts=False, viewport={"width": 320, "height": 640}, locale="de-CH") as person:
        page = person.page
        page.goto(f"{site.origin}/private")
        page.get_by_role("link", name="Next").click()
        expect(page.get_by_role("link", name="Institute 045")).to_be_visible()
        page.get_by_label("Search by name, place or domain").fill("aldersgate")
        page.get_by_role("button", name="Search").click()
        page.get_by_role("link", name="Altstadt-Hochschule").click()
        left_for(page, "https://college.example.org/sso")
        page.goto(f"{site.origin}/private")
        last = page.get_by_role("list", name="Where you signed in last")
        expect(last.get_by_role("link")).to_have_text(["Altstadt-Hochschule"])
        page.get_by_role("button", name="Forget these in this browser").click()
        expect(last).to_have_count(0)
        expect(page.get_by_role("list", name="Organisations")).to_be_visible()
