"""What protects a person's browser and session is no rule about a message but a decision: each is switched off too.

Every case is an attack that needs a genuine message. Our site refuses it by that decision's name, and with that one
decision switched off it succeeds: no other stands behind it, and it is no label.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from webtest import TestResponse

from idp_app.services import questions
from idp_app.services.logout import runs
from sp_app.services import binding, late_sessions, login
from sp_app.services.login import Login
from tests.idp_factories import FakeSP, IdPSite, make_idp
from tests.logout_factories import ENDPOINTS, address, arrive_at, ask, name_of
from tests.slo_factories import ALICES, SingleLogout
from tests.sp_factories import ALICE, BOB, Site, attributes, make_site

Patch = tuple[Any, str, Any]
ANY = SimpleNamespace(compare_digest=lambda *_: True, token_urlsafe=secrets.token_urlsafe)
"""In the place of `secrets`: every browser is the one that began."""


@dataclass(frozen=True)
class Case:
    """The name of a decision, what attacks it, and what switches it off. An address of nobody's is not `recorded`."""

    name: str
    attack: Callable[[Any], TestResponse]
    off: tuple[Patch, ...]
    recorded: bool = True


# At a service provider ------------------------------------------------------------------------------------------------


def in_a_strangers_browser(site: Site) -> TestResponse:
    """Somebody begins, and has another person's browser deliver the answer: that person works in a wrong account."""
    answer = site.idp.answer(site.idp.read(site.browser().get("/saml/login")))
    return site.browser().post("/saml/acs", answer, expect_errors=True)


def twice(site: Site) -> TestResponse:
    """The Back button of a device that others use, after signing out."""
    browser = site.browser()
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    browser.post("/saml/acs", answer, status=303)
    return browser.post("/saml/acs", answer, expect_errors=True)


def over_another_session(site: Site) -> TestResponse:
    """A portal's link puts somebody else in the place of who is signed in."""
    site.change_connection(allow_unsolicited=True)
    browser = site.browser()
    departure = site.idp.read(browser.get("/saml/login"))
    browser.post("/saml/acs", site.idp.answer(departure, attributes=attributes(ALICE)), status=303)
    planted = site.idp.answer(departure, attributes=attributes(BOB), in_response_to=None)
    return browser.post("/saml/acs", {"SAMLResponse": planted["SAMLResponse"]}, expect_errors=True)


def after_the_logout(site: Site) -> TestResponse:
    """The session was ended at the identity provider while the browser was on its way here."""
    slo, browser = SingleLogout(site), site.browser()
    departure = slo.idp.read(browser.get("/saml/login"))
    answer = slo.idp.answer(departure, name_id=ALICES, session_index="_late")
    slo.by_soap(slo.ask("_late"))
    return browser.post("/saml/acs", answer, expect_errors=True)


SP_CASES = (
    Case("login.same_browser", in_a_strangers_browser, ((binding, "began", lambda *_: True),)),
    Case(
        "login.used_once",
        twice,
        ((Login, "_use_up", lambda *_: True), (login, "insert_once", lambda *_, **__: True)),
    ),
    Case("login.other_account", over_another_session, ((login, "require_same_account", lambda *_: None),)),
    Case("logout.came_first", after_the_logout, ((late_sessions, "refuse_ended", lambda *_, **__: None),)),
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = make_site(tmp_path_factory.mktemp("decisions-sp"))
    yield made
    made.provider.engine.dispose()


@pytest.mark.parametrize("case", SP_CASES, ids=lambda case: case.name)
def test_a_service_providers_decision_is_no_label(site: Site, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    site.reset()
    assert case.attack(site).status_int == 403
    assert site.rows("SELECT rule FROM sp_audit WHERE kind = 'refused'") == [(case.name,)]
    site.reset()
    switch_off(case, monkeypatch)
    assert case.attack(site).status_int == 303


# At the identity provider ---------------------------------------------------------------------------------------------


def a_strangers_request(idp: IdPSite) -> TestResponse:
    """The page on which somebody's request waits is opened in another browser, where a person signs in for them."""
    waits = idp.browser().get(INTRANET.redirect_url(idp.clock())).location
    key = waits.rpartition("continue=")[2]
    return idp.sign_in("alice").get(f"/saml/continue/{key}", expect_errors=True)


def a_strangers_logout(idp: IdPSite) -> TestResponse:
    """The page of a logout that goes on is opened in another browser, which learns where the person was."""
    browser = idp.sign_in("alice")
    arrive_at(LEARNING, browser, idp)
    arrival = arrive_at(INTRANET, browser, idp)
    run = browser.get(address(ask(INTRANET, idp, name_of(arrival)), INTRANET.key)).location
    return idp.browser().get(run, expect_errors=True)


INTRANET = FakeSP(options={"single_logout": ENDPOINTS})
LEARNING = FakeSP("Learning", "http://localhost:6545", key_name="other-sp", options={"single_logout": ENDPOINTS})
IDP_CASES = (
    Case("request.browser", a_strangers_request, ((questions, "secrets", ANY),)),
    Case("logout.browser", a_strangers_logout, ((runs, "secrets", ANY),), recorded=False),
)


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IdPSite]:
    made = make_idp(tmp_path_factory.mktemp("decisions-idp"))
    for sp in (INTRANET, LEARNING):
        made.connect(sp)
    yield made
    made.installation.engine.dispose()


@pytest.mark.parametrize("case", IDP_CASES, ids=lambda case: case.name)
def test_an_identity_providers_decision_is_no_label(idp: IdPSite, case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    before = len(idp.audit())
    assert case.attack(idp).status_int in (403, 404)
    refused = [entry.detail["rule"] for entry in idp.audit()[before:] if "rule" in entry.detail]
    assert refused == ([case.name] if case.recorded else [])
    switch_off(case, monkeypatch)
    assert case.attack(idp).status_int in (200, 303)


def switch_off(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name, instead in case.off:
        monkeypatch.setattr(owner, name, instead)
