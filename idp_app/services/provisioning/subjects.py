"""Who a person is to one connection: may they be served, and what may be told. The same rules as for the assertion."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.attributes.release import Release
from federation.audiences import eligibility
from federation.audiences.eligibility import Decision
from federation.registry.ending import Ending
from idp_app.models import ConnectionState, Group, Person, audience_member, group_member
from idp_app.services import release
from idp_app.services.live import LiveConnection
from idp_app.services.provisioning import documents
from idp_app.services.provisioning.documents import Document


@dataclass(frozen=True, slots=True)
class Target:
    """One connection, and what its people's identifiers are made from."""

    connection: LiveConnection
    release: Release
    secret: bytes
    scope: str

    @property
    def id(self) -> str:
        """The connection's id."""
        return self.connection.id

    @property
    def erases(self) -> bool:
        """Whether nothing of ours shall be left there: the connection is ending, and its accounts with it."""
        return self.connection.state is ConnectionState.DISCONNECTING and self.connection.ending is Ending.DELETE

    def may_know_group(self, name: str) -> bool:
        """Whether the partner may be told that a group of this name exists."""
        if self.erases:
            return False
        return "groups" in self.release.values({"groups": (name,)})


@dataclass(frozen=True, slots=True)
class Subject:
    """One person at one connection, as things are now.

    `document` is the account they should have, None for none; `groups` are the groups (id to name) they should be in.
    `decision` is None for somebody whose account there shall go: they are no longer in our own records, or it goes
    with the connection.
    """

    person_id: str
    name: str
    decision: Decision | None
    document: Document | None
    groups: Mapping[str, str]

    @property
    def gone(self) -> bool:
        """Whether the person does not exist here any more, or nobody shall have an account there."""
        return self.decision is None


def load(session: Session, target: Target, person_ids: Sequence[str]) -> dict[str, Subject]:
    """Look at several people, in three statements."""
    people = {person.id: person for person in session.scalars(select(Person).where(Person.id.in_(person_ids)))}
    audiences: dict[str, set[str]] = defaultdict(set)
    for person_id, audience_id in session.execute(
        select(audience_member.c.person_id, audience_member.c.audience_id).where(
            audience_member.c.person_id.in_(person_ids)
        )
    ):
        audiences[person_id].add(audience_id)
    groups: dict[str, dict[str, str]] = defaultdict(dict)
    for person_id, name, group_id in session.execute(
        select(group_member.c.person_id, Group.name, Group.id)
        .join(Group, Group.id == group_member.c.group_id)
        .where(group_member.c.person_id.in_(person_ids))
        .order_by(Group.name)
    ):
        groups[person_id][name] = group_id
    return {
        person_id: _subject(target, person_id, people.get(person_id), audiences[person_id], groups[person_id])
        for person_id in person_ids
    }


def _subject(
    target: Target, person_id: str, person: Person | None, audiences: set[str], groups: Mapping[str, str]
) -> Subject:
    if person is None or target.erases:
        return Subject(person_id, person_id if person is None else person.username, None, None, {})
    decision = eligibility.decide(
        guest=person.guest,
        suspended=person.suspended,
        person_audiences=audiences,
        connection_audiences=target.connection.audiences,
        connection_active=target.connection.state == ConnectionState.ACTIVE,
    )
    if not decision.allowed:
        return Subject(person_id, person.username, decision, None, {})
    known = release.Subject(person, person_id, tuple(groups), target.connection.entity_id, target.secret, target.scope)
    released = target.release.values(release.values_of(known, target.release.keys))
    document = documents.of_account(released)
    if document is None:
        reason = "The release policy does not let this site know the identifier that links accounts."
        return Subject(person_id, person.username, Decision(False, "provisioning.identifier", reason), None, {})
    member_of = {groups[name]: name for name in released.get("groups", ())}
    return Subject(person_id, person.username, decision, document, member_of)
