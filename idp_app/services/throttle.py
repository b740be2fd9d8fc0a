"""Delays that grow with failed sign-ins, without a way to lock somebody out or to learn who has an account.

Failures are counted for the account name as typed, whether or not it exists, and for the network address. A browser in
which the person has signed in before has a count of its own instead: strangers who guess at an account delay
themselves, not its owner. A delay never exceeds its cap, attempts during a delay are not counted, and a day without
failure forgets.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from idp_app.models import SignInThrottle
from idp_app.services.upsert import insert_new

MEMORY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Limit:
    """How many failures are free, and the longest delay after that. Each further failure doubles the delay from 1 s."""

    free: int
    cap: timedelta

    def delay(self, failures: int) -> timedelta:
        """How long to wait after this many failures in a row."""
        if failures <= self.free:
            return timedelta()
        return min(timedelta(seconds=2 ** min(failures - self.free - 1, 20)), self.cap)


ACCOUNT: Final = Limit(free=5, cap=timedelta(minutes=5))
ADDRESS: Final = Limit(free=30, cap=timedelta(minutes=1))
KNOWN_BROWSER: Final = Limit(free=5, cap=timedelta(minutes=1))


@dataclass(frozen=True, slots=True)
class Counter:
    """One count: its key in the table and its limit."""

    key: str
    limit: Limit


def counters(*, secret: bytes, username_key: str, address: str, known_browser: bytes | None) -> tuple[Counter, ...]:
    """The counts that one attempt falls under. Keys are keyed hashes: the table tells nobody who tried what."""

    def name(*parts: bytes) -> str:
        mac = hmac.new(secret, digestmod=hashlib.sha256)
        for part in parts:
            mac.update(len(part).to_bytes(4, "big") + part)
        return mac.hexdigest()

    account = username_key.encode(errors="replace")
    if known_browser is not None:
        return (Counter(name(b"browser", known_browser, account), KNOWN_BROWSER),)
    return (Counter(name(b"account", account), ACCOUNT), Counter(name(b"address", address.encode()), ADDRESS))


def remaining(session: Session, attempt: Sequence[Counter], now: datetime) -> timedelta:
    """How long the attempt has to wait: zero when it may go on."""
    keys = [counter.key for counter in attempt]
    blocked = session.scalars(select(SignInThrottle.blocked_until).where(SignInThrottle.key.in_(keys)))
    return max((until - now for until in blocked), default=timedelta()) if keys else timedelta()


def failed(session: Session, attempt: Sequence[Counter], now: datetime) -> None:
    """Count one failure. Rows are locked in one order, so two attempts cannot wait for each other."""
    for counter in sorted(attempt, key=lambda each: each.key):
        fresh = {"key": counter.key, "failures": 0, "last_failure": now, "blocked_until": now}
        insert_new(session, table_of(SignInThrottle), fresh)
        row = session.scalars(select(SignInThrottle).where(SignInThrottle.key == counter.key).with_for_update()).one()
        row.failures = 1 if now - row.last_failure > MEMORY else row.failures + 1
        row.last_failure = now
        row.blocked_until = now + counter.limit.delay(row.failures)
    session.flush()


def succeeded(session: Session, attempt: Sequence[Counter]) -> None:
    """Forget the failures of the account or the known browser, not the address's: a guesser may own one account."""
    keys = [counter.key for counter in attempt if counter.limit is not ADDRESS]
    session.execute(delete(SignInThrottle).where(SignInThrottle.key.in_(keys)))
