"""One entity of a federation's source, for the hot path: parsed once for each version and kept in the process.

Which source owns an entityID is written down: the one with the smallest precedence, then the first by name. Another one
does not step in when the owner's copy has expired.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, bindparam, select
from sqlalchemy.orm import Session

from federation.registry.aggregates import key_of
from federation.registry.host import Host
from federation.saml.metadata.aggregate import MAX_AGGREGATE
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document
from federation.storage.base import table_of

KEEP: Final = 256
"""How many parsed entities a process keeps: a few megabytes."""


@dataclass(frozen=True)
class Known:
    """A verified entity of a federation's source, with what the source says of all of them.

    `key` is its short name, `version` changes whenever anything here does. It is parsed when it is first needed.
    """

    key: str
    version: tuple[Any, ...]
    entity_id: str
    document: bytes = field(repr=False)
    name: str
    source: str
    source_id: str
    valid_until: datetime | None
    defaults: Mapping[str, Any]

    @cached_property
    def entity(self) -> Entity:
        """The entity itself. Its document was verified before it was stored."""
        (entity,) = read_document(self.document, max_bytes=MAX_AGGREGATE)
        return entity


class Entities:
    """The entities that one process has parsed. A stale one is never used: each look-up compares the version."""

    def __init__(self, host: Host) -> None:
        entity, source = table_of(host.tables.entity), table_of(host.tables.source)
        role = entity.c.is_idp if host.role == "idp" else entity.c.is_sp
        version = (
            entity.c.key,
            entity.c.source_id,
            entity.c.digest,
            source.c.version,
            entity.c.valid_until,
            source.c.valid_until.label("source_valid_until"),
        )
        whole = (entity.c.entity_id, entity.c.document, entity.c.name, source.c.defaults, source.c.name.label("source"))

        def owned(column: ColumnElement[str], *columns: ColumnElement[Any]) -> Select[Any]:
            return (
                select(*columns)
                .join_from(entity, source, source.c.id == entity.c.source_id)
                .where(source.c.enabled, role, column == bindparam("sought"))
                .order_by(source.c.precedence, source.c.name_key)
                .limit(1)
            )

        # What is kept is asked for its version, anything else for all of it: one statement either way.
        self._version_by_key = owned(entity.c.key, *version)
        self._version_by_entity_id = owned(entity.c.entity_id, *version)
        self._whole_by_key = owned(entity.c.key, *version, *whole)
        self._whole_by_entity_id = owned(entity.c.entity_id, *version, *whole)
        self._entity_id_by_sha1 = owned(entity.c.sha1, entity.c.entity_id)
        self._parsed: OrderedDict[str, Known] = OrderedDict()
        self._lock = threading.Lock()

    def by_entity_id(self, session: Session, entity_id: str) -> Known | None:
        """The entity with an entityID, whether it has expired or not."""
        kept = self._parsed.get(key_of(entity_id))
        if kept is not None:
            row = session.execute(self._version_by_entity_id, {"sought": entity_id}).first()
            if row is None or kept.version == _version(row):
                return None if row is None else self._keep(kept)
        return self._read(session.execute(self._whole_by_entity_id, {"sought": entity_id}).first())

    def by_source_id(self, session: Session, source_id: bytes) -> Known | None:
        """The entity that made an artifact (SAML Bindings 3.6.4.2)."""
        entity_id = session.execute(self._entity_id_by_sha1, {"sought": source_id.hex()}).scalar()
        return None if entity_id is None else self.by_entity_id(session, entity_id)

    def by_key(self, session: Session, key: str) -> Known | None:
        """The entity that a short name stands for."""
        kept = self._parsed.get(key)
        if kept is not None:
            row = session.execute(self._version_by_key, {"sought": key}).first()
            if row is None or kept.version == _version(row):
                return None if row is None else self._keep(kept)
        return self._read(session.execute(self._whole_by_key, {"sought": key}).first())

    def _read(self, row: Row[Any] | None) -> Known | None:
        if row is None:
            return None
        limits = [limit for limit in (row.valid_until, row.source_valid_until) if limit is not None]
        known = Known(
            key=row.key,
            version=_version(row),
            entity_id=row.entity_id,
            document=row.document,
            name=row.name,
            source=row.source,
            source_id=row.source_id,
            valid_until=min(limits, default=None),
            defaults=row.defaults,
        )
        return self._keep(known)

    def _keep(self, known: Known) -> Known:
        """The one used last goes last, so that the one unused for longest is forgotten."""
        with self._lock:
            self._parsed[known.key] = known
            self._parsed.move_to_end(known.key)
            while len(self._parsed) > KEEP:
                self._parsed.popitem(last=False)
        return known


def _version(row: Row[Any]) -> tuple[Any, ...]:
    return row.source_id, row.digest, row.version, row.valid_until, row.source_valid_until
