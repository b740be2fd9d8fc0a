"""Off until enabled."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete
from webtest import TestApp

from sp_app import demo
from sp_app.models import IdPConnection
from tests.sp_factories import Site, site_settings

ENDPOINTS = [("GET", "/saml/metadata"), ("GET", "/saml/login"), ("POST", "/saml/acs"), ("POST", "/saml/logout")]


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_while_it_is_off_the_endpoints_are_not_there(site: Site, browser: TestApp, method: str, path: str) -> None:
    site.switch(on=False)
    page = browser.request(path, method=method, status=404)
    assert "Page not found" in page
    assert site.counts()["sp_audit"] == 0


def test_while_it_is_off_a_protected_page_says_so_and_does_not_go_round_in_circles(
    site: Site, browser: TestApp
) -> None:
    site.switch(on=False)
    assert "switched off" in browser.get("/private", status=403)
    assert "switched off" in browser.get("/")


def test_a_response_that_arrives_after_the_switch_is_not_accepted(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    site.switch(on=False)
    browser.post("/saml/acs", site.idp.answer(departure), status=404)
    site.switch(on=True)
    assert browser.post("/saml/acs", site.idp.answer(departure)).status_int == 303


def test_without_a_connection_there_is_nobody_to_ask(site: Site, browser: TestApp) -> None:
    with site.unit_of_work() as session:
        session.execute(delete(IdPConnection))
    page = browser.get("/saml/login", status=403)
    assert "Nobody can sign you in here yet" in page
    assert "not connected" in browser.get("/")


def test_an_identity_provider_we_do_not_know_is_not_asked(site: Site, browser: TestApp) -> None:
    page = browser.get("/saml/login", {"entityID": "https://unknown.example.org/<b>"}, status=403)
    assert "unknown.example.org" not in page


def test_the_site_is_ready_whether_it_is_on_or_off(site: Site, browser: TestApp) -> None:
    assert browser.get("/healthz").json == {"status": "ready", "federation": "on"}
    site.switch(on=False)
    assert browser.get("/healthz").json == {"status": "ready", "federation": "off"}


def test_a_site_that_cannot_start_says_why_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"^Error: .*signing\.key\.pem is missing: run the upgrade command first$"):
        demo.main({}, **site_settings(tmp_path))
    with pytest.raises(SystemExit, match=r"^Error: sp\.public_url: is required and not set; "):
        demo.main({})
