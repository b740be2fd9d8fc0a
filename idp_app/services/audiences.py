"""Audiences: making them and changing who is in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from idp_app.errors import NotThere
from idp_app.models import Audience, Person, audience_member
from idp_app.services import audit, outbox
from idp_app.services.act import Act
from idp_app.services.texts import clean, key
from idp_app.services.upsert import insert_new


class Counted(NamedTuple):
    """An audience and how many people are in it."""

    audience: Audience
    members: int


def find(session: Session, name: str) -> Audience:
    """The audience with a name, letter case aside. Raises `NotThere`."""
    audience = session.scalars(select(Audience).where(Audience.name_key == key(name))).one_or_none()
    if audience is None:
        raise NotThere("audience", name)
    return audience


def get(session: Session, audience_id: str) -> Audience:
    """The audience with an id. Raises `NotThere`."""
    audience = session.get(Audience, audience_id)
    if audience is None:
        raise NotThere("audience", audience_id)
    return audience


def every(session: Session) -> Sequence[Counted]:
    """All audiences by name, each with its number of members."""
    members = func.count(audience_member.c.person_id)
    rows = session.execute(
        select(Audience, members).outerjoin(audience_member).group_by(Audience.id).order_by(Audience.name_key)
    )
    return [Counted(audience, count) for audience, count in rows]


def members(session: Session, audience: Audience, *, limit: int) -> Sequence[Person]:
    """The first members of an audience by user name."""
    return session.scalars(
        select(Person)
        .join(audience_member, audience_member.c.person_id == Person.id)
        .where(audience_member.c.audience_id == audience.id)
        .order_by(Person.username_key)
        .limit(limit)
    ).all()


def size(session: Session, audience: Audience) -> int:
    """How many people are in it."""
    members = select(func.count()).where(audience_member.c.audience_id == audience.id)
    return session.scalar(members) or 0


def create(session: Session, name: str, act: Act, *, description: str = "") -> tuple[Audience, bool]:
    """The audience of that name, and whether it is new. Raises `InvalidInput`."""
    name = clean("audience", name, required=True)
    existing = session.scalars(select(Audience).where(Audience.name_key == key(name))).one_or_none()
    if existing is not None:
        return existing, False
    description = clean("description", description, limit=1000)
    audience = Audience(name=name, name_key=key(name), description=description, created=act.now)
    session.add(audience)
    session.flush()  # its id is wanted by whoever adds members next
    audit.record(session, "audience.created", act, detail={"audience": name})
    return audience, True


def add(session: Session, audience: Audience, people: Iterable[Person], act: Act) -> int:
    """Add people and answer how many were not in yet."""
    added = 0
    for person in people:
        if insert_new(session, audience_member, {"audience_id": audience.id, "person_id": person.id}):
            added += 1
            _changed(session, audience, person, "audience.added", act)
    return added


def remove(session: Session, audience: Audience, people: Iterable[Person], act: Act) -> int:
    """Take people out and answer how many were in."""
    removed = 0
    for person in people:
        table = audience_member.c
        statement = delete(audience_member).where(table.audience_id == audience.id, table.person_id == person.id)
        if session.execute(statement.returning(table.person_id)).first() is not None:
            removed += 1
            _changed(session, audience, person, "audience.removed", act)
    return removed


def _changed(session: Session, audience: Audience, person: Person, cause: str, act: Act) -> None:
    person.modified = act.now
    audit.record(session, cause, act, person_id=person.id, detail={"audience": audience.name})
    outbox.record(session, cause=cause, now=act.now, person_id=person.id)
