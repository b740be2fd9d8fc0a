"""Groups of the people who are served, where the release policy lets the partner know them.

A partner's group holds those members whom the connection serves, and nobody else. Members are added and removed one by
one, never as a list. A group stays, empty, when its last member leaves; it goes when it no longer exists here, or when
the partner may not know it any more.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from federation.scim import urns
from federation.scim.results import Found, Operation, Result
from idp_app.models import AccountLink, Group, GroupLink, MemberLink
from idp_app.services.provisioning import documents, fanout
from idp_app.services.provisioning.outcomes import DONE, Kind, Outcome, Retry, kind_of, sentence
from idp_app.services.provisioning.subjects import Subject, Target

ENDPOINT: Final = "/Groups"


@dataclass(slots=True)
class GroupStep:
    """What is to be done with one group. `people` all wait for it; `joining` and `leaving` are some of them."""

    group_id: str
    name: str
    operation: Operation
    people: set[str] = field(default_factory=set)
    joining: set[str] = field(default_factory=set)
    leaving: set[str] = field(default_factory=set)
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Edges:
    """Who should join and leave which group at the partner, by group id."""

    joining: Mapping[str, set[str]]
    leaving: Mapping[str, set[str]]
    names: Mapping[str, str]

    @property
    def group_ids(self) -> set[str]:
        """The groups it is about."""
        return {*self.joining, *self.leaving}


def edges(session: Session, target: Target, subjects: Sequence[Subject]) -> Edges:
    """Compare what several people's memberships should be with what the partner surely holds."""
    wanted = {(group_id, subject.person_id) for subject in subjects for group_id in subject.groups}
    names = {group_id: name for subject in subjects for group_id, name in subject.groups.items()}
    rows = session.scalars(
        select(MemberLink).where(
            MemberLink.connection_id == target.id,
            MemberLink.person_id.in_([subject.person_id for subject in subjects]),
        )
    ).all()
    confirmed = {(row.group_id, row.person_id) for row in rows if row.confirmed}
    joining: dict[str, set[str]] = defaultdict(set)
    leaving: dict[str, set[str]] = defaultdict(set)
    for group_id, person_id in wanted - confirmed:
        joining[group_id].add(person_id)
    for row in rows:
        if (row.group_id, row.person_id) not in wanted:
            leaving[row.group_id].add(row.person_id)
    return Edges(joining, leaving, names)


def links(session: Session, target: Target, group_ids: Iterable[str]) -> dict[str, GroupLink]:
    """What is known of several groups at the partner."""
    found = session.scalars(
        select(GroupLink)
        .where(GroupLink.connection_id == target.id, GroupLink.group_id.in_(list(group_ids)))
        .execution_options(populate_existing=True)
    )
    return {link.group_id: link for link in found}


def creations(session: Session, target: Target, wanted: Edges, now: datetime) -> list[GroupStep]:
    """Intend to create the groups that somebody joins and the partner does not have. Commit before sending."""
    known = links(session, target, wanted.joining)
    steps = []
    for group_id in sorted(wanted.joining):
        link = known.get(group_id)
        if link is not None and link.remote_id is not None:
            continue
        document = documents.of_group(group_id, wanted.names[group_id])
        if link is None:
            link = GroupLink(connection_id=target.id, group_id=group_id, document={}, created=now)
            session.add(link)
        link.intended, link.modified, link.deleting = document, now, False
        operation = Operation("POST", ENDPOINT, documents.resource(document, urns.GROUP))
        steps.append(GroupStep(group_id, document["displayName"], operation, wanted.joining[group_id], creates=True))
    return steps


def changes(session: Session, target: Target, wanted: Edges, now: datetime) -> list[GroupStep]:
    """Intend to change members and names of groups that the partner has. Commit before sending."""
    people = set[str]().union(*wanted.joining.values(), *wanted.leaving.values())
    remote = _remote_ids(session, target, people)
    groups = session.scalars(select(Group).where(Group.id.in_(sorted(wanted.group_ids))))
    names = {group.id: group.name for group in groups}
    steps = []
    for group_id, link in sorted(links(session, target, wanted.group_ids).items()):
        if link.remote_id is None:
            continue
        joining = wanted.joining.get(group_id, set()) & remote.keys()
        leaving = wanted.leaving.get(group_id, set())
        after = documents.of_group(group_id, names[group_id]) if group_id in names else link.document
        operations = documents.differences(documents.doubted(link.document, link.intended), after)
        operations += _members(
            sorted(remote[each] for each in joining), sorted(remote[each] for each in leaving & remote.keys())
        )
        if not operations:
            _delete_members(session, target, group_id, leaving)
            continue
        _intend_members(session, target, group_id, joining, leaving)
        link.intended, link.modified = after, now
        data = {"schemas": [urns.PATCH_OP], "Operations": operations}
        operation = Operation("PATCH", f"{ENDPOINT}/{quote(link.remote_id, safe='')}", data, link.version)
        steps.append(GroupStep(group_id, names.get(group_id, ""), operation, joining | leaving, joining, leaving))
    return steps


def unwanted(session: Session, target: Target, now: datetime) -> list[GroupStep]:
    """Intend to delete the groups that no longer exist here, and those that the partner may not know any more."""
    known = session.scalars(select(GroupLink).where(GroupLink.connection_id == target.id)).all()
    groups = session.scalars(select(Group).where(Group.id.in_([link.group_id for link in known])))
    names = {group.id: group.name for group in groups}
    steps = []
    for link in known:
        name = names.get(link.group_id)
        if name is not None and target.may_know_group(name):
            continue
        if link.remote_id is None and link.intended is None:
            forget(session, target, link.group_id)
            continue
        link.deleting = True
        if link.remote_id is not None and (link.not_before is None or link.not_before <= now):
            operation = Operation("DELETE", f"{ENDPOINT}/{quote(link.remote_id, safe='')}")
            steps.append(GroupStep(link.group_id, name or link.document.get("displayName", ""), operation))
    return steps


def leaving_in_doubt(session: Session, target: Target, now: datetime) -> list[str]:
    """The groups on their way out of which we do not know whether the partner has them."""
    found = session.scalars(
        select(GroupLink.group_id).where(
            GroupLink.connection_id == target.id,
            GroupLink.deleting.is_(True),
            GroupLink.remote_id.is_(None),
            or_(GroupLink.not_before.is_(None), GroupLink.not_before <= now),
        )
    )
    return list(found)


def record(
    session: Session, target: Target, step: GroupStep, result: Result, now: datetime, *, found: Found | None
) -> Outcome:
    """Write down what became of a creation or a change. `found` is what a look-up afterwards has found."""
    link = links(session, target, [step.group_id])[step.group_id]
    link.modified = now
    kind = kind_of(result)
    remote_id = link.remote_id or result.resource_id
    if kind is Kind.DONE and remote_id is not None:
        link.remote_id, link.version = remote_id, result.version
        link.document, link.intended = link.intended or link.document, None
        _confirm(session, target, step)
        return DONE
    if found is not None:
        adopt(link, found)
        return Outcome(Retry.SOON, "adopted" if step.creates else "changed meanwhile")
    if kind in (Kind.GONE, Kind.CHANGED) and not step.creates:
        fanout.person(session, target.id, forget(session, target, step.group_id), now)
        return Outcome(Retry.SOON, "gone", "the site no longer has the group: it is created again")
    if kind in (Kind.UNKNOWN, Kind.DONE):
        return Outcome(Retry.LATER, "no answer", sentence(result))
    link.intended = None
    return Outcome(Retry.PARKED, "refused", sentence(result))


def record_deletion(
    session: Session, target: Target, step: GroupStep, result: Result, now: datetime, *, delay: timedelta
) -> Outcome:
    """Write down what became of a deletion; one that failed is tried again after `delay`."""
    if kind_of(result) in (Kind.DONE, Kind.GONE):
        forget(session, target, step.group_id)
        return DONE
    links(session, target, [step.group_id])[step.group_id].not_before = now + delay
    return Outcome(Retry.LATER, "no answer", sentence(result))


def adopt(link: GroupLink, found: Found | None) -> None:
    """Write down what a look-up has found. What the group is called there is not known and will be said again."""
    link.document, link.intended = {}, None
    if found is not None:
        link.remote_id, link.version = found.id, found.version


def _confirm(session: Session, target: Target, step: GroupStep) -> None:
    """Write down that members have joined and left."""
    _delete_members(session, target, step.group_id, step.leaving)
    for row in session.scalars(
        select(MemberLink).where(
            MemberLink.connection_id == target.id,
            MemberLink.group_id == step.group_id,
            MemberLink.person_id.in_(sorted(step.joining)),
        )
    ):
        row.confirmed = True


def forget(session: Session, target: Target, group_id: str) -> list[str]:
    """The partner has no such group: drop what we know of it, and answer who was in it."""
    mine = (MemberLink.connection_id == target.id, MemberLink.group_id == group_id)
    people = list(session.scalars(select(MemberLink.person_id).where(*mine)))
    session.execute(delete(MemberLink).where(*mine).execution_options(synchronize_session=False))
    session.execute(
        delete(GroupLink)
        .where(GroupLink.connection_id == target.id, GroupLink.group_id == group_id)
        .execution_options(synchronize_session=False)
    )
    return people


def _remote_ids(session: Session, target: Target, person_ids: set[str]) -> dict[str, str]:
    """The partner's ids of those people whose account there is certain."""
    rows = session.execute(
        select(AccountLink.person_id, AccountLink.remote_id).where(
            AccountLink.connection_id == target.id,
            AccountLink.person_id.in_(sorted(person_ids)),
            AccountLink.remote_id.is_not(None),
        )
    )
    return {row.person_id: row.remote_id for row in rows}


def _members(joining: Sequence[str], leaving: Sequence[str]) -> list[dict[str, Any]]:
    operations: list[dict[str, Any]] = []
    if joining:
        value = [{"value": remote_id} for remote_id in joining]
        operations.append({"op": "add", "path": "members", "value": value})
    operations += [{"op": "remove", "path": f"members[value eq {json.dumps(remote_id)}]"} for remote_id in leaving]
    return operations


def _intend_members(session: Session, target: Target, group_id: str, joining: set[str], leaving: set[str]) -> None:
    rows = {
        row.person_id: row
        for row in session.scalars(
            select(MemberLink).where(
                MemberLink.connection_id == target.id,
                MemberLink.group_id == group_id,
                MemberLink.person_id.in_(sorted(joining | leaving)),
            )
        )
    }
    for row in rows.values():
        row.confirmed = False
    session.add_all(
        MemberLink(connection_id=target.id, group_id=group_id, person_id=person_id, confirmed=False)
        for person_id in sorted(joining - rows.keys())
    )


def _delete_members(session: Session, target: Target, group_id: str, people: set[str]) -> None:
    session.execute(
        delete(MemberLink)
        .where(
            MemberLink.connection_id == target.id,
            MemberLink.group_id == group_id,
            MemberLink.person_id.in_(sorted(people)),
        )
        .execution_options(synchronize_session=False)
    )
