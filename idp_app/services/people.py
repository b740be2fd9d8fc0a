"""People: finding them, and the one place where they change.

Each change writes the person, the audit entry and the outbox row for provisioning in the caller's transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Table, delete, func, insert, or_, select
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from idp_app.errors import InvalidInput, NotThere
from idp_app.models import Audience, Group, Person, audience_member, group_member
from idp_app.services import audit, outbox
from idp_app.services.act import Act
from idp_app.services.logout import ending
from idp_app.services.passwords import Passwords
from idp_app.services.texts import clean, clean_mail, clean_username, key

TEXT_FIELDS: Final = ("given_name", "family_name", "display_name", "mail", "department")
PAGE_SIZE: Final = 50


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `total` counts all that match."""

    people: Sequence[Person]
    total: int
    number: int

    @property
    def last(self) -> int:
        """The number of the last page, from 1."""
        return max(1, -(-self.total // PAGE_SIZE))


def find(session: Session, username: str) -> Person:
    """The person with a user name, letter case aside. Raises `NotThere`."""
    person = session.scalars(select(Person).where(Person.username_key == key(username))).one_or_none()
    if person is None:
        raise NotThere("person", username)
    return person


def get(session: Session, person_id: str) -> Person:
    """The person with an id. Raises `NotThere`."""
    person = session.get(Person, person_id)
    if person is None:
        raise NotThere("person", person_id)
    return person


def search(session: Session, text: str, number: int = 1) -> Page:
    """People whose user name, name or mail holds the text, by user name."""
    found = select(Person)
    if text := text.strip():
        found = found.where(_holds(text))
    total = session.scalar(select(func.count()).select_from(found.subquery())) or 0
    number = min(max(number, 1), max(1, -(-total // PAGE_SIZE)))
    people = session.scalars(
        found.order_by(Person.username_key).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(people, total, number)


def _holds(text: str) -> ColumnElement[bool]:
    columns = (Person.display_name, Person.given_name, Person.family_name, Person.mail)
    return or_(
        Person.username_key.contains(key(text), autoescape=True),
        *(column.icontains(text, autoescape=True) for column in columns),
    )


def create(session: Session, username: str, act: Act, **fields: str) -> Person:
    """Add a person. Raises `InvalidInput` for a user name that is taken or a text that cannot be used."""
    username = clean_username(username)
    if session.scalar(select(Person.id).where(Person.username_key == key(username))) is not None:
        raise InvalidInput("user name", f"{username!r} is taken")
    person = Person(username=username, username_key=key(username), created=act.now, modified=act.now)
    for field, text in cleaned(fields).items():
        setattr(person, field, text)
    session.add(person)
    session.flush()  # the audit entry and the outbox row need the id
    changed(session, person, act, "person.created")
    return person


def cleaned(fields: Mapping[str, str]) -> dict[str, str]:
    """The text fields of a person in one form. Raises `InvalidInput` for the first that cannot be used."""
    unknown = set(fields) - set(TEXT_FIELDS)
    if unknown:
        raise TypeError(f"a person has no {sorted(unknown)}")
    return {
        field: clean_mail(text) if field == "mail" else clean(field.replace("_", " "), text)
        for field, text in fields.items()
    }


def suspend(session: Session, person: Person, act: Act) -> bool:
    """Suspend a person and end every session of theirs; False when they were suspended already.

    Raises `PolicyRefusal` for the last administrator who can still sign in.
    """
    if person.suspended:
        return False
    _keep_one_administrator(session, person)
    person.suspended = True
    ending.end_all(session, person.id, act)
    changed(session, person, act, "person.suspended")
    return True


def reinstate(session: Session, person: Person, act: Act) -> bool:
    """Lift a suspension; False when there was none."""
    if not person.suspended:
        return False
    person.suspended = False
    changed(session, person, act, "person.reinstated")
    return True


def set_administrator(session: Session, person: Person, administrator: bool, act: Act) -> bool:
    """Grant or withdraw the administrator's rights; False when nothing changed.

    Raises `PolicyRefusal` for the last one, `InvalidInput` for a guest.
    """
    if person.administrator == administrator:
        return False
    if administrator and person.guest:
        raise InvalidInput("user name", "belongs to a guest, and guests cannot be administrators")
    if not administrator:
        _keep_one_administrator(session, person)
    person.administrator = administrator
    person.modified = act.now
    audit.record(session, f"person.administrator_{'on' if administrator else 'off'}", act, person_id=person.id)
    return True


def set_password(session: Session, person: Person, password: str, passwords: Passwords, act: Act) -> None:
    """Give a person a new password; whoever is signed in as them is signed out. Raises `InvalidInput`."""
    person.password_hash = passwords.hash(password)
    person.modified = act.now
    ending.end_all(session, person.id, act)
    audit.record(session, "person.password", act, person_id=person.id)


def audiences_of(session: Session, person_id: str) -> Sequence[Audience]:
    """The audiences that a person is in, by name."""
    return session.scalars(
        select(Audience)
        .join(audience_member, audience_member.c.audience_id == Audience.id)
        .where(audience_member.c.person_id == person_id)
        .order_by(Audience.name_key)
    ).all()


def set_audiences(session: Session, person: Person, audience_ids: Collection[str], act: Act) -> bool:
    """Make a person a member of exactly these audiences; False when they were. Raises `NotThere`."""
    known = set(session.scalars(select(Audience.id).where(Audience.id.in_(audience_ids))))
    if missing := set(audience_ids) - known:
        raise NotThere("audience", min(missing))
    if not put_in_audiences(session, person, known):
        return False
    changed(session, person, act, "person.audiences")
    return True


def put_in_audiences(session: Session, person: Person, audience_ids: Collection[str]) -> bool:
    """The bare membership, for a use case that records the change itself."""
    return _replace(session, audience_member, person.id, "audience_id", set(audience_ids))


def put_in_groups(session: Session, person: Person, names: Collection[str]) -> bool:
    """Be in exactly these groups, new ones included; False when nothing changed. The caller records the change."""
    wanted = set(names)
    known = {group.name: group.id for group in session.scalars(select(Group).where(Group.name.in_(wanted)))}
    for name in sorted(wanted - set(known)):
        group = Group(name=name)
        session.add(group)
        session.flush()  # the membership needs the id
        known[name] = group.id
    moved = _replace(session, group_member, person.id, "group_id", set(known.values()))
    if moved:
        session.expire(person, ["groups"])
    return moved


def changed(session: Session, person: Person, act: Act, cause: str) -> None:
    """Note that a person changed: time of change, audit entry, outbox row."""
    person.modified = act.now
    audit.record(session, cause, act, person_id=person.id)
    outbox.record(session, cause=cause, now=act.now, person_id=person.id)


def _replace(session: Session, table: Table, person_id: str, column: str, wanted: set[str]) -> bool:
    """Make the rows of one person in a membership table be exactly `wanted`."""
    memberships = table.c
    present = set(session.scalars(select(memberships[column]).where(memberships.person_id == person_id)))
    if gone := present - wanted:
        session.execute(delete(table).where(memberships.person_id == person_id, memberships[column].in_(gone)))
    if new := wanted - present:
        session.execute(insert(table), [{"person_id": person_id, column: value} for value in sorted(new)])
    return bool(gone or new)


def _keep_one_administrator(session: Session, person: Person) -> None:
    """Refuse to take away the last administrator who can sign in: nobody could undo it from the console."""
    if not person.administrator or person.suspended:
        return
    others = session.scalar(
        select(func.count()).where(Person.administrator.is_(True), Person.suspended.is_(False), Person.id != person.id)
    )
    if not others:
        raise PolicyRefusal("people.last_administrator", f"{person.username} is the last administrator who can sign in")
