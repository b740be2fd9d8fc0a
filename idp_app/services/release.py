"""What we know about a person, in the form that the release policy decides on: for assertions and for provisioning."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple, Protocol

from sqlalchemy import bindparam, literal_column, select, union_all
from sqlalchemy.orm import Session

from federation.attributes import identifiers
from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from idp_app.models import Group, audience_member, group_member
from idp_app.models.people import Named, full_name


class Described(Named, Protocol):
    """A person's own attributes: the row, or what a session carries."""

    @property
    def mail(self) -> str: ...
    @property
    def department(self) -> str: ...


class Memberships(NamedTuple):
    """The audiences (ids) and groups (names, sorted) that a person is in."""

    audiences: frozenset[str]
    groups: tuple[str, ...]


_GROUP: Final = table_of(Group)
_MEMBERSHIPS: Final = Prepared(
    union_all(
        select(literal_column("'a'").label("kind"), audience_member.c.audience_id.label("value")).where(
            audience_member.c.person_id == bindparam("person")
        ),
        select(literal_column("'g'"), _GROUP.c.name)
        .join(group_member, group_member.c.group_id == _GROUP.c.id)
        .where(group_member.c.person_id == bindparam("person")),
    )
)


def memberships_of(session: Session, person_id: str) -> Memberships:
    """Both kinds of membership in one statement."""
    rows = _MEMBERSHIPS.rows(session, {"person": person_id})
    return Memberships(
        frozenset([value for kind, value in rows if kind == "a"]),
        tuple(sorted([value for kind, value in rows if kind == "g"])),
    )


class Subject(NamedTuple):
    """A person at one partner, and what their identifiers there are made from. Their scope is our own domain."""

    person: Described
    person_id: str
    groups: tuple[str, ...]
    entity_id: str
    secret: bytes
    scope: str


_VALUES: Final[Mapping[str, Callable[[Subject], tuple[str, ...]]]] = {
    "pairwise_id": lambda it: (pairwise_id(it.person_id, it.entity_id, secret=it.secret, scope=it.scope),),
    "subject_id": lambda it: (subject_id(it.person_id, secret=it.secret, scope=it.scope),),
    "home_organization": lambda it: (it.scope.lower(),),
    "username": lambda it: (it.person.username,),
    "display_name": lambda it: (full_name(it.person),),
    "given_name": lambda it: (it.person.given_name,),
    "family_name": lambda it: (it.person.family_name,),
    "mail": lambda it: (it.person.mail,),
    "department": lambda it: (it.person.department,),
    "groups": lambda it: it.groups,
}
"""What we know about people, by the catalogue's keys. The other attributes have no values here."""


def values_of(subject: Subject, keys: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The person's values under these keys of the catalogue: no more is looked up or computed than will be told."""
    return {key: _VALUES[key](subject) for key in keys if key in _VALUES}


def pairwise_id(person_id: str, entity_id: str, *, secret: bytes, scope: str) -> str:
    """The person's identifier at one service provider: in the assertion, and as externalId in SCIM."""
    return identifiers.pairwise_id(secret=secret, person_uid=person_id, sp_entity_id=entity_id, scope=scope)


def subject_id(person_id: str, *, secret: bytes, scope: str) -> str:
    """The person's identifier at every service provider that may have one to compare."""
    return identifiers.subject_id(secret=secret, person_uid=person_id, scope=scope)
