"""Signing out, as people do it: begun at a site or at the identity provider, it ends all or says what is left."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import HTTP
from tests.browser.person import Person

# The identity provider tells the other site from server to server; the three https names are known to the browser only.
pytestmark = pytest.mark.parametrize("sites", [HTTP], indirect=True)


def open_both(person: Person) -> None:
    """Sign in once and open both sites; ends at Intranet."""
    for site in (person.sites.learning, person.sites.intranet):
        person.page.goto(f"{site}/private")
        if site == person.sites.learning:
            person.sign_in("carol")
        while not person.scripts and person.page.get_by_role("button", name="Continue").count():
            person.page.get_by_role("button", name="Continue").click()
        person.arrives(f"{site}/private")


def is_out_everywhere(person: Person) -> None:
    """Neither site knows the person, and the identity provider asks for the password again."""
    assert person.whoami(person.sites.intranet) is None
    assert person.whoami(person.sites.learning) is None
    person.page.goto(f"{person.sites.learning}/private")
    expect(person.page.get_by_label("User name")).to_be_visible()


@pytest.mark.conformance("SDP-SP03", "SDP-SP24", "SDP-SP27")
def test_signing_out_of_one_site_signs_out_of_all(person: Person) -> None:
    open_both(person)
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    person.arrives(re.compile("^" + re.escape(f"{person.sites.intranet}/saml/logout/done?")))
    expect(person.page.locator("main")).to_contain_text("confirms that yours there has ended too")
    assert person.page.frames == [person.page.main_frame]
    is_out_everywhere(person)


def test_signing_out_takes_no_script(person_without_scripts: Person) -> None:
    person = person_without_scripts
    open_both(person)
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    is_out_everywhere(person)


def test_a_person_may_sign_out_of_one_site_alone(person: Person) -> None:
    open_both(person)
    person.page.goto(f"{person.sites.intranet}/saml/logout")
    person.page.get_by_role("button", name="Only here").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("You are signed out here only")
    assert person.whoami(person.sites.intranet) is None
    assert person.whoami(person.sites.learning) is not None


def test_signing_out_at_the_identity_provider_signs_out_of_the_sites(person: Person) -> None:
    open_both(person)
    person.page.goto(f"{person.sites.idp}/signout")
    person.page.get_by_role("button", name="Sign out everywhere").click()
    expect(person.page.get_by_role("heading", level=1)).to_contain_text("signed out")
    is_out_everywhere(person)


def test_going_back_after_signing_out_shows_nobodys_page(person: Person) -> None:
    open_both(person)
    person.page.get_by_role("button", name="Sign out").click()
    expect(person.page.get_by_role("heading", level=1)).to_have_text("You are signed out")
    person.page.go_back()
    person.page.reload()
    expect(person.page.get_by_label("User name")).to_be_visible()


def test_a_form_survives_a_session_that_was_over(person: Person) -> None:
    person.page.goto(f"{person.sites.intranet}/admin/connections")
    person.sign_in("admin")
    person.arrives(f"{person.sites.intranet}/admin/connections")
    person.page.get_by_role("table").get_by_role("link").first.click()
    person.context.clear_cookies(name=re.compile("intranet-session$"))
    person.page.get_by_role("button", name="Pause").click()
    expect(person.page.get_by_role("button", name="Resume")).to_be_visible()
    person.page.get_by_role("button", name="Resume").click()
    expect(person.page.get_by_role("button", name="Pause")).to_be_visible()
