"""A store in memory, for tests of the engine alone: it evaluates every filter and knows no tenants."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from federation.scim.codec import Document
from federation.scim.errors import invalid_value, uniqueness
from federation.scim.filters import comparison_key, evaluate
from federation.scim.patch import MemberAction, MemberChange
from federation.scim.schema import ResourceType
from federation.scim.store import Page, Query, Record

NOW = datetime(2026, 3, 4, 10, tzinfo=UTC)


class MemoryStore:
    """`federation.scim.store.Store` in dictionaries. `loaded` notes which rows were asked for."""

    def __init__(self) -> None:
        self.records: dict[str, dict[str, Record]] = {"User": {}, "Group": {}}
        self.members: dict[str, list[str]] = {}
        self.loaded: list[frozenset[str]] = []
        self._ids = count(1)

    @contextmanager
    def atomic(self) -> Iterator[None]:
        before = copy.deepcopy((self.records, self.members))
        try:
            yield
        except BaseException:
            self.records, self.members = before
            raise

    def get(
        self, kind: ResourceType, resource_id: str, *, edges: frozenset[str] = frozenset(), for_update: bool = False
    ) -> Record | None:
        record = self.records[kind.name].get(resource_id)
        return None if record is None else self._with(kind, record, edges)

    def search(self, kind: ResourceType, query: Query) -> Page:
        every = frozenset(attribute.name for attribute in kind.edges)
        found = [
            record
            for record in self.records[kind.name].values()
            if query.filter is None or evaluate(query.filter, self._comparable(kind, self._with(kind, record, every)))
        ]
        page = found[query.start - 1 : query.start - 1 + query.count]
        return Page(len(found), [self._with(kind, record, query.edges) for record in page])

    def create(self, kind: ResourceType, document: Document) -> Record:
        self._require_free(kind, document, None)
        record = Record(f"{kind.name[0].lower()}{next(self._ids)}", 1, NOW, NOW, document)
        self.records[kind.name][record.id] = record
        return record

    def replace(self, kind: ResourceType, record: Record, document: Document) -> Record:
        self._require_free(kind, document, record.id)
        changed = replace(record, version=record.version + 1, document=document, edges={})
        self.records[kind.name][record.id] = changed
        return changed

    def touch(self, kind: ResourceType, record: Record) -> Record:
        touched = replace(record, version=record.version + 1, edges={})
        self.records[kind.name][record.id] = touched
        return touched

    def delete(self, kind: ResourceType, record: Record) -> None:
        del self.records[kind.name][record.id]
        for ids in self.members.values():
            if record.id in ids:
                ids.remove(record.id)

    def change_members(self, record: Record, changes: Sequence[MemberChange]) -> Record:
        ids = self.members.setdefault(record.id, [])
        before = list(ids)
        for change in changes:
            if change.action is MemberAction.REMOVE:
                ids[:] = [each for each in ids if each not in change.ids]
                continue
            if any(each not in self.records["User"] for each in change.ids):
                raise invalid_value("a member is no user")
            if change.action is MemberAction.REPLACE:
                ids[:] = change.ids
            else:
                ids += [each for each in change.ids if each not in ids]
        if ids == before:
            return record
        changed = replace(record, version=record.version + 1)
        self.records["Group"][record.id] = replace(changed, edges={})
        return changed

    def _with(self, kind: ResourceType, record: Record, edges: frozenset[str]) -> Record:
        self.loaded.append(edges)
        rows: dict[str, list[Mapping[str, Any]]] = {}
        if "members" in edges:
            rows["members"] = [{"value": each, "type": "User"} for each in self.members.get(record.id, ())]
        if "groups" in edges:
            rows["groups"] = [{"value": key} for key, ids in self.members.items() if record.id in ids]
        return replace(record, edges=rows)

    def _require_free(self, kind: ResourceType, document: Document, but: str | None) -> None:
        name = document.get("userName")
        for record in self.records[kind.name].values():
            taken = record.document.get("userName")
            if record.id != but and name and taken and comparison_key(name) == comparison_key(taken):
                raise uniqueness("another user has this userName")

    @staticmethod
    def _comparable(kind: ResourceType, record: Record) -> Mapping[str, Any]:
        meta = {"resourceType": kind.name, "created": record.created, "lastModified": record.modified}
        return {**record.document, **record.edges, "id": record.id, "meta": meta}
