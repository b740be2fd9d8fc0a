"""What an answer means, and when to try again."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from federation.scim.results import Result

_SOON_AT_MOST: Final = 4
_LATER: Final = (timedelta(seconds=5), timedelta(minutes=15))
_PARKED: Final = (timedelta(hours=1), timedelta(hours=24))


class Kind(enum.StrEnum):
    """What an answer means for the object it is about."""

    DONE = "done"
    GONE = "gone"
    """404: the partner no longer has it."""
    CHANGED = "changed"
    """412: somebody else has changed it since we last looked."""
    CONFLICT = "conflict"
    """409: something there has this value already."""
    REFUSED = "refused"
    """Another 4xx: it will be refused again, until we or they change something."""
    UNKNOWN = "unknown"
    """A server error, or no answer: it may or may not have happened."""


class Retry(enum.Enum):
    """When to try again."""

    NO = "no"
    SOON = "soon"
    LATER = "later"
    PARKED = "parked"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one person's or group's turn. `error` is for the administrator."""

    retry: Retry
    word: str
    error: str | None = None


DONE: Final = Outcome(Retry.NO, "done")


def kind_of(result: Result) -> Kind:
    """Classify the answer to an operation."""
    match result.status:
        case status if 200 <= status < 300:
            return Kind.DONE
        case 404 | 410:
            return Kind.GONE
        case 412:
            return Kind.CHANGED
        case 409:
            return Kind.CONFLICT
        case 408 | 425 | 429:
            return Kind.UNKNOWN
        case status if 400 <= status < 500:
            return Kind.REFUSED
        case 501:
            return Kind.REFUSED
        case _:
            return Kind.UNKNOWN


def sentence(result: Result) -> str:
    """An error as the administrator reads it."""
    if result.status == 0:
        return "the site's answer says nothing about this operation"
    kind = f" ({result.scim_type})" if result.scim_type else ""
    return f"the site answered {result.status}{kind}{': ' if result.detail else ''}{result.detail}"


def delay(retry: Retry, attempts: int, jitter: float) -> timedelta:
    """How long to wait before the next attempt, after `attempts` that failed. `jitter` is between 0 and 1."""
    if retry is Retry.SOON and attempts < _SOON_AT_MOST:
        return timedelta()
    first, longest = _PARKED if retry is Retry.PARKED else _LATER
    return min(first * 2 ** min(max(attempts - 1, 0), 20), longest) * (0.75 + jitter / 2)
