"""What the server engine asks of whoever keeps the resources. One store speaks for one tenant, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from federation.scim.codec import Document
from federation.scim.filters import Filter
from federation.scim.patch import MemberChange
from federation.scim.schema import ResourceType


@dataclass(frozen=True, slots=True)
class Record:
    """A resource as it is kept. `version` is a counter that every change moves.

    `edges` holds the attributes whose values are rows of their own, as far as they were asked for.
    """

    id: str
    version: int
    created: datetime
    modified: datetime
    document: Document
    edges: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Query:
    """A search. `start` counts from 1, `count` may be 0. `edges`: the rows to load with each resource."""

    filter: Filter | None
    start: int
    count: int
    edges: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Page:
    """Part of what a search found, and how many it found in all. Order is stable: the id decides last."""

    total: int
    records: Sequence[Record]


class Store(Protocol):
    """The resources of one tenant. Every method raises `ScimError` for what the client did wrong, and nothing else."""

    def atomic(self) -> AbstractContextManager[None]:
        """All that is written inside happens, or, when an exception leaves it, none of it."""

    def get(
        self, kind: ResourceType, resource_id: str, *, edges: frozenset[str] = frozenset(), for_update: bool = False
    ) -> Record | None:
        """The resource, or None. An id that cannot be one is None too.

        `for_update`: nobody else changes it until the transaction ends.
        """

    def search(self, kind: ResourceType, query: Query) -> Page:
        """The resources that satisfy a filter. May refuse what costs too much (tooMany)."""

    def create(self, kind: ResourceType, document: Document) -> Record:
        """Add a resource. Raises 409 uniqueness."""

    def replace(self, kind: ResourceType, record: Record, document: Document) -> Record:
        """Give a resource another document, and a new version. Raises 409 uniqueness."""

    def touch(self, kind: ResourceType, record: Record) -> Record:
        """Give a resource a new version and nothing else."""

    def delete(self, kind: ResourceType, record: Record) -> None:
        """Remove a resource for good: it is in no group and no search any more."""

    def change_members(self, record: Record, changes: Sequence[MemberChange]) -> Record:
        """Add and remove rows of a group. The version moves when anything changed. Raises for an unknown member."""
