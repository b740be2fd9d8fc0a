"""Importing people from a CSV file: all of it or nothing. One importer for administrators and for the demo."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp_app.models import Audience, Person
from idp_app.services import audit, people
from idp_app.services.act import Act
from idp_app.services.csv_rows import ImportRefused, Problem, Row, read
from idp_app.services.logout import ending
from idp_app.services.passwords import Passwords
from idp_app.services.texts import key

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Imported:
    """How many people the file made, changed, and found as they were."""

    new: int
    changed: int
    unchanged: int

    @property
    def total(self) -> int:
        """Everybody in the file."""
        return self.new + self.changed + self.unchanged


def import_people(
    session: Session,
    data: bytes,
    act: Act,
    *,
    passwords: Passwords,
    initial_password: str | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Imported:
    """Bring the people in a file into the database, in the caller's transaction.

    People are matched by user name, letter case aside; nobody is removed. `initial_password` is given to people who
    are new. Raises `ImportRefused` with every bad line before anything is written, `InvalidInput` for the password.
    """
    sheet = read(data)
    rows = sheet.rows
    known = _known(session, rows)
    audiences = {audience.name_key: audience.id for audience in session.scalars(select(Audience))}
    problems = [
        *sheet.problems,
        *(Problem(row.line, why) for row in rows for why in _reasons(row, known.get(key(row.username)), audiences)),
    ]
    if problems:
        raise ImportRefused(sorted(problems, key=lambda problem: problem.line))
    new = changed = 0
    for done, row in enumerate(rows, 1):
        person = known.get(key(row.username))
        if person is None:
            new += 1
            person = people.create(session, row.username, act, **row.texts)
            if initial_password is not None:
                person.password_hash = passwords.hash(initial_password)
            _apply(session, person, row, audiences, act)
        elif _apply(session, person, row, audiences, act):
            changed += 1
            people.changed(session, person, act, "person.imported")
        progress(done, len(rows))
    imported = Imported(new, changed, len(rows) - new - changed)
    audit.record(session, "people.imported", act, detail={"new": new, "changed": changed, "total": imported.total})
    return imported


def _known(session: Session, rows: Sequence[Row]) -> dict[str, Person]:
    """The people of the file who are here already, by key."""
    known = {}
    for chunk in _chunks([key(row.username) for row in rows]):
        for person in session.scalars(select(Person).where(Person.username_key.in_(chunk))):
            known[person.username_key] = person
    return known


def _chunks(keys: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(keys), _CHUNK):
        yield keys[start : start + _CHUNK]


def _reasons(row: Row, person: Person | None, audiences: Mapping[str, str]) -> Iterator[str]:
    """What only the database can tell is wrong with a row."""
    for name in row.lists.get("audiences", ()):
        if key(name) not in audiences:
            yield f"there is no audience {name!r}"
    if person is not None and person.administrator and (row.flags.get("guest") or row.flags.get("suspended")):
        yield f"{row.username} is an administrator, whom no file can suspend or make a guest"


def _apply(session: Session, person: Person, row: Row, audiences: Mapping[str, str], act: Act) -> bool:
    """Write what the row says; whether anything was different."""
    values = {**row.texts, **row.flags}
    different = {field: value for field, value in values.items() if getattr(person, field) != value}
    if different.get("suspended"):
        ending.end_all(session, person.id, act)
    for field, value in different.items():
        setattr(person, field, value)
    moved = False
    if "groups" in row.lists:
        moved |= people.put_in_groups(session, person, row.lists["groups"])
    if "audiences" in row.lists:
        ids = {audiences[key(name)] for name in row.lists["audiences"]}
        moved |= people.put_in_audiences(session, person, ids)
    return bool(different) or moved
