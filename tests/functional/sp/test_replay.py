"""A response is good for one session, whatever becomes of it afterwards."""

from __future__ import annotations

from typing import Any

import pytest
from webtest import TestApp

from federation.saml.identifiers import new_id
from sp_app.models import PendingRequest
from tests.sp_factories import TARGET, Site


def test_a_reload_of_the_response_opens_no_second_session_and_offers_the_way_on(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    browser.post("/saml/acs", answer)
    before = site.counts()
    page = browser.post("/saml/acs", answer, status=403)
    assert "used already" in page
    assert site.counts() == before | {"sp_audit": before["sp_audit"] + 1}
    assert "Alice Archer" in page.click("Go on to your page")


def test_a_replay_after_signing_out_does_not_sign_in_again(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    page = browser.post("/saml/acs", answer).follow()
    page.forms[0].submit()
    browser.post("/saml/acs", answer, status=403)
    browser.get("/whoami", status=401)


def test_a_replay_in_another_browser_is_not_accepted(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login", {"target": TARGET})))
    browser.post("/saml/acs", answer)
    page = site.browser().post("/saml/acs", answer, status=403)
    assert "Go on" not in page
    assert "private" not in page


def test_one_assertion_does_not_answer_two_requests(site: Site, browser: TestApp) -> None:
    """A faulty identity provider repeats an assertion's ID: the second one counts as a replay."""
    same: dict[str, Any] = {"assertion_id": new_id()}
    first = site.idp.read(browser.get("/saml/login"))
    second = site.idp.read(browser.get("/saml/login"))
    browser.post("/saml/acs", site.idp.answer(first, **same))
    before = site.counts()
    assert "used already" in browser.post("/saml/acs", site.idp.answer(second, **same), status=403)
    assert site.counts() == before | {"sp_audit": before["sp_audit"] + 1}


@pytest.mark.parametrize("what", ["a request taken meanwhile", "an assertion noted meanwhile"])
def test_of_two_identical_posts_at_once_one_comes_through(
    site: Site, browser: TestApp, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process is faster between our reading and our writing: the constraint decides, not what we have read."""
    from sp_app.services import identity

    read = identity.read

    def meanwhile(accepted: Any, **arguments: Any) -> Any:
        with site.unit_of_work() as session:
            if what == "a request taken meanwhile":
                session.query(PendingRequest).update({"consumed_at": site.clock()})
            else:
                from sp_app.models import ReplayEntry
                from sp_app.services.sessions import digest

                session.add(ReplayEntry(key=digest(accepted.replay_key), keep_until=accepted.replay_until))
        return read(accepted, **arguments)

    departure = site.idp.read(browser.get("/saml/login"))
    monkeypatch.setattr(identity, "read", meanwhile)
    assert "used already" in browser.post("/saml/acs", site.idp.answer(departure), status=403)
    monkeypatch.undo()
    assert site.counts()["sp_session"] == 0
    assert site.counts()["sp_account"] == 0
