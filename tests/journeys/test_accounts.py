"""Accounts are there before anybody signs in, and follow what happens to the person at the identity provider."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from tests.demo_sites import DemoSites
from tests.journeys.plain_browser import PlainBrowser

WITHIN = 15.0
"""Seconds that a change may take to reach a site on a busy machine; the worker usually needs one or two."""


def test_every_site_has_the_accounts_of_its_audiences_and_no_others(sites: DemoSites) -> None:
    assert set(accounts(sites, "sp")) == {"Alice Archer", "Carol Carter", "Ada Minh"}
    assert set(accounts(sites, "learning")) == {"Alice Archer", "Bob Baker", "Carol Carter", "Ada Minh"}


def test_a_provisioned_account_is_the_one_that_the_person_signs_in_to(sites: DemoSites, browser: PlainBrowser) -> None:
    before = accounts(sites, "sp")["Alice Archer"]
    browser.open(f"{sites.intranet}/private")
    browser.sign_in("alice")

    after = accounts(sites, "sp")
    assert after["Alice Archer"]["id"] == before["id"]
    assert len(after) == 3


def test_suspended_a_person_is_inactive_at_every_site_and_signed_out(sites: DemoSites, browser: PlainBrowser) -> None:
    browser.open(f"{sites.learning}/private")
    browser.sign_in("bob")
    assert browser.open(f"{sites.learning}/whoami").status_code == 200

    sites.run_idp("suspend", "bob")
    try:
        eventually(lambda: not accounts(sites, "learning")["Bob Baker"]["active"])
        assert browser.open(f"{sites.learning}/whoami").status_code == 401
    finally:
        sites.run_idp("reinstate", "bob")
    eventually(lambda: accounts(sites, "learning")["Bob Baker"]["active"])


def test_taken_out_of_the_audience_a_person_loses_that_site_alone(sites: DemoSites, browser: PlainBrowser) -> None:
    browser.open(f"{sites.intranet}/private")
    browser.sign_in("carol")
    browser.open(f"{sites.learning}/private")
    browser.send()

    sites.run_idp("audience", "remove", "Staff", "carol")
    try:
        eventually(lambda: not accounts(sites, "sp")["Carol Carter"]["active"])
        assert browser.open(f"{sites.intranet}/whoami").status_code == 401
        assert accounts(sites, "learning")["Carol Carter"]["active"]
        assert browser.open(f"{sites.learning}/whoami").status_code == 200
    finally:
        sites.run_idp("audience", "add", "Staff", "carol")
    eventually(lambda: accounts(sites, "sp")["Carol Carter"]["active"])


def test_an_assertion_that_is_still_valid_opens_nothing_for_a_deactivated_account(
    sites: DemoSites, browser: PlainBrowser
) -> None:
    browser.open(f"{sites.learning}/private")
    browser.send(username="bob", password="federation")
    assert "SAMLResponse" in browser.form().fields
    sites.run_idp("suspend", "bob")
    try:
        eventually(lambda: not accounts(sites, "learning")["Bob Baker"]["active"])
        answer = browser.send()
    finally:
        sites.run_idp("reinstate", "bob")

    assert answer.status_code == 403
    assert browser.open(f"{sites.learning}/whoami").status_code == 401
    eventually(lambda: accounts(sites, "learning")["Bob Baker"]["active"])


def accounts(sites: DemoSites, section: str) -> dict[str, dict[str, object]]:
    """The accounts of an SP by display name."""
    listed = json.loads(sites.run_sp(section, "accounts", "--json"))
    return {account["display_name"]: account for account in listed}


def eventually(condition: Callable[[], object]) -> None:
    """Wait until `condition()` holds."""
    deadline = time.monotonic() + WITHIN
    while not condition():
        assert time.monotonic() < deadline, f"not within {WITHIN:g} s"
        time.sleep(0.5)
