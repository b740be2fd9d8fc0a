"""What we know about a person, in the form that the release policy decides on: for assertions and for provisioning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple, Protocol

from sqlalchemy import bindparam, literal, select, union_all
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
        select(literal("a").label("kind"), audience_member.c.audience_id.label("value")).where(
            audience_member.c.person_id == bindparam("person")
        ),
        select(literal("g"), _GROUP.c.name)
        .join(group_member, group_member.c.group_id == _GROUP.c.id)
        .where(group_member.c.person_id == bindparam("person")),
    )
)


def memberships_of(session: Session, person_id: str) -> Memberships:
    """Both kinds of membership in one statement."""
    rows = _MEMBERSHIPS.rows(session, {"person": person_id})
    return Memberships(
        frozenset(value for kind, value in rows if kind == "a"),
        tuple(sorted(value for kind, value in rows if kind == "g")),
    )


def attributes_of(
    person: Described, groups: tuple[str, ...], *, pairwise_id: str, subject_id: str
) -> Mapping[str, tuple[str, ...]]:
    """The person's values under the catalogue's keys. Their scope is the organisation's own domain."""
    values = {
        "pairwise_id": (pairwise_id,),
        "subject_id": (subject_id,),
        "home_organization": (identifiers.scope_of(pairwise_id),),
        "username": (person.username,),
        "display_name": (full_name(person),),
        "given_name": (person.given_name,),
        "family_name": (person.family_name,),
        "mail": (person.mail,),
        "department": (person.department,),
        "groups": groups,
    }
    return {name: present for name, each in values.items() if (present := tuple(value for value in each if value))}


def pairwise_id(person_id: str, entity_id: str, *, secret: bytes, scope: str) -> str:
    """The person's identifier at one service provider: in the assertion, and as externalId in SCIM."""
    return identifiers.pairwise_id(secret=secret, person_uid=person_id, sp_entity_id=entity_id, scope=scope)


def subject_id(person_id: str, *, secret: bytes, scope: str) -> str:
    """The person's identifier at every service provider that may have one to compare."""
    return identifiers.subject_id(secret=secret, person_uid=person_id, scope=scope)
