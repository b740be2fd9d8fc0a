"""A second factor in a real browser: set up, asked for by one site and not by the other, with scripts on and off."""

from __future__ import annotations

import re
import time

import pyotp
import pytest
from playwright.sync_api import Page, expect

from tests.browser.appearance import examine
from tests.browser.conftest import HTTP
from tests.browser.person import Person
from tests.demo_sites import PASSWORD

pytestmark = pytest.mark.parametrize("sites", [HTTP], indirect=True)


def key_on(page: Page) -> str:
    return page.locator("dd code").first.inner_text().replace(" ", "")


def next_code(secret: str, used: set[str]) -> str:
    """The code that the app shows, once it is one that was not used yet."""
    while (code := pyotp.TOTP(secret).now()) in used:
        time.sleep(1)
    used.add(code)
    return code


def steps_up(person: Person, username: str, *, scripts: bool = True, found: list[str] | None = None) -> None:
    """Sign in at Learning with a password, want the payroll of Intranet, set a second factor up on the way."""
    page, sites, used = person.page, person.sites, set[str]()

    def see(name: str) -> None:
        if found is not None:
            found.extend(examine(page, name))

    def go_on() -> None:
        button = page.get_by_role("button", name="Continue")
        if not scripts:
            button.click()

    page.goto(f"{sites.learning}/private")
    person.sign_in(username)
    go_on()
    person.arrives(f"{sites.learning}/private")
    page.goto(f"{sites.intranet}/private/payroll")
    expect(page.get_by_role("heading", name="A second factor is needed")).to_be_visible()
    see("idp-second-factor-needed")
    page.get_by_role("link", name="Set it up").click()
    see("idp-account")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("Password").press("Enter")
    expect(page.get_by_role("img", name=re.compile("QR code"))).to_be_visible()
    see("idp-account-scan")
    secret = key_on(page)
    page.get_by_role("textbox", name="Code").fill(next_code(secret, used))
    page.get_by_role("textbox", name="Code").press("Enter")
    expect(page.get_by_role("heading", name="Your second factor is set up")).to_be_visible()
    see("idp-account-recovery-codes")
    page.get_by_role("link", name="Continue to Intranet").click()
    go_on()
    person.arrives(f"{sites.intranet}/private/payroll")
    told = person.whoami(sites.intranet)
    assert told is not None
    assert told["authn_context_class_ref"] == "https://refeds.org/profile/mfa"

    # In another session both are asked for, by the keyboard alone.
    person.context.clear_cookies()
    page.goto(f"{sites.intranet}/private/payroll")
    person.sign_in(username)
    expect(page.get_by_role("textbox", name="Code")).to_be_focused()
    see("idp-second-factor")
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not right")
    see("idp-second-factor-wrong")
    page.keyboard.type(next_code(secret, used))
    page.keyboard.press("Enter")
    go_on()
    person.arrives(f"{sites.intranet}/private/payroll")


def test_a_second_factor_is_set_up_on_the_way_and_each_page_can_be_used_by_everybody(person: Person) -> None:
    found: list[str] = []
    steps_up(person, "carol", found=found)
    assert found == []


def test_it_works_with_scripts_off(person_without_scripts: Person) -> None:
    steps_up(person_without_scripts, "alice", scripts=False)
