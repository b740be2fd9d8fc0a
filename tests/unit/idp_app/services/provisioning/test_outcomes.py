"""What an answer means, and when to try again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.scim.results import Result
from idp_app.services.provisioning.outcomes import Kind, Retry, delay, kind_of, sentence


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, Kind.DONE), (201, Kind.DONE), (204, Kind.DONE), (404, Kind.GONE), (410, Kind.GONE), (412, Kind.CHANGED),
        (409, Kind.CONFLICT), (400, Kind.REFUSED), (403, Kind.REFUSED), (413, Kind.REFUSED), (501, Kind.REFUSED),
        (429, Kind.UNKNOWN), (500, Kind.UNKNOWN), (503, Kind.UNKNOWN), (0, Kind.UNKNOWN), (302, Kind.UNKNOWN),
    ],
)  # fmt: skip
def test_kinds(status: int, kind: Kind) -> None:
    assert kind_of(Result(status)) is kind


def test_soon_is_now_a_few_times_and_later_after_that() -> None:
    assert [delay(Retry.SOON, attempts, 0.5) for attempts in (1, 2, 3)] == [timedelta()] * 3
    assert delay(Retry.SOON, 4, 0.5) > timedelta(seconds=5)


def test_later_grows_and_ends() -> None:
    delays = [delay(Retry.LATER, attempts, 0.5) for attempts in (1, 2, 3, 30)]
    assert delays == [timedelta(seconds=5), timedelta(seconds=10), timedelta(seconds=20), timedelta(minutes=15)]


def test_parked_is_looked_at_again_the_same_day() -> None:
    assert delay(Retry.PARKED, 1, 0.5) == timedelta(hours=1)
    assert delay(Retry.PARKED, 10**6, 0.5) == timedelta(hours=24)


def test_two_never_come_back_at_the_same_moment() -> None:
    assert delay(Retry.LATER, 1, 0.0) < delay(Retry.LATER, 1, 0.5) < delay(Retry.LATER, 1, 1.0)


def test_the_administrator_reads_a_sentence() -> None:
    assert sentence(Result(409, scim_type="uniqueness", detail="taken")) == "the site answered 409 (uniqueness): taken"
    assert sentence(Result(500)) == "the site answered 500"
    assert sentence(Result(0)) == "the site's answer says nothing about this operation"
