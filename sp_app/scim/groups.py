"""Groups of one connection, and who is in them: one row for each member, written as rows and never as a list."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, func, select
from sqlalchemy.orm import Session

from federation.scim.codec import Document
from federation.scim.errors import invalid_value, uniqueness
from federation.scim.filters import Filter, comparison_key, evaluate
from federation.scim.patch import MemberAction, MemberChange
from federation.scim.store import Record
from sp_app.models.scim import ScimGroup, ScimMember, ScimUser
from sp_app.scim.queries import Column

_CHUNK: Final = 500
Rows = Sequence[Mapping[str, Any]]


class Groups:
    """The Group half of the store."""

    model = ScimGroup

    def __init__(self, session: Session, *, connection_id: str, now: datetime) -> None:
        self._session = session
        self._connection_id = connection_id
        self._now = now

    @property
    def columns(self) -> Mapping[str, Column]:
        """The paths that SQL answers."""
        return {
            "id": Column(ScimGroup.id),
            "externalId": Column(ScimGroup.external_id),
            "displayName": Column(ScimGroup.display_name_key, key=True),
            "members.value": Column(ScimMember.user_id, exists=_has_member),
            "meta.created": Column(ScimGroup.created_at),
            "meta.lastModified": Column(ScimGroup.modified_at),
        }

    def create(self, document: Document) -> ScimGroup:
        """Add an empty group. Raises 409 uniqueness for an externalId that another group has."""
        group = ScimGroup(id=str(uuid.uuid4()), connection_id=self._connection_id, version=0, created_at=self._now)
        self._require_free(document, but=None)
        self._session.add(group)
        self._write(group, document)
        return group

    def replace(self, group: ScimGroup, document: Document) -> None:
        """Give a group another name or externalId; its members stay. Raises 409 uniqueness."""
        self._require_free(document, but=group)
        self._write(group, document)

    def delete(self, group: ScimGroup) -> None:
        """Remove a group; its members stay accounts."""
        self._session.delete(group)

    def change_members(self, group: ScimGroup, changes: Sequence[MemberChange]) -> bool:
        """Add and remove members, in order; whether anything was different. Raises for an unknown member."""
        changed = [self._change(group.id, change) for change in changes]
        if not any(changed):
            return False
        group.version += 1
        group.modified_at = self._now
        self._session.flush()
        return True

    def rows(self, edge: str, ids: Sequence[str]) -> Mapping[str, Rows]:
        """The members of several groups, by group id."""
        found = self._session.execute(
            select(ScimMember.group_id, ScimMember.user_id)
            .where(ScimMember.group_id.in_(ids))
            .order_by(ScimMember.user_id)
        )
        rows: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        for group_id, user_id in found:
            rows[group_id].append({"value": user_id, "type": "User"})
        return rows

    def record(self, group: ScimGroup, edges: Mapping[str, Rows]) -> Record:
        """The row as the engine reads it."""
        return Record(group.id, group.version, group.created_at, group.modified_at, dict(group.document), edges)

    def _change(self, group_id: str, change: MemberChange) -> bool:
        match change.action:
            case MemberAction.ADD:
                return self._add(group_id, change.ids)
            case MemberAction.REMOVE:
                return self._remove(group_id, change.ids)
            case MemberAction.REPLACE:
                present = set(self._session.scalars(select(ScimMember.user_id).where(ScimMember.group_id == group_id)))
                removed = self._remove(group_id, sorted(present - set(change.ids)))
                return self._add(group_id, [each for each in change.ids if each not in present]) or removed
            case MemberAction.REMOVE_MATCHING:
                assert change.matching is not None
                return self._remove(group_id, self._matching(group_id, change.matching))

    def _matching(self, group_id: str, wanted: Filter) -> list[str]:
        return [row["value"] for row in self.rows("members", [group_id]).get(group_id, ()) if evaluate(wanted, row)]

    def _add(self, group_id: str, ids: Sequence[str]) -> bool:
        added = False
        for chunk in _chunks(ids):
            known = set(
                self._session.scalars(
                    select(ScimUser.id).where(ScimUser.connection_id == self._connection_id, ScimUser.id.in_(chunk))
                )
            )
            if len(known) < len(set(chunk)):
                raise invalid_value("a member is no user of this connection")
            present = set(
                self._session.scalars(
                    select(ScimMember.user_id).where(ScimMember.group_id == group_id, ScimMember.user_id.in_(chunk))
                )
            )
            new = sorted(known - present)
            self._session.add_all(ScimMember(group_id=group_id, user_id=each) for each in new)
            added |= bool(new)
        self._session.flush()
        return added

    def _remove(self, group_id: str, ids: Sequence[str]) -> bool:
        before = self._count(group_id)
        for chunk in _chunks(ids):
            self._session.execute(
                delete(ScimMember).where(ScimMember.group_id == group_id, ScimMember.user_id.in_(chunk))
            )
        return bool(ids) and self._count(group_id) < before

    def _count(self, group_id: str) -> int:
        return self._session.scalar(select(func.count()).where(ScimMember.group_id == group_id)) or 0

    def _require_free(self, document: Document, *, but: ScimGroup | None) -> None:
        external_id = document.get("externalId")
        if external_id is None:
            return
        holders = self._session.scalars(
            select(ScimGroup).where(
                ScimGroup.connection_id == self._connection_id, ScimGroup.external_id == external_id
            )
        )
        if any(holder is not but for holder in holders):
            raise uniqueness("this externalId belongs to another group")

    def _write(self, group: ScimGroup, document: Document) -> None:
        group.display_name = document["displayName"]
        group.display_name_key = comparison_key(document["displayName"])
        group.external_id = document.get("externalId")
        group.document = document
        group.version += 1
        group.modified_at = self._now
        self._session.flush()


def _chunks(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _CHUNK):
        yield ids[start : start + _CHUNK]


def _has_member(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(ScimMember.group_id == ScimGroup.id, condition)
