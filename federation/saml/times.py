"""Instants and durations as SAML writes them (SAML Core 1.3.3, XML Schema 3.2.6 and 3.2.7)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from federation.errors import Malformed

_INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,20}))?(?:Z|([+-]\d\d:\d\d))?", re.ASCII)
_DURATION = re.compile(
    r"(-)?P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})D)?"
    r"(T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.\d{1,9})?S)?)?",
    re.ASCII,
)
_LAST = datetime(9999, 12, 31, tzinfo=UTC)


def parse_instant(text: str) -> datetime:
    """Read an xs:dateTime of at most 40 characters; one without a zone is UTC, as SAML Core 1.3.3 has it.

    Raises `Malformed` (rule `times.instant`).
    """
    text = text.strip(" \t\r\n")
    if len(text) > 40:
        raise Malformed("times.instant", "not an xs:dateTime")
    return _instant(text)


@lru_cache(maxsize=4096)
def _instant(text: str) -> datetime:
    """Remembered, because one message says the same few instants again and again."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise Malformed("times.instant", "not an xs:dateTime")
    text, fraction, zone = match.groups()
    micro = int(fraction[:6].ljust(6, "0")) if fraction else 0
    try:
        if text.endswith("T24:00:00") and not micro:
            # A day may end as it may begin (XML Schema, second edition, 3.2.7).
            instant = datetime.fromisoformat(f"{text[:10]}T00:00:00Z") + timedelta(1)
        else:
            instant = datetime.fromisoformat(f"{text}Z")
        if micro:
            instant = instant.replace(microsecond=micro)
        return instant - _offset(zone) if zone else instant
    except (ValueError, OverflowError):
        raise Malformed("times.instant", "not a date that exists") from None


def _offset(zone: str) -> timedelta:
    """How far a zone is ahead of UTC; at most 14 hours (XML Schema 3.2.7.3). Raises `Malformed`."""
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise Malformed("times.instant", "not a time zone that exists")
    offset = timedelta(hours=hours, minutes=minutes)
    return offset if zone[0] == "+" else -offset


def later(instant: datetime, span: timedelta) -> datetime:
    """An instant and a span more, but within the year 9999 in every time zone: partners write it and mean never."""
    return min(instant, _LAST - span) + span


@lru_cache(maxsize=4096)
def format_instant(instant: datetime) -> str:
    """Write an aware `datetime` as UTC with whole seconds and a trailing Z.

    Remembered, because one message has the same few instants checked and shown again and again.
    """
    return instant.astimezone(UTC).isoformat()[:19] + "Z"


def parse_duration(text: str) -> timedelta:
    """Read an xs:duration; a year counts 365 days and a month 30. Raises `Malformed` (rule `times.duration`)."""
    text = text.strip(" \t\r\n")
    match = _DURATION.fullmatch(text) if len(text) <= 60 else None
    if match is None or text.endswith(("P", "T")):
        raise Malformed("times.duration", "not an xs:duration")
    years, months, days, hours, minutes, seconds = (int(match[group] or 0) for group in (2, 3, 4, 6, 7, 8))
    span = timedelta(days=years * 365 + months * 30 + days, hours=hours, minutes=minutes, seconds=seconds)
    return -span if match[1] else span


def format_duration(span: timedelta) -> str:
    """Write a non-negative span as an xs:duration in whole seconds."""
    return f"PT{int(span.total_seconds())}S"
