"""Signing in, staying signed in, signing out."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from idp_app.models import SignInSession, SignInThrottle
from idp_app.services import people, throttle
from tests.idp_factories import PASSWORD, FakeSP, IdPSite, fill_in, make_idp, restarted

COOKIE = "idp-session"


def test_a_bookmarked_sign_in_page_leads_to_the_home_page(idp: IdPSite) -> None:
    browser = idp.browser()
    done = fill_in(browser.get("/signin"), "alice")
    assert done.location == "http://localhost:6543/"
    assert "Alice Archer" in done.follow().text


def test_who_is_signed_in_is_not_asked_again(idp: IdPSite) -> None:
    assert idp.sign_in("alice").get("/signin").location == "http://localhost:6543/"


def test_the_user_name_is_taken_in_any_letter_case(idp: IdPSite) -> None:
    assert "Alice Archer" in fill_in(idp.browser().get("/signin"), " ALICE ").follow().text


def test_a_wrong_password_and_an_unknown_person_look_the_same(idp: IdPSite) -> None:
    pages = [
        fill_in(idp.browser().get("/signin"), "alice", "wrong"),
        fill_in(idp.browser().get("/signin"), "nobody", "wrong"),
    ]
    texts = []
    for page, name in zip(pages, ("alice", "nobody"), strict=True):
        form = next(form for form in page.forms.values() if "password" in form.fields)
        texts.append(page.text.replace(name, "NAME").replace(form["csrf_token"].value, ""))
        assert page.status_int == 403
    assert texts[0] == texts[1]


def test_a_person_without_a_password_cannot_sign_in(idp: IdPSite) -> None:
    with idp.work() as session:
        people.create(session, "erin", idp.act())
    assert fill_in(idp.browser().get("/signin"), "erin", "").status_int == 403


def test_a_sign_in_page_whose_request_is_gone_still_signs_in(idp: IdPSite) -> None:
    page = idp.browser().get("/signin?continue=no-such-key")
    assert "request has ended" in page.text
    assert fill_in(page, "alice").location == "http://localhost:6543/"


@pytest.mark.parametrize("wanted", ["https://evil.example/", "//evil.example", "/\\evil.example", "/admin/../..//evil"])
def test_a_sign_in_never_leads_to_another_site(idp: IdPSite, wanted: str) -> None:
    page = idp.browser().get("/signin", {"next": wanted})
    assert fill_in(page, "alice").location == "http://localhost:6543/"


# Guessing -------------------------------------------------------------------------------------------------------------


def test_delays_grow_with_failures_and_end(idp: IdPSite) -> None:
    browser = idp.browser()
    for _ in range(throttle.ACCOUNT.free + 1):
        assert fill_in(browser.get("/signin"), "alice", "wrong").status_int == 403
    page = fill_in(browser.get("/signin"), "alice")
    assert page.status_int == 429
    assert page.headers["Retry-After"] == "1"
    assert "Wait 1 second" in page.text
    idp.clock.advance(seconds=1)
    assert fill_in(browser.get("/signin"), "alice", "wrong").status_int == 403
    assert fill_in(browser.get("/signin"), "alice").headers["Retry-After"] == "2"
    idp.clock.advance(seconds=2)
    assert fill_in(browser.get("/signin"), "alice").status_int == 303


def test_a_name_that_nobody_has_is_delayed_just_the_same(idp: IdPSite) -> None:
    browser = idp.browser()
    for _ in range(throttle.ACCOUNT.free + 1):
        fill_in(browser.get("/signin"), "nobody", "wrong")
    assert fill_in(browser.get("/signin"), "nobody", "wrong").status_int == 429


def test_strangers_who_guess_do_not_delay_a_browser_that_the_person_has_used(idp: IdPSite) -> None:
    own = idp.sign_in("alice")
    own.get("/signout").forms[0].submit()
    stranger = idp.browser(REMOTE_ADDR="198.51.100.9")
    for _ in range(throttle.ACCOUNT.free + 1):
        fill_in(stranger.get("/signin"), "alice", "wrong")
    assert fill_in(idp.browser().get("/signin"), "alice").status_int == 429
    assert fill_in(own.get("/signin"), "alice").status_int == 303


def test_one_address_that_tries_many_names_is_delayed(idp: IdPSite) -> None:
    browser = idp.browser()
    for number in range(throttle.ADDRESS.free + 1):
        fill_in(browser.get("/signin"), f"person{number}", "wrong")
    assert fill_in(browser.get("/signin"), "somebody", "wrong").status_int == 429
    assert fill_in(idp.browser(REMOTE_ADDR="198.51.100.9").get("/signin"), "alice").status_int == 303


def test_what_was_typed_is_kept_nowhere(idp: IdPSite) -> None:
    fill_in(idp.browser().get("/signin"), "my secret by mistake", "wrong")
    with idp.work() as session:
        keys = session.scalars(select(SignInThrottle.key)).all()
    assert keys
    assert not any("secret" in key for key in keys)
    entry = idp.audit()[-1]
    assert entry.kind == "sign_in.wrong"
    assert "secret" not in str((entry.detail, entry.actor))


def test_a_suspended_person_is_told_so_only_with_the_right_password(idp: IdPSite) -> None:
    with idp.work() as session:
        people.suspend(session, people.find(session, "alice"), idp.act())
    assert "suspended" not in fill_in(idp.browser().get("/signin"), "alice", "wrong").text
    page = fill_in(idp.browser().get("/signin"), "alice")
    assert page.status_int == 403
    assert "suspended" in page.text


def test_a_password_hash_from_weaker_settings_is_renewed_at_sign_in(idp: IdPSite) -> None:
    before = idp.person("alice").password_hash
    stronger = restarted(idp, password_time_cost=2)
    stronger.sign_in("alice")
    after = stronger.person("alice").password_hash
    stronger.installation.engine.dispose()
    assert before is not None
    assert after is not None
    assert "t=1" in before
    assert "t=2" in after


# The session ----------------------------------------------------------------------------------------------------------


def test_a_sign_in_makes_a_new_session_and_a_new_form_token(idp: IdPSite) -> None:
    browser = idp.browser()
    page = browser.get("/signin")
    browser.set_cookie(COOKIE, "fixed-by-an-attacker")
    token = browser.cookies["idp-csrf"]
    fill_in(page, "alice")
    assert browser.cookies[COOKIE] != "fixed-by-an-attacker"
    assert browser.cookies["idp-csrf"] != token


def test_the_database_holds_no_usable_token(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    with idp.work() as session:
        [row] = session.scalars(select(SignInSession)).all()
    assert browser.cookies[COOKIE].encode() not in row.token_hash
    assert len(row.token_hash) == 32


def test_a_session_ends_when_it_is_not_used(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    for _ in range(3):
        idp.clock.advance(minutes=50)
        assert "Alice Archer" in browser.get("/").text
    idp.clock.advance(minutes=61)
    assert "Alice Archer" not in browser.get("/").text


def test_a_session_ends_after_its_lifetime_however_busy(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    for _ in range(20):
        idp.clock.advance(minutes=29)
        browser.get("/")
    idp.clock.advance(minutes=29)
    assert "Alice Archer" not in browser.get("/").text


def test_signing_in_as_somebody_else_ends_the_first_session(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    old = browser.cookies[COOKIE]
    fill_in(browser.get("/signin?switch=yes"), "bob")
    assert "Bob Baker" in browser.get("/").text
    other = idp.browser()
    other.set_cookie(COOKIE, old)
    assert "Sign in" in other.get("/").text


def test_signing_out_takes_a_click_and_ends_the_session_on_the_server(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    token = browser.cookies[COOKIE]
    page = browser.get("/signout")
    assert "Alice Archer" in browser.get("/").text
    assert "signed out here" in page.forms[0].submit().follow().text
    browser.set_cookie(COOKIE, token)
    assert "Alice Archer" not in browser.get("/").text
    assert browser.get("/signout").status_int == 303


def test_suspension_ends_every_session_of_the_person(idp: IdPSite) -> None:
    browsers = [idp.sign_in("alice"), idp.sign_in("alice")]
    with idp.work() as session:
        people.suspend(session, people.find(session, "alice"), idp.act())
    assert all("Alice Archer" not in browser.get("/").text for browser in browsers)


def test_a_form_without_the_browsers_token_signs_nobody_in(idp: IdPSite) -> None:
    answer = idp.browser().post("/signin", {"username": "alice", "password": PASSWORD})
    assert answer.location.endswith("/signin")
    assert COOKIE not in answer.headers.get("Set-Cookie", "")


def test_a_form_from_another_site_is_refused(idp: IdPSite) -> None:
    page = idp.browser().get("/signin")
    done = fill_in(page, "alice", headers={"Origin": "https://evil.example"})
    assert done.status_int == 400


def test_on_https_the_cookies_are_host_only_secure_and_hidden_from_scripts(tmp_path: Path) -> None:
    site = make_idp(tmp_path, public_url="https://idp.example.org", allow_http_loopback=False)
    done = fill_in(site.browser().get("/signin"), "alice")
    site.installation.engine.dispose()
    cookies = done.headers.getall("Set-Cookie")
    assert any(cookie.startswith("__Host-idp-session=") for cookie in cookies)
    for cookie in cookies:
        assert {"secure", "HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
        assert "Domain" not in cookie


# Home -----------------------------------------------------------------------------------------------------------------


def test_the_home_page_lists_only_the_sites_that_serve_the_person(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    alice, bob, dave = (idp.sign_in(name).get("/").text for name in ("alice", "bob", "dave"))
    assert "http://localhost:6544/" in alice
    assert "http://localhost:6545/" in alice
    assert "http://localhost:6544/" not in bob
    assert "http://localhost:6545/" in bob
    assert "No sites are open to you" in dave


def test_the_home_page_explains_itself_while_the_federation_is_off(tmp_path: Path) -> None:
    site = make_idp(tmp_path, enabled=False)
    assert "not connected to other sites" in site.sign_in("alice").get("/").text
    assert "Sign in" in site.browser().get("/").text
    site.installation.engine.dispose()
