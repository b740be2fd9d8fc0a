"""When a source is asked again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from federation.registry.timing import after_failure, after_success

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


@pytest.mark.parametrize(
    ("cache_duration", "expected"),
    [(None, DAY), (timedelta(hours=6), timedelta(hours=6)), (timedelta(minutes=1), HOUR), (timedelta(days=30), DAY)],
)
def test_the_document_says_when_within_the_source_s_limits(cache_duration: timedelta | None, expected: timedelta):
    due = after_success(
        NOW, cache_duration=cache_duration, valid_until=None, shortest=HOUR, longest=DAY, chance=0.0
    )  # fmt: skip
    assert due == NOW + expected


def test_a_copy_is_renewed_well_before_it_expires():
    due = after_success(NOW, cache_duration=None, valid_until=NOW + 4 * HOUR, shortest=HOUR, longest=DAY, chance=0.0)
    assert due == NOW + 2 * HOUR


def test_sites_do_not_all_ask_at_the_same_moment():
    options = {"cache_duration": None, "valid_until": None, "shortest": HOUR, "longest": DAY}
    assert after_success(NOW, **options, chance=1.0) == NOW + DAY * 0.8
    assert after_failure(NOW, failures=1, longest=DAY, chance=1.0) == NOW + timedelta(minutes=4)


def test_a_failing_source_is_asked_less_and_less_often():
    waits = [after_failure(NOW, failures=number, longest=DAY, chance=0.0) - NOW for number in (1, 2, 3, 20, 5000)]
    assert waits == [timedelta(minutes=5), timedelta(minutes=10), timedelta(minutes=20), DAY, DAY]
