"""An invitation from both sides, the keys, and the pages of a service provider's console, in every look."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from idp_app.services import invitations
from sp_app.models import Account
from sp_app.services import administrators
from tests.browser.appearance import examine
from tests.browser.person import Person
from tests.browser.test_keyboard import tab_to
from tests.functional.registry.test_console_of_sp import follow
from tests.functional.registry.test_service_provider import desk
from tests.idp_factories import PASSWORD, FakeSP
from tests.registry_factories import refresh, serving
from tests.sp_factories import Site, attributes
from tests.strangers import Two, strangers

OTHER = FakeSP(
    "Laboratory notebooks of the Rechtsschutzversicherungsgesellschaften", "http://localhost:6545", key_name="other-sp"
)
PAGES = (
    ("sp-console-connections", "/admin/connections", "refresh fails"),
    ("sp-console-connection-late", "/admin/connections/{university}", "Newer metadata waits"),
    ("sp-console-connection-new", "/admin/connections/new", "Or paste it"),
    ("sp-console-chooser", "/admin/chooser", "Institute 001"),
    ("sp-console-sources", "/admin/sources", "the answer has the status 503"),
    ("sp-console-reviews", "/admin/reviews", "waiting for review"),
    ("sp-console-review", "/admin/reviews/{version}", "widens"),
    ("sp-console-versions", "/admin/connections/{university}/versions", "Version 2"),
)
"""Name of the picture, address, and what must be read there."""


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Two, Any]]:
    """Both sites; the service provider already has an identity provider, whose metadata has changed."""
    with strangers(tmp_path_factory.mktemp("two")) as both, serving() as server:
        sp = both.sp
        sp.connect(sp.idp)
        cookies = administrator(sp)
        sp.connect_many(2)
        source = follow(sp, server)
        sp.idp.sso_url = "https://elsewhere.example.com/sso"
        server.put("/idp.xml", sp.idp.metadata())
        sp.clock.advance(hours=1)
        refresh(desk(sp).refresher(), source)
        server.fail("/idp.xml")
        sp.clock.advance(hours=1)
        refresh(desk(sp).refresher(), source)
        yield both, cookies


def administrator(sp: Site) -> Any:
    """The cookies of somebody who has signed in and whom the command has made an administrator."""
    browser = sp.browser()
    sp.sign_in(browser, attributes=attributes(display_name="Ada Admin"))
    with sp.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=sp.clock())
    return [{"name": name, "value": value, "url": sp.origin} for name, value in browser.cookies.items()]


@pytest.fixture(scope="module")
def two(past: tuple[Two, Any]) -> Two:
    return past[0]


def origin(two: Two) -> str:
    return two.idp.installation.settings.public_url


@pytest.fixture
def olga(chromium: Browser, two: Two) -> Iterator[Person]:
    """The identity provider's administrator."""
    with Person(chromium, SimpleNamespace(idp=origin(two))) as person:  # type: ignore[arg-type]
        person.page.goto(f"{origin(two)}/admin/invitations")
        person.sign_in("admin", PASSWORD)
        yield person


@pytest.fixture
def ada(chromium: Browser, past: tuple[Two, Any]) -> Iterator[Person]:
    """The service provider's administrator, signed in."""
    two, cookies = past
    with Person(chromium, SimpleNamespace(idp=origin(two))) as person:  # type: ignore[arg-type]
        person.context.add_cookies(cookies)
        yield person


def test_the_pages_of_a_service_provider(ada: Person, two: Two) -> None:
    page, sp = ada.page, two.sp
    known = {
        "university": sp.rows("select id from sp_idp_connection where entity_id = ?", sp.idp.entity_id)[0][0],
        "version": sp.rows("select id from sp_metadata_version where state = 'waiting for review'")[0][0],
    }
    found: list[str] = []
    for name, path, words in PAGES:
        page.goto(sp.origin + path.format(**known))
        expect(page.locator("main")).to_contain_text(words)
        assert page.get_by_role("heading", level=1).count() == 1
        found += examine(page, name)
    page.goto(f"{sp.origin}/admin/chooser")
    page.get_by_label("Institute 001").fill("1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The order is saved.")
    expect(page.get_by_role("rowheader").first).to_contain_text("Institute 001")
    assert found == []


def test_the_keys_of_both_sites(olga: Person, ada: Person, two: Two) -> None:
    found: list[str] = []
    for person, site, name in ((olga, origin(two), "idp-console-keys"), (ada, two.sp.origin, "sp-console-keys")):
        page = person.page
        page.goto(f"{site}/admin/keys")
        page.get_by_role("button", name="Prepare a key").click()
        expect(page.get_by_role("status")).to_contain_text("The key is made.")
        tab_to(page, "Publish")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text("The key is in our metadata.")
        found += examine(page, name)
    assert found == []


def test_an_invitation_from_both_sides(chromium: Browser, olga: Person, ada: Person, two: Two) -> None:
    theirs, ours = olga.page, ada.page
    theirs.goto(f"{origin(two)}/admin/invitations")
    link = invite(theirs, "Intranet")
    found = examine(theirs, "idp-console-invitation-made")
    theirs.reload()
    expect(theirs.locator("main")).not_to_contain_text(link)
    assert two.idp.count(invitations.Invitation) == 1, "a reload makes no second one"

    ours.goto(f"{two.sp.origin}/admin/connections")
    ours.get_by_label("Link").focus()
    ours.keyboard.insert_text(link)
    ours.keyboard.press("Enter")
    expect(ours.get_by_role("heading", level=1)).to_have_text("Invitation of Example University")
    expect(ours.locator("main")).to_contain_text(two.idp.installation.keys.fingerprint)
    found += examine(ours, "sp-console-invitation")
    tab_to(ours, "Yes, trust it")
    ours.keyboard.press("Enter")
    expect(ours.get_by_role("status")).to_contain_text("You have confirmed.")

    theirs.reload()
    expect(theirs.locator("main")).to_contain_text(two.sp.provider.keys.fingerprint)
    found += examine(theirs, "idp-console-invitation-taken-up")
    theirs.get_by_role("button", name="Yes, the fingerprint is the same").click()
    expect(theirs.get_by_role("status").first).to_contain_text("the connection is made")
    found += examine(theirs, "idp-console-invitation-connected")
    ours.get_by_role("button", name="Ask now").click()
    expect(ours.get_by_role("status")).to_contain_text("the connection is made")
    expect(ours.get_by_role("heading", level=1)).to_have_text("Example University")

    theirs.goto(f"{origin(two)}/admin/invitations")
    link = invite(theirs, OTHER.name)
    ours.goto(link)
    expect(ours.get_by_role("heading", level=1)).to_have_text(f"Connect {OTHER.name}")
    found += examine(ours, "idp-invited")
    with Person(chromium, olga.sites, scripts=False) as stranger:
        page = stranger.page
        page.goto(link)
        page.get_by_label("Or paste it").fill(OTHER.metadata(two.idp.clock()).decode())
        page.get_by_role("button", name="Send the metadata").click()
        expect(page.get_by_role("row", name="Metadata valid")).to_contain_text("done")
        expect(page.get_by_role("row", name="Test sign-in Nobody has")).to_be_visible()
        ours.reload()
        expect(ours.get_by_role("row", name="Both sides have confirmed")).to_contain_text("to do")
        two.confirm(OTHER.name)
        page.reload()
        expect(page.get_by_role("row", name="Both sides have confirmed")).to_contain_text("done")
    expect(ours.get_by_role("row", name="Both sides have confirmed")).to_contain_text("done")  # where scripts may run
    expect(ours.get_by_role("status")).to_contain_text("The connection is made")
    found += examine(ours, "idp-invited-connected")
    theirs.goto(f"{origin(two)}/admin/invitations")
    found += examine(theirs, "idp-console-invitations")
    assert found == []


def invite(page: Page, name: str) -> str:
    """Fill in the form for an invitation; answers its link."""
    page.get_by_label("What people call the site").fill(name)
    page.get_by_label("Staff").check()
    page.get_by_role("button", name="Make the invitation").click()
    expect(page.get_by_role("status").first).to_contain_text("The invitation is made.")
    return str(page.locator("main code").first.text_content())
