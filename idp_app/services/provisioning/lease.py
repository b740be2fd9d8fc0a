"""One writer for each connection: a lease with a fencing number, and the health of what it is for.

Every transaction that writes under a lease begins with `prove`: it renews the lease and locks its row, so that nobody
can take it over in the middle. Whoever lost the lease finds the number changed, and stops.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError
from idp_app.models import Stream
from idp_app.services.upsert import insert

LEASE: Final = timedelta(seconds=90)
"""Renewed before and after each request; a request may take a third of it."""
_FIRST_DELAY: Final = timedelta(seconds=2)
_LONGEST_DELAY: Final = timedelta(minutes=5)
_FIRST_QUARANTINE: Final = timedelta(hours=6)
_LONGEST_QUARANTINE: Final = timedelta(hours=24)


class LeaseLost(FederationError):
    """Somebody else has taken over the connection: what this one would do now is theirs to do."""

    rule = "provisioning.lease"

    def __str__(self) -> str:
        return "another worker has taken over this connection"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to send to one connection, as long as `fencing` is the newest number."""

    connection_id: str
    fencing: int

    def prove(self, session: Session, now: datetime) -> None:
        """Renew, and hold the row until the transaction ends. Raises `LeaseLost`."""
        self._write(session, leased_until=now + LEASE)

    def release(self, session: Session, *, succeeded: datetime | None) -> None:
        """Let the next one in. Raises `LeaseLost`."""
        success = {} if succeeded is None else {"last_success": succeeded}
        self._write(session, owner=None, leased_until=None, **success)

    def failed(
        self, session: Session, now: datetime, error: str, *, retry_after: int | None, jitter: float
    ) -> datetime:
        """Note that a request failed as such, and hold the connection back: longer each time, or as long as told.

        `jitter` is between 0 and 1. Answers when the next attempt is due. Raises `LeaseLost`.
        """
        failures = self._stream(session).failures + 1
        delay = min(_FIRST_DELAY * 2 ** min(failures - 1, 20), _LONGEST_DELAY) * (0.75 + jitter / 2)
        not_before = now + max(delay, timedelta(seconds=retry_after or 0))
        self._write(session, failures=failures, error=error, not_before=not_before)
        return not_before

    def quarantine(self, session: Session, now: datetime, error: str) -> None:
        """Note that the partner refuses our credentials: a rare probe, until an administrator changes something."""
        failures = self._stream(session).failures + 1
        delay = min(_FIRST_QUARANTINE * 2 ** min(failures - 1, 4), _LONGEST_QUARANTINE)
        self._write(session, failures=failures, error=error, not_before=now + delay, quarantined=True)

    def recovered(self, session: Session) -> None:
        """Note that a request was answered: nothing holds the connection back. Raises `LeaseLost`."""
        self._write(session, failures=0, error=None, not_before=None, quarantined=False)

    def _stream(self, session: Session) -> Stream:
        return session.get_one(Stream, self.connection_id, populate_existing=True)

    def _write(self, session: Session, **values: object) -> None:
        mine = (Stream.connection_id == self.connection_id, Stream.fencing == self.fencing)
        found = session.execute(
            update(Stream)
            .where(*mine)
            .values(**values)
            .returning(Stream.fencing)
            .execution_options(synchronize_session=False)
        )
        if found.first() is None:
            raise LeaseLost


def acquire(session: Session, connection_id: str, owner: str, now: datetime) -> Lease | None:
    """Take the lease, or answer None while somebody else holds it."""
    session.execute(
        insert(session, Stream).values(connection_id=connection_id, fencing=0, failures=0).on_conflict_do_nothing()
    )
    taken = session.execute(
        update(Stream)
        .where(
            Stream.connection_id == connection_id,
            or_(Stream.leased_until.is_(None), Stream.leased_until <= now),
        )
        .values(fencing=Stream.fencing + 1, owner=owner, leased_until=now + LEASE)
        .returning(Stream.fencing)
        .execution_options(synchronize_session=False)
    ).first()
    return None if taken is None else Lease(connection_id, taken.fencing)


def hold(session: Session, connection_id: str) -> None:
    """Let nobody write under a lease on this connection until the transaction ends."""
    session.execute(select(Stream.fencing).where(Stream.connection_id == connection_id).with_for_update())


def forgive(session: Session, connection_ids: list[str]) -> None:
    """End quarantine and delay: an administrator has changed something, or asks for an attempt now."""
    session.execute(
        update(Stream)
        .where(Stream.connection_id.in_(connection_ids))
        .values(failures=0, error=None, not_before=None, quarantined=False)
        .execution_options(synchronize_session=False)
    )


def holder(session: Session, connection_id: str, now: datetime) -> str | None:
    """Who holds the lease now, or None."""
    return session.scalar(select(Stream.owner).where(Stream.connection_id == connection_id, Stream.leased_until > now))
