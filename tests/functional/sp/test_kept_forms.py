"""What somebody had filled in survives a session that was over: kept, and sent once they have signed in again."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest import TestApp, TestResponse

from sp_app.models import Account
from tests.sp_factories import Site

ORIGIN = {"Origin": "https://intranet.example.org"}
NOTE = "\nfirst line\r\n<b>\"second\" & 'third'</b> \N{SNOWMAN}"


@pytest.fixture
def form(site: Site, browser: TestApp) -> TestResponse:
    """The page of an administrator with a form, left open until the session was over."""
    site.sign_in(browser)
    with site.unit_of_work() as session:
        session.query(Account).update({"administrator": True})
    page = browser.get("/admin/connections").click("Example University")
    site.clock.advance(hours=11)
    return page


def submit(page: TestResponse, browser: TestApp, **more: Any) -> TestResponse:
    fields = {"csrf_token": browser.cookies["__Host-intranet-csrf"], "action": "pause", "note": NOTE}
    return browser.post(page.request.path, fields, headers=ORIGIN, **more)


def come_back(site: Site, browser: TestApp, out: TestResponse) -> TestResponse:
    """Sign in where a page led; answers the page on which the person lands."""
    departure = site.idp.read(browser.get(out.location))
    return browser.post("/saml/acs", site.idp.answer(departure)).follow()


def state(site: Site) -> str:
    ((state,),) = site.rows("select state from sp_idp_connection")
    return str(state)


@pytest.mark.conformance("IIP-SP09", "SDP-SP22")
def test_the_form_is_sent_after_the_sign_in_as_it_was(site: Site, browser: TestApp, form: TestResponse) -> None:
    out = submit(form, browser)
    assert state(site) == "active"
    page = come_back(site, browser, out)
    kept = page.forms["kept"]
    assert kept.action == form.request.path
    assert kept["note"].value.replace("\r\n", "\n") == NOTE.replace("\r\n", "\n")
    assert kept.submit(headers=ORIGIN).status_int == 303
    assert state(site) == "paused"


def test_it_is_sent_once(site: Site, browser: TestApp, form: TestResponse) -> None:
    page = come_back(site, browser, submit(form, browser))
    again = browser.get(page.request.path_qs, status=410)
    assert "nothing left to send" in again


def test_the_database_holds_nothing_readable(site: Site, browser: TestApp, form: TestResponse) -> None:
    out = submit(form, browser)
    ((sealed, handle_hash),) = site.rows("select sealed, handle_hash from sp_kept_form")
    assert "pause" not in sealed
    assert "second" not in sealed
    assert handle_hash not in out.location


def test_another_browser_that_learns_the_address_gets_nothing(site: Site, browser: TestApp, form: TestResponse) -> None:
    out = submit(form, browser)
    other = site.browser()
    site.sign_in(other)
    assert "nothing left to send" in other.get(target_of(out), status=410)
    assert site.counts()["sp_kept_form"] == 1


def target_of(out: TestResponse) -> str:
    return parse_qs(urlsplit(out.location).query)["target"][0]


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, {"Referer": "https://evil.example/page"}],
)
def test_what_another_site_posts_is_not_kept(
    site: Site, browser: TestApp, form: TestResponse, headers: dict[str, str]
) -> None:
    browser.post(form.request.path, {"action": "pause"}, headers=headers, status=403)
    assert site.counts()["sp_kept_form"] == 0


def test_a_form_with_a_token_that_is_not_this_browsers_is_not_kept(
    site: Site, browser: TestApp, form: TestResponse
) -> None:
    browser.post(form.request.path, {"csrf_token": "x"}, headers=ORIGIN, status=403)
    assert site.counts()["sp_kept_form"] == 0


@pytest.mark.parametrize("what", ["long", "file", "json"])
def test_what_is_too_long_or_no_plain_form_is_not_kept(
    site: Site, browser: TestApp, form: TestResponse, what: str
) -> None:
    path = form.request.path
    if what == "long":
        browser.post(path, {"note": "x" * 70_000}, headers=ORIGIN, status=403)
    elif what == "file":
        browser.post(path, {"a": "b"}, upload_files=[("f", "a.txt", b"x")], headers=ORIGIN, status=400)
    else:
        browser.post_json(path, {"a": "b"}, headers=ORIGIN, status=403)
    assert site.counts()["sp_kept_form"] == 0


def test_it_is_kept_for_an_hour(site: Site, browser: TestApp, form: TestResponse) -> None:
    out = submit(form, browser)
    site.clock.advance(hours=1, seconds=1)
    departure = site.idp.read(browser.get(out.location))
    landed = browser.post("/saml/acs", site.idp.answer(departure))
    assert "nothing left to send" in browser.get(landed.location, status=410)
