"""From recorded changes to the people whom each connection has to look at again; and which connections have work.

Several changes of one person become one row per connection. Nothing is planned here: what a change means is decided
from the state of things when its turn comes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, delete, exists, literal, or_, select, true, union, update
from sqlalchemy.orm import Session

from idp_app.models import (
    AccountLink,
    Change,
    Connection,
    ConnectionState,
    GroupLink,
    Pending,
    Stream,
    audience_member,
    connection_audience,
)
from idp_app.services import switch
from idp_app.services.provisioning import lease
from idp_app.services.upsert import insert

_CHUNK: Final = 500
_PROVISIONED: Final = (
    Connection.state.in_((ConnectionState.ACTIVE, ConnectionState.DISCONNECTING)),
    Connection.provisioning_url.is_not(None),
    or_(Connection.provisioning_token.is_not(None), Connection.provisioning_token_url.is_not(None)),
)


def fan_out(session: Session, now: datetime) -> int:
    """Work off the recorded changes, oldest first, a bounded number at a time; answers how many.

    What happens while the federation is off or a connection paused is dropped here: turning it on again is itself a
    change that concerns everybody.
    """
    if not session.scalar(select(exists().select_from(Change))):
        return 0  # the usual case costs no lock
    changes = session.scalars(select(Change).order_by(Change.id).limit(_CHUNK).with_for_update(skip_locked=True)).all()
    if changes and switch.is_on(session):
        connections = set(session.scalars(select(Connection.id).where(*_PROVISIONED)))
        wholly = {change.connection_id for change in changes if change.connection_id is not None}
        lease.forgive(session, sorted(wholly & connections))
        if any(change.connection_id is None and change.person_id is None for change in changes):
            wholly = connections
        for connection_id in sorted(wholly & connections):
            everybody(session, connection_id, now)
        people = dict.fromkeys(change.person_id for change in changes if change.person_id is not None)
        _mark(session, sorted(connections - wholly), list(people), now)
    session.execute(
        delete(Change)
        .where(Change.id.in_([change.id for change in changes]))
        .execution_options(synchronize_session=False)
    )
    return len(changes)


def everybody(session: Session, connection_id: str, now: datetime) -> None:
    """Let a connection look again at everybody whom it may serve, and at everybody whom it ever served."""
    served = (
        select(audience_member.c.person_id)
        .join(connection_audience, connection_audience.c.audience_id == audience_member.c.audience_id)
        .where(connection_audience.c.connection_id == connection_id)
    )
    known = select(AccountLink.person_id).where(AccountLink.connection_id == connection_id)
    people = union(served, known).subquery()
    instant = literal(now, Pending.since.type)
    rows = select(literal(connection_id), people.c.person_id, literal(1), instant, instant, literal(0))
    _insert(session, rows.where(true()))  # SQLite would read ON CONFLICT as part of a join without WHERE


def person(session: Session, connection_id: str, person_ids: Iterable[str], now: datetime) -> None:
    """Let a connection look again at some people."""
    _mark(session, [connection_id], list(person_ids), now)


def due(session: Session, now: datetime) -> Sequence[str]:
    """The connections that have something to do now and nobody at work on them. None while the federation is off."""
    if not switch.is_on(session):
        return ()
    waiting = exists().where(Pending.connection_id == Connection.id, Pending.not_before <= now)
    leaving = exists().where(
        GroupLink.connection_id == Connection.id,
        GroupLink.deleting.is_(True),
        or_(GroupLink.not_before.is_(None), GroupLink.not_before <= now),
    )
    busy = exists().where(
        Stream.connection_id == Connection.id, or_(Stream.leased_until > now, Stream.not_before > now)
    )
    return session.scalars(
        select(Connection.id).where(*_PROVISIONED, or_(waiting, leaving), ~busy).order_by(Connection.name_key)
    ).all()


def hasten(session: Session, connection_id: str, now: datetime) -> None:
    """Make everything that waits for another attempt due now."""
    lease.forgive(session, [connection_id])
    session.execute(
        update(Pending)
        .where(Pending.connection_id == connection_id)
        .values(not_before=now)
        .execution_options(synchronize_session=False)
    )


def provisioned(session: Session) -> Sequence[Connection]:
    """The connections that accounts are pushed to: with a SCIM address, and active or disconnecting, by name."""
    return session.scalars(select(Connection).where(*_PROVISIONED).order_by(Connection.name_key)).all()


def _mark(session: Session, connection_ids: Sequence[str], person_ids: Sequence[str], now: datetime) -> None:
    for connection_id in connection_ids:
        for start in range(0, len(person_ids), _CHUNK):
            rows = [
                {
                    "connection_id": connection_id,
                    "person_id": person_id,
                    "generation": 1,
                    "since": now,
                    "not_before": now,
                    "attempts": 0,
                }
                for person_id in person_ids[start : start + _CHUNK]
            ]
            _insert(session, rows)


def _insert(session: Session, rows: Sequence[dict[str, object]] | Select[Any]) -> None:
    """Add people; one who waits already is due at once, with a new generation."""
    statement = insert(session, Pending)
    if isinstance(rows, Select):
        names = ["connection_id", "person_id", "generation", "since", "not_before", "attempts"]
        statement = statement.from_select(names, rows)
    else:
        statement = statement.values(rows)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["connection_id", "person_id"],
            set_={
                "generation": Pending.generation + 1,
                "not_before": statement.excluded.not_before,
                "attempts": 0,
                "error": None,
            },
        ).execution_options(synchronize_session=False)
    )
