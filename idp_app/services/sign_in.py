"""Signing in with a user name and a password."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from idp_app.models import KnownBrowser, Person
from idp_app.services import throttle
from idp_app.services.passwords import Passwords
from idp_app.services.texts import key
from idp_app.services.upsert import put


class Verdict(enum.Enum):
    """How an attempt ended. Unknown person, no password and wrong password are one verdict."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    SUSPENDED = "suspended"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Attempt:
    """The outcome. `person` is set when the password was right; `wait` when it was not even looked at."""

    verdict: Verdict
    person: Person | None = None
    wait: timedelta = timedelta()


def attempt(
    session: Session,
    *,
    username: str,
    password: str,
    browser_hash: bytes,
    address: str,
    now: datetime,
    passwords: Passwords,
    throttle_secret: bytes,
) -> Attempt:
    """Try a password, count a failure, and remember the browser after a success.

    The verification takes the same time for people who do not exist. It runs before this transaction writes anything,
    so nobody waits for a database lock while a hash is computed.
    """
    username_key = key(username)
    person = session.scalars(select(Person).where(Person.username_key == username_key)).one_or_none()
    counters = throttle.counters(
        secret=throttle_secret,
        username_key=username_key,
        address=address,
        known_browser=browser_hash if _is_known(session, person, browser_hash) else None,
    )
    wait = throttle.remaining(session, counters, now)
    if wait > timedelta():
        return Attempt(Verdict.WAIT, wait=wait)
    right = passwords.verify(person.password_hash if person is not None else None, password)
    if person is None or not right:
        throttle.failed(session, counters, now)
        return Attempt(Verdict.WRONG)
    if person.suspended:
        return Attempt(Verdict.SUSPENDED, person)
    throttle.succeeded(session, counters)
    if person.password_hash is not None and passwords.is_outdated(person.password_hash):
        person.password_hash = passwords.hash(password)
    put(session, table_of(KnownBrowser), {"person_id": person.id, "browser_hash": browser_hash, "last_used": now})
    return Attempt(Verdict.ACCEPTED, person)


def _is_known(session: Session, person: Person | None, browser_hash: bytes) -> bool:
    """Asks for nobody as well, so that an unknown name costs the same statements."""
    return session.get(KnownBrowser, (person.id if person is not None else "", browser_hash)) is not None
