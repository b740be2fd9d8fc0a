"""One entity of a federation's source, for the hot path: parsed once for each version and kept in the process.

Which source owns an entityID is written down: the one with the smallest precedence, then the first by name. Another one
does not step in when the owner's copy has expired.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, Select, bindparam, select
from sqlalchemy.orm import Session

from federation.registry.aggregates import table_of
from federation.registry.columns import EntityColumns, SourceColumns
from federation.registry.host import Host
from federation.saml.metadata.aggregate import MAX_AGGREGATE
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document

KEEP: Final = 256
"""How many parsed entities a process keeps: a few megabytes."""


@dataclass(frozen=True, slots=True)
class Known:
    """A verified entity of a federation's source, with what the source says of all of them.

    `key` is its short name, `version` changes whenever anything here does.
    """

    key: str
    version: tuple[Any, ...]
    entity: Entity
    name: str
    source: str
    source_id: str
    valid_until: datetime | None
    defaults: Mapping[str, Any]


class Entities:
    """The entities that one process has parsed. A stale one is never used: each look-up compares the version."""

    def __init__(self, host: Host) -> None:
        entity, source = table_of(host.tables.entity), _table(host.tables.source)
        role = entity.c.is_idp if host.role == "idp" else entity.c.is_sp
        owned = (
            select(
                entity.c.key, entity.c.entity_id, entity.c.source_id, entity.c.digest, source.c.version,
                entity.c.valid_until, source.c.valid_until.label("source_valid_until"),
            )
            .join(source, source.c.id == entity.c.source_id)
            .where(source.c.enabled, role)
            .order_by(source.c.precedence, source.c.name_key)
            .limit(1)
        )  # fmt: skip
        self._by_entity_id = owned.where(entity.c.entity_id == bindparam("sought"))
        self._by_key = owned.where(entity.c.key == bindparam("sought"))
        self._document = (
            select(entity.c.document, source.c.defaults, source.c.name)
            .join(source, source.c.id == entity.c.source_id)
            .where(entity.c.source_id == bindparam("source"), entity.c.entity_id == bindparam("sought"))
        )
        self._parsed: OrderedDict[str, Known] = OrderedDict()
        self._lock = threading.Lock()

    def by_entity_id(self, session: Session, entity_id: str) -> Known | None:
        """The entity with an entityID, whether it has expired or not."""
        return self._find(session, self._by_entity_id, entity_id)

    def by_key(self, session: Session, key: str) -> Known | None:
        """The entity that a short name stands for."""
        return self._find(session, self._by_key, key)

    def _find(self, session: Session, statement: Select[Any], sought: str) -> Known | None:
        row = session.execute(statement, {"sought": sought}).first()
        if row is None:
            return None
        known = self._parsed.get(row.key)
        if known is None or known.version != _version(row):
            known = self._parse(session, row)
        with self._lock:
            self._parsed[row.key] = known
            self._parsed.move_to_end(row.key)
            while len(self._parsed) > KEEP:
                self._parsed.popitem(last=False)
        return known

    def _parse(self, session: Session, row: Row[Any]) -> Known:
        found = session.execute(self._document, {"source": row.source_id, "sought": row.entity_id}).one()
        (entity,) = read_document(found.document, max_bytes=MAX_AGGREGATE)
        limits = [limit for limit in (row.valid_until, row.source_valid_until) if limit is not None]
        return Known(
            key=row.key,
            version=_version(row),
            entity=entity,
            name=entity.display_name(),
            source=found.name,
            source_id=row.source_id,
            valid_until=min(limits, default=None),
            defaults=found.defaults,
        )


def _version(row: Row[Any]) -> tuple[Any, ...]:
    return row.source_id, row.digest, row.version, row.valid_until, row.source_valid_until


def _table(kind: type[SourceColumns | EntityColumns]) -> Any:
    table: Any = kind.__table__  # type: ignore[union-attr]
    return table
