"""Forgetting: what is over goes, what may still be asked for stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from idp_app.models import AuditEntry, KnownBrowser, Participation, ReceivedRequest, SignInSession, SignInThrottle
from idp_app.services import audit, housekeeping
from idp_app.services.act import Act
from tests.idp_factories import FakeSP, IdPSite, fill_in

TABLES = (ReceivedRequest, SignInSession, SignInThrottle, KnownBrowser, Participation)


@pytest.fixture
def used(idp: IdPSite) -> IdPSite:
    """A site on which one of everything was written."""
    sp = idp.connect(FakeSP())
    browser = idp.sign_in("alice")
    sp.accept(browser.get(sp.redirect_url()), idp.entity)
    fill_in(browser.get("/signin?switch=yes"), "alice", "wrong")
    return idp


def purge(idp: IdPSite, **later: float) -> dict[str, int]:
    with idp.work() as session:
        assert isinstance(session, Session)
        now = idp.clock() + timedelta(**later)
        return housekeeping.purge(session, now=now, settings=idp.installation.settings)


def left(idp: IdPSite) -> set[str]:
    return {table.__tablename__ for table in TABLES if idp.count(table)}


def test_what_is_in_use_stays(used: IdPSite):
    assert purge(used, minutes=30) == {
        "requests": 0,
        "artifacts": 0,
        "logouts": 0,
        "logout runs": 0,
        "sessions": 0,
        "enrolment codes": 0,
        "failures": 0,
        "browsers": 0,
        "audit": 0,
    }
    assert left(used) == {table.__tablename__ for table in TABLES}


def test_everything_goes_in_its_time(used: IdPSite):
    assert purge(used, hours=2)["sessions"] == 1
    assert left(used) == {"received_request", "sign_in_throttle", "known_browser"}
    assert purge(used, hours=25) == {
        "requests": 1,
        "artifacts": 0,
        "logouts": 0,
        "logout runs": 0,
        "sessions": 0,
        "enrolment codes": 0,
        "failures": 1,
        "browsers": 0,
        "audit": 0,
    }
    assert purge(used, days=180)["browsers"] == 1
    assert left(used) == set()
    assert purge(used, days=366)["audit"] > 0
    assert used.count(AuditEntry) == 0


def test_an_entry_that_a_wrong_clock_made_keeps_no_others(used: IdPSite):
    before = used.count(AuditEntry)
    with used.work() as session:
        audit.record(session, "test.ahead", Act(used.clock() + timedelta(days=36_500), "", "7KQ2-M4XD"))
        audit.record(session, "test.in_time", Act(used.clock(), "", "7KQ2-M4XE"))
    assert purge(used, days=366)["audit"] == before + 1
    with used.work() as session:
        assert session.scalars(select(AuditEntry.kind)).all() == ["test.ahead"]


def test_a_request_that_was_forgotten_is_too_old_to_come_again(idp: IdPSite):
    sp = idp.connect(FakeSP())
    url = sp.redirect_url()
    idp.browser().get(url)
    idp.clock.advance(hours=25)
    purge(idp)
    assert "too old" in idp.browser().get(url, status=400).text
