"""With the keyboard alone: everything is reached in reading order, seen when it is reached, and works by Enter."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import HTTP
from tests.browser.person import Person
from tests.demo_sites import PASSWORD

pytestmark = pytest.mark.parametrize("sites", [HTTP], indirect=True)


def test_signing_in_and_out_takes_no_mouse(person: Person) -> None:
    page, sites = person.page, person.sites
    page.goto(f"{sites.intranet}/")
    tab_to(page, "Sign in")
    page.keyboard.press("Enter")
    person.arrives_at_idp()
    expect(page.get_by_label("User name")).to_be_focused()

    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    person.arrives(f"{sites.intranet}/private")

    tab_to(page, "Sign out")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Sign out")).to_have_count(0)


def test_the_first_stop_of_every_page_skips_to_its_content(person: Person) -> None:
    page, sites = person.page, person.sites
    for url in (f"{sites.intranet}/", f"{sites.idp}/", f"{sites.learning}/nowhere"):
        page.goto(url)
        page.keyboard.press("Tab")
        assert focused(page) == "Skip to the content"
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()


def test_every_stop_on_the_way_can_be_seen(person: Person) -> None:
    page, sites = person.page, person.sites
    page.goto(f"{sites.idp}/admin")
    person.sign_in("admin")
    expect(page.get_by_role("navigation", name="Console")).to_be_visible()
    for path in ("/admin", "/admin/people", "/admin/people/import", "/admin/audiences", "/admin/connections"):
        page.goto(sites.idp + path)
        stops = walk(page)
        assert {"Federation", "People", "Audiences", "Connections"} <= set(stops)
        assert len(stops) == page.locator("a[href], button, input:not([type=hidden]), select, [tabindex='0']").count()


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what is called `name` has the focus."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if focused(page) == name:
            return
    pytest.fail(f"Tab never reaches {name!r} at {page.url}")


def walk(page: Page) -> list[str]:
    """Press Tab through the whole page; answer what had the focus, and fail where the focus could not be seen."""
    stops: list[str] = []
    while True:
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body") or focused(page) in stops[:1]:
            return stops
        stops.append(focused(page))
        seen = page.evaluate(
            """() => {
                const element = document.activeElement, box = element.getBoundingClientRect();
                const style = getComputedStyle(element);
                return box.width > 0 && box.bottom > 0 && box.top < innerHeight
                    && style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
            }"""
        )
        assert seen, f"{stops[-1]!r} has the focus at {page.url} and does not show it"


def focused(page: Page) -> str:
    """What the element that has the focus is called."""
    name: str = page.evaluate(
        """() => {
            const element = document.activeElement;
            const label = element.labels && element.labels[0];
            return (element.getAttribute("aria-label") || (label || element).innerText || element.value || "").trim();
        }"""
    )
    return name
