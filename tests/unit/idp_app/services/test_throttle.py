"""Delays: they grow, they are capped, they are forgotten."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from idp_app.services import throttle
from idp_app.services.throttle import ACCOUNT, ADDRESS, KNOWN_BROWSER, Limit, counters, failed, remaining, succeeded
from tests.idp_factories import NOW

SECRET = b"s" * 32


@pytest.mark.parametrize("limit", [ACCOUNT, ADDRESS, KNOWN_BROWSER])
def test_a_delay_doubles_up_to_its_cap(limit: Limit):
    assert limit.delay(limit.free) == timedelta()
    assert [limit.delay(limit.free + more).total_seconds() for more in (1, 2, 3)] == [1, 2, 4]
    assert limit.delay(limit.free + 10_000) == limit.cap


def test_an_attempt_counts_for_the_name_and_the_address():
    first = counters(secret=SECRET, username_key="alice", address="192.0.2.1", known_browser=None)
    second = counters(secret=SECRET, username_key="alice", address="192.0.2.2", known_browser=None)
    assert first[0] == second[0]
    assert first[1] != second[1]


def test_a_known_browser_counts_for_itself_and_for_one_person():
    alice = counters(secret=SECRET, username_key="alice", address="192.0.2.1", known_browser=b"b")
    bob = counters(secret=SECRET, username_key="bob", address="192.0.2.1", known_browser=b"b")
    assert len(alice) == 1
    assert alice != bob


def test_failures_add_up_and_a_day_without_one_forgets(session: Session):
    attempt = counters(secret=SECRET, username_key="alice", address="a", known_browser=None)
    now = NOW
    for _ in range(ACCOUNT.free + 3):
        failed(session, attempt, now)
        now += timedelta(minutes=1)
    assert remaining(session, attempt, NOW + timedelta(minutes=ACCOUNT.free + 2)) == timedelta(seconds=4)
    now += throttle.MEMORY
    failed(session, attempt, now)
    assert remaining(session, attempt, now) <= timedelta()


def test_a_success_forgets_the_account_and_not_the_address(session: Session):
    attempt = counters(secret=SECRET, username_key="alice", address="a", known_browser=None)
    for _ in range(ADDRESS.free + 1):
        failed(session, attempt, NOW)
    succeeded(session, attempt)
    other = counters(secret=SECRET, username_key="bob", address="a", known_browser=None)
    assert remaining(session, attempt[:1], NOW) <= timedelta()
    assert remaining(session, other, NOW) == timedelta(seconds=1)


def test_nobody_who_never_failed_waits(session: Session):
    assert (
        remaining(session, counters(secret=SECRET, username_key="x", address="y", known_browser=None), NOW)
        <= timedelta()
    )
