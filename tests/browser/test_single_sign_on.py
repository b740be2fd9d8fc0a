"""Signing in once and moving between the sites, as people do it."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.person import Person

REFERENCE = re.compile(r"\b[0-9A-Z]{4}-[0-9A-Z]{4}\b")

INTRANET_STATEMENT = {"pairwise-id", "displayName", "mail", "ou", "isMemberOf"}
LEARNING_STATEMENT = {"pairwise-id", "displayName"}


def test_one_sign_in_opens_both_sites_and_each_is_told_its_own_things(person: Person) -> None:
    person.page.goto(f"{person.sites.intranet}/private")
    person.arrives_at_idp()
    person.sign_in("carol")
    person.arrives(f"{person.sites.intranet}/private")

    person.page.goto(f"{person.sites.learning}/private")
    person.arrives(f"{person.sites.learning}/private")

    intranet, learning = person.statement(person.sites.intranet), person.statement(person.sites.learning)
    assert set(intranet) == INTRANET_STATEMENT
    assert set(learning) == LEARNING_STATEMENT
    assert intranet["displayName"] == learning["displayName"] == ["Carol Carter"]
    assert intranet["pairwise-id"] != learning["pairwise-id"]


def test_the_link_first_asked_for_is_where_the_person_lands(person: Person) -> None:
    link = f"{person.sites.intranet}/private?from=newsletter&item=7"
    person.page.goto(link)
    person.sign_in("alice")

    person.arrives(link)


def test_two_tabs_that_wait_for_the_same_sign_in_both_land_where_they_were_going(person: Person) -> None:
    first, second = person.page, person.new_tab()
    first.goto(f"{person.sites.intranet}/private?tab=first")
    second.goto(f"{person.sites.intranet}/private?tab=second")
    person.arrives_at_idp(page=first)
    person.arrives_at_idp(page=second)

    person.sign_in("alice", page=first)
    person.arrives(f"{person.sites.intranet}/private?tab=first", page=first)
    person.sign_in("alice", page=second)
    person.arrives(f"{person.sites.intranet}/private?tab=second", page=second)


def test_going_back_after_signing_in_never_ends_in_an_error(person: Person) -> None:
    person.page.goto(f"{person.sites.intranet}/")
    person.page.goto(f"{person.sites.intranet}/private")
    person.sign_in("alice")
    person.arrives(f"{person.sites.intranet}/private")

    person.page.go_back()
    person.page.wait_for_load_state()
    assert "went wrong" not in person.page.inner_text("body")
    person.page.goto(f"{person.sites.intranet}/private")
    person.arrives(f"{person.sites.intranet}/private")


def test_with_scripts_off_the_message_waits_for_one_click(person_without_scripts: Person) -> None:
    person = person_without_scripts
    person.page.goto(f"{person.sites.intranet}/private?scripts=off")
    person.sign_in("alice")
    person.page.get_by_role("button", name="Continue").click()

    person.arrives(f"{person.sites.intranet}/private?scripts=off")


def test_a_response_without_its_browsers_cookie_signs_nobody_in_and_offers_a_restart(
    person_without_scripts: Person,
) -> None:
    person = person_without_scripts
    person.page.goto(f"{person.sites.intranet}/private?item=7")
    person.sign_in("alice")
    expect(person.page.get_by_role("button", name="Continue")).to_be_visible()
    person.forget("intranet")

    person.page.get_by_role("button", name="Continue").click()
    assert person.whoami(person.sites.intranet) is None
    person.page.get_by_role("link", name=re.compile("again", re.IGNORECASE)).click()
    person.page.get_by_role("button", name="Continue").click()

    person.arrives(f"{person.sites.intranet}/private?item=7")


def test_who_is_outside_the_audience_is_told_why_and_can_go_back(person: Person) -> None:
    person.page.goto(f"{person.sites.intranet}/private")
    person.sign_in("bob")

    person.arrives_at_idp()
    expect(person.page.locator("main")).to_contain_text("Intranet")
    person.page.get_by_role("button", name=re.compile("^Return to")).click()

    expect(person.page).to_have_url(re.compile("^" + re.escape(person.sites.intranet + "/")))
    expect(person.page.locator("main")).to_contain_text(REFERENCE)
    assert person.whoami(person.sites.intranet) is None

    person.page.goto(f"{person.sites.learning}/private")
    person.arrives(f"{person.sites.learning}/private")


def test_a_wrong_password_and_an_unknown_person_read_the_same(person: Person) -> None:
    said = []
    for username, password in (("alice", "not her password"), ("nobody-of-that-name", "federation")):
        person.page.goto(f"{person.sites.intranet}/private")
        person.sign_in(username, password)
        alert = person.page.get_by_role("alert")
        expect(alert).to_be_visible()
        said.append(alert.inner_text())

    assert said[0] == said[1]
    person.sign_in("alice")
    person.arrives(f"{person.sites.intranet}/private")


def test_a_sign_in_that_took_too_long_begins_again_and_still_lands(person_without_scripts: Person) -> None:
    person = person_without_scripts
    person.page.goto(f"{person.sites.intranet}/private?item=8")
    person.sign_in("alice")
    expect(person.page.get_by_role("button", name="Continue")).to_be_visible()
    person.sites.let_time_pass_for_sign_ins("intranet")

    person.page.get_by_role("button", name="Continue").click()
    assert person.whoami(person.sites.intranet) is None
    person.page.get_by_role("link", name=re.compile("again", re.IGNORECASE)).click()
    person.page.get_by_role("button", name="Continue").click()

    person.arrives(f"{person.sites.intranet}/private?item=8")


def test_suspended_while_signed_in_somebody_is_out_everywhere_within_seconds(person: Person) -> None:
    person.page.goto(f"{person.sites.learning}/private")
    person.sign_in("bob")
    person.arrives(f"{person.sites.learning}/private")
    person.sites.run_idp("suspend", "bob")
    try:
        person.waits_until(lambda: person.whoami(person.sites.learning) is None, "the session at Learning has ended")
        person.page.goto(f"{person.sites.learning}/private")
        person.arrives_at_idp()
        person.sign_in("bob")
        expect(person.page.get_by_label("Password", exact=True)).to_be_visible()
    finally:
        person.sites.run_idp("reinstate", "bob")

    def lets_in() -> bool:
        person.page.goto(f"{person.sites.learning}/private")
        if person.page.url.startswith(person.sites.idp):
            person.sign_in("bob")
        return person.whoami(person.sites.learning) is not None

    person.waits_until(lets_in, "bob is let in again")
