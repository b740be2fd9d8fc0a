"""Every page in every look: nobody is kept out, nothing is cut off, and the pictures are there to be looked at.

Over plain http only: the look does not depend on how the page travelled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.appearance import examine
from tests.browser.conftest import HTTP
from tests.browser.person import Person
from tests.demo_sites import DemoSites

pytestmark = pytest.mark.parametrize("sites", [HTTP], indirect=True)


@pytest.fixture
def visitor(chromium: Browser, sites: DemoSites) -> Iterator[Person]:
    """Somebody in whose browser no form sends itself, so that each page can be looked at."""
    with Person(chromium, sites) as somebody:
        somebody.context.add_init_script("HTMLFormElement.prototype.submit = () => {}")
        yield somebody


@pytest.fixture
def see(visitor: Person) -> Iterator[Callable[[str], None]]:
    """Call it with a page's name to examine and photograph it; what was found is told at the end, for all pages."""
    found: list[str] = []
    yield lambda name: found.extend(examine(visitor.page, name))
    assert found == []


def test_the_pages_of_signing_in_and_out(visitor: Person, see: Callable[[str], None]) -> None:
    page, sites = visitor.page, visitor.sites
    page.goto(f"{sites.intranet}/")
    see("sp-home")
    page.goto(f"{sites.intranet}/private")
    see("idp-sign-in")
    visitor.sign_in("alice", "not her password")
    see("idp-sign-in-wrong-password")
    visitor.sign_in("alice")
    see("idp-taking-you-there")
    page.get_by_role("button", name="Continue").click()
    visitor.arrives(f"{sites.intranet}/private")
    see("sp-private")
    page.goto(f"{sites.idp}/")
    see("idp-your-sites")
    page.goto(f"{sites.idp}/saml/about")
    see("idp-about")
    page.goto(f"{sites.intranet}/saml/about")
    see("sp-about")
    page.goto(f"{sites.learning}/private")
    page.get_by_role("button", name="Continue").click()
    visitor.arrives(f"{sites.learning}/private")
    see("sp-private-learning")
    page.goto(f"{sites.learning}/saml/logout")
    see("sp-sign-out")
    page.get_by_role("button", name="Only here").click()
    see("sp-signed-out-here")
    page.goto(f"{sites.idp}/signout")
    see("idp-sign-out")
    page.get_by_role("button", name="Sign out everywhere").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("signed out")
    see("idp-signed-out")
    page.goto(f"{sites.intranet}/private")
    visitor.sign_in("alice")
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    see("sp-signed-out")
    page.goto(f"{sites.intranet}/saml/slo?SAMLRequest=x")
    see("sp-logout-unreadable")


def test_the_pages_of_refusals(visitor: Person, see: Callable[[str], None]) -> None:
    page, sites = visitor.page, visitor.sites
    page.goto(f"{sites.intranet}/private")
    visitor.sign_in("dave")
    see("idp-denied")
    page.goto(f"{sites.idp}/")
    see("idp-no-sites")
    page.go_back()
    page.get_by_role("button", name="Return to Intranet").click()
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    see("sp-denied")
    page.goto(f"{sites.intranet}/nowhere")
    see("sp-not-found")
    page.goto(f"{sites.idp}/saml/sso")
    see("idp-bad-request")
    about = f"code=IDENTIFICATION_FAILURE&ts=1772618400&tid=7KQ2-M4XD&rp={sites.intranet}/saml/metadata"
    page.goto(f"{sites.idp}/saml/error?{about}&ctx=urn:oid:0.9.2342.19200300.100.1.3%20urn:oid:2.5.4.11")
    see("idp-error-url")


def test_the_pages_of_an_interrupted_sign_in(visitor: Person, see: Callable[[str], None]) -> None:
    page, sites = visitor.page, visitor.sites
    page.goto(f"{sites.intranet}/private")
    visitor.sign_in("alice")
    visitor.forget("intranet")
    page.get_by_role("button", name="Continue").click()
    see("sp-other-browser")
    page.goto(f"{sites.intranet}/private")
    page.get_by_role("button", name="Continue").click()
    visitor.arrives(f"{sites.intranet}/private")
    page.go_back()
    page.get_by_role("button", name="Continue").click()
    see("sp-used-already")


def test_the_console_of_the_identity_provider(visitor: Person, see: Callable[[str], None]) -> None:
    page, sites = visitor.page, visitor.sites
    page.goto(f"{sites.idp}/admin")
    visitor.sign_in("admin")
    expect(page).to_have_url(f"{sites.idp}/admin")
    see("idp-console")
    for part in ("People", "Audiences", "Connections"):
        page.get_by_role("navigation", name="Console").get_by_role("link", name=part).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(part)
        see(f"idp-console-{part.lower()}")
    page.get_by_role("link", name="Intranet").click()
    see("idp-console-connection")
    page.get_by_label("Preview for a person").fill("alice")
    page.get_by_role("button", name="Preview").click()
    see("idp-console-connection-preview")
    page.goto(f"{sites.idp}/admin/people")
    page.get_by_role("link", name="Alice Archer").click()
    see("idp-console-person")
    page.goto(f"{sites.idp}/admin/people?q=nobody-of-this-name")
    see("idp-console-people-none")
    page.goto(f"{sites.idp}/admin/people/import")
    see("idp-console-import")
    page.get_by_label("CSV file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": b"username,guest\n,perhaps\n"}
    )
    page.get_by_role("button", name="Import").click()
    see("idp-console-import-refused")
    page.goto(f"{sites.idp}/admin/audiences")
    page.get_by_role("link", name="Staff").click()
    see("idp-console-audience")


def test_the_console_of_a_service_provider(visitor: Person, see: Callable[[str], None]) -> None:
    page, sites = visitor.page, visitor.sites
    page.goto(f"{sites.intranet}/admin")
    visitor.sign_in("admin")
    page.get_by_role("button", name="Continue").click()
    visitor.arrives(f"{sites.intranet}/admin")
    see("sp-console")
    page.get_by_role("link", name="Accounts").click()
    see("sp-console-accounts")
    page.get_by_role("link", name="What happened").click()
    see("sp-console-audit")
    page.get_by_role("link", name="Identity providers").click()
    see("sp-console-connections")
    page.get_by_role("table").get_by_role("link").first.click()
    see("sp-console-connection")
