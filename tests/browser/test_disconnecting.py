"""Ending a connection in both consoles, with the keyboard alone, in every look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect

from idp_app.models import ConnectionState
from sp_app.models import Account
from sp_app.services import administrators
from tests.browser.appearance import examine
from tests.browser.person import Person
from tests.browser.test_keyboard import tab_to
from tests.functional.test_disconnecting import SUSPENDED, accounts, connect
from tests.idp_factories import PASSWORD
from tests.strangers import Two, strangers


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """Both sites, connected; Ada administers both."""
    with strangers(tmp_path) as both:
        connect(both)
        assert both.provision().ok
        with both.sp.unit_of_work() as session:
            ada = session.query(Account).filter_by(display_name="Ada Min").one()
            administrators.appoint(ada, administrator=True, now=both.sp.clock())
        yield both


@pytest.fixture
def person(chromium: Browser, two: Two) -> Iterator[Person]:
    with Person(chromium, SimpleNamespace(idp=two.idp.installation.settings.public_url)) as somebody:  # type: ignore[arg-type]
        yield somebody


def answer(page: Page, choice: str, typed: str) -> None:
    """Choose, type, and press the button, without a mouse."""
    page.get_by_label(choice).focus()
    page.keyboard.press("Space")
    tab_to(page, "Type the entityID, or the name, to confirm")
    page.keyboard.press("Control+A")
    page.keyboard.type(typed)
    tab_to(page, "Disconnect")
    page.keyboard.press("Enter")


def test_an_identity_provider_ends_it(person: Person, two: Two) -> None:
    page, idp = person.page, two.idp.installation.settings.public_url
    page.goto(f"{idp}/admin/connections/{two.idp.connection('Intranet').id}")
    person.sign_in("admin", PASSWORD)
    expect(page.get_by_role("heading", level=1)).to_have_text("Intranet")
    tab_to(page, "Disconnect…")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("3 accounts at Intranet will be suspended.")
    found = examine(page, "idp-console-disconnect")

    answer(page, "Suspend them", "Intra")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    expect(page.get_by_label("Type the entityID, or the name, to confirm")).to_be_focused()
    expect(page.locator("main")).to_contain_text("This is not it.")
    found += examine(page, "idp-console-disconnect-wrong")
    assert two.idp.connection("Intranet").active

    answer(page, "Suspend them", "Intranet")
    expect(page.get_by_role("status")).to_contain_text("Nobody can sign in there any more")
    found += examine(page, "idp-console-connection-disconnecting")
    tab_to(page, "How far it is")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("0 of 3")
    found += examine(page, "idp-console-disconnecting")
    assert two.provision().ok
    assert accounts(two) == SUSPENDED
    page.reload()
    expect(page.locator("main")).to_contain_text("accounts there were suspended: 3")
    found += examine(page, "idp-console-connection-disconnected")
    assert found == []
    assert two.idp.connection("Intranet").state is ConnectionState.DISCONNECTED


def test_a_service_provider_ends_it(person: Person, two: Two) -> None:
    page, sp = person.page, two.sp.origin
    page.goto(f"{sp}/admin/connections")
    person.sign_in("admin", PASSWORD)
    page.get_by_role("link", name="Example University").click()
    tab_to(page, "Disconnect…")
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_contain_text("3 accounts will be suspended.")
    found = examine(page, "sp-console-disconnect")

    answer(page, "Suspend them", "Example")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was changed")
    found += examine(page, "sp-console-disconnect-wrong")
    assert found == []

    answer(page, "Keep them", "Example University")
    person.arrives(f"{sp}/")
    expect(page.locator("main")).to_contain_text("Nobody can sign in here yet")
    assert set(accounts(two).values()) == {True}
