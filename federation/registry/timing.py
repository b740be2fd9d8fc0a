"""When a source is asked again. Pure: the time and the chance are arguments."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

SHORTEST: Final = timedelta(hours=1)
LONGEST: Final = timedelta(days=1)
"""The limits of a source that names none: cacheDuration counts in between."""
FIRST_RETRY: Final = timedelta(minutes=5)
_SPREAD: Final = 0.2


def after_success(
    now: datetime,
    *,
    cache_duration: timedelta | None,
    valid_until: datetime | None,
    shortest: timedelta,
    longest: timedelta,
    chance: float,
) -> datetime:
    """After the document's cacheDuration within the source's limits, and well before the copy expires.

    `chance`, from 0 to 1, spreads the sites of a federation over a fifth of the time.
    """
    wait = min(max(cache_duration if cache_duration is not None else longest, shortest), longest)
    if valid_until is not None:
        wait = min(wait, max((valid_until - now) / 2, FIRST_RETRY))
    return now + wait * (1 - _SPREAD * chance)


def after_failure(now: datetime, *, failures: int, longest: timedelta, chance: float) -> datetime:
    """After five minutes, then twice as long each time, up to the source's longest interval."""
    wait = min(FIRST_RETRY * (1 << min(failures - 1, 16)), longest)
    return now + wait * (1 - _SPREAD * chance)
