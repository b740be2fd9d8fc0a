"""Instants and durations as SAML writes them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.saml.times import format_duration, format_instant, parse_duration, parse_instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-04T10:00:00Z", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("2026-03-04T10:00:00", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        (" 2026-03-04T10:00:00Z\n", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("2026-03-04T10:00:00.5Z", datetime(2026, 3, 4, 10, microsecond=500_000, tzinfo=UTC)),
        ("2026-03-04T10:00:00.1234567Z", datetime(2026, 3, 4, 10, microsecond=123_456, tzinfo=UTC)),
        ("2026-03-04T10:00:00.12345678901234567Z", datetime(2026, 3, 4, 10, microsecond=123_456, tzinfo=UTC)),
        ("2026-02-28T24:00:00Z", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-02-28T24:00:00.000-05:00", datetime(2026, 3, 1, 5, tzinfo=UTC)),
        ("2026-03-04T12:00:00+02:00", datetime(2026, 3, 4, 10, tzinfo=UTC)),
        ("2026-03-04T04:30:00-05:30", datetime(2026, 3, 4, 10, tzinfo=UTC)),
    ],
)
def test_instants_are_read_as_utc(text: str, expected: datetime) -> None:
    assert parse_instant(text) == expected
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026-03-04",
        "2026-03-04 10:00:00Z",
        "2026-13-04T10:00:00Z",
        "2026-02-30T10:00:00Z",
        "2026-03-04T25:00:00Z",
        "2026-03-04T24:00:01Z",
        "2026-03-04T24:00:00.1Z",
        "9999-12-31T24:00:00Z",
        "2026-03-04T10:00:00z",
        "2026-03-04T10:00:00+15:00",
        "2026-03-04T10:00:00+02:60",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "+2026-03-04T10:00:00Z",
        "\u0662026-03-04T10:00:00Z",
        "2026-03-04T10:00:00." + "1" * 1000 + "Z",
    ],
)
def test_anything_else_is_malformed(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse_instant(text)
    assert caught.value.rule == "times.instant"


def test_an_instant_is_written_in_utc_with_whole_seconds() -> None:
    east = timezone(timedelta(hours=2))
    assert format_instant(datetime(2026, 3, 4, 12, 0, 0, 999, tzinfo=east)) == "2026-03-04T10:00:00Z"


@given(st.integers(min_value=0, max_value=7_000_000_000))
def test_what_is_written_is_read(seconds: int) -> None:
    instant = datetime.fromtimestamp(seconds, UTC)
    assert parse_instant(format_instant(instant)) == instant


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PT5M", timedelta(minutes=5)),
        ("P1DT2H", timedelta(days=1, hours=2)),
        ("P1Y2M", timedelta(days=425)),
        ("-PT1S", timedelta(seconds=-1)),
        ("PT1.9S", timedelta(seconds=1)),
    ],
)
def test_durations_are_read(text: str, expected: timedelta) -> None:
    assert parse_duration(text) == expected


@pytest.mark.parametrize("text", ["", "P", "PT", "P1DT", "5M", "PT5", "P-1D", "PT99999999999999S"])
def test_other_durations_are_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        parse_duration(text)


def test_a_duration_is_written_in_seconds() -> None:
    assert format_duration(timedelta(hours=6)) == "PT21600S"
