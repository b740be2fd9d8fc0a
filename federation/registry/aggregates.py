"""A federation's document into the table of entities: verified whole, staged outside the database, written at once.

Reading ten thousand entities takes a while, and writing them a moment. So they are read into a file first, and only the
writing is a transaction: nobody waits for it, and a document that is refused at its last entity has changed nothing.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import IO, Any, Final

from sqlalchemy import bindparam, delete, insert, select, update
from sqlalchemy.orm import Session

from federation.errors import Refused
from federation.registry.columns import SourceColumns
from federation.registry.effective import entity_in
from federation.registry.fetching import certificates_of
from federation.registry.host import Host, Limits
from federation.registry.search_text import found_by, is_hidden
from federation.saml.bindings import artifact
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata import age
from federation.saml.metadata.age import Age
from federation.saml.metadata.aggregate import Member, members, verify
from federation.saml.metadata.findings import Level
from federation.saml.metadata.origin import Pins
from federation.saml.metadata.rules import USE_RULES, Candidate, earliest_validity
from federation.saml.metadata.selection import Selection
from federation.storage.base import table_of

KEY_LENGTH: Final = 36
_BATCH: Final = 250
TELL_EVERY: Final = 250
_NAME_LENGTH: Final = 256


FETCHING: Final = "fetching the document"
VERIFYING: Final = "verifying its signature"
READING: Final = "checking the entities"
WRITING: Final = "writing what changed"
Tell = Callable[[str, int | None, int | None], None]
"""Hears what a refresh is at, and how many entities of how many it has done."""
_ENTITY_ID: Final = b' entityID="'
"""What canonical octets have once for each entity: their number, before they are read."""


def key_of(entity_id: str) -> str:
    """What stands for an entityID where a short name of bounded size is needed; as long as a connection's id."""
    return hashlib.sha256(entity_id.encode()).hexdigest()[:KEY_LENGTH]


@dataclass(frozen=True, slots=True)
class Staged:
    """One entity on its way to the database; its document lies at `offset` of the staging file."""

    entity_id: str
    digest: str
    valid_until: datetime | None
    offset: int
    length: int
    columns: Mapping[str, Any]


@dataclass(slots=True)
class Staging:
    """What a document brought: its limits, and every entity that the source takes."""

    file: IO[bytes]
    valid_until: datetime | None
    age: Age
    checks: tuple[Check, ...] = ()
    cache_duration: timedelta | None = None
    found: int = 0
    staged: list[Staged] = field(default_factory=list)

    def document(self, staged: Staged) -> bytes:
        """The octets of one entity."""
        self.file.seek(staged.offset)
        return self.file.read(staged.length)


@dataclass(frozen=True, slots=True)
class Written:
    """How many rows a refresh wrote."""

    added: int
    changed: int
    removed: int
    kept: int

    def __bool__(self) -> bool:
        """Whether anything is different now."""
        return bool(self.added or self.changed or self.removed)


def pins_of(source: SourceColumns) -> Pins:
    """Who may sign what comes from a source."""
    return Pins.of(fingerprints=source.signer_fingerprints, certificates_der=certificates_of(source))


def selection_of(source: SourceColumns) -> Selection:
    """Which entities are taken from a source."""
    return Selection(**{part: frozenset(values) for part, values in source.selection.items()})


def stage(
    source: SourceColumns,
    document: bytes,
    file: IO[bytes],
    role: str,
    limits: Limits,
    now: datetime,
    *,
    tell: Tell = lambda _phase, _done, _total: None,
) -> Staging:
    """Verify a document, and read it into a staging file. Raises `Malformed` and `Refused`; nothing has changed then.

    Entities that cannot be used in the role we need, or have expired before the others, are left out. `tell` hears how
    far it is.
    """
    tell(VERIFYING, None, None)
    verified = verify(
        document,
        now=now,
        pins=pins_of(source),
        max_validity=timedelta(seconds=source.max_validity),
        skew=limits.skew,
        exceptions=source.exceptions,
        algorithms=limits.algorithms,
    )
    staging = Staging(file, verified.valid_until, verified.age)
    total = verified.octets.count(_ENTITY_ID)
    tell(READING, 0, total)
    selection = selection_of(source)
    found = members(
        verified.octets, own_entity_id=limits.own_entity_id, allow_http_loopback=limits.allow_http_loopback, now=now
    )
    with _nothing_collected():
        for member in found:
            staging.found += 1
            if staging.found % TELL_EVERY == 0:
                tell(READING, staging.found, total)
            _note_cache_duration(staging, member)
            if selection.takes(member.entity) and is_usable(member, role, limits, now):
                staging.staged.append(_staged(staging.file, member, role, verified.valid_until))
    staging.checks = run((group_is_not_empty,), verified.checks, staging.found)
    return staging


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Millions of objects come and go by their counts alone; looking for cycles among them takes a twentieth."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


@rule("metadata.group", "SAML Metadata 2.3.1")
def group_is_not_empty(found: int) -> Seen:
    """A document describes at least one entity."""
    return found > 0, "at least one entity", f"{found} entities"


def is_usable(member: Member, role: str, limits: Limits, now: datetime) -> bool:
    """Whether an entity has the role we need, with the keys and endpoints it takes, and has not expired."""
    entity = member.entity
    if getattr(entity, role) is None:
        return False
    limit = earliest_validity(entity, role)
    if limit is not None and limit <= now - limits.skew:
        return False
    try:
        run(USE_RULES, (), Candidate(entity, (), role, None, allow_http_loopback=True))
    except Refused:
        return False
    return True


def _note_cache_duration(staging: Staging, member: Member) -> None:
    duration = member.entity.cache_duration
    if duration is not None and (staging.cache_duration is None or duration < staging.cache_duration):
        staging.cache_duration = duration


def _staged(file: IO[bytes], member: Member, role: str, root: datetime | None) -> Staged:
    offset = file.tell()
    file.write(member.octets)
    limit = earliest_validity(member.entity, role)
    own = limit if limit is not None and (root is None or limit < root) else None
    return Staged(member.entity.entity_id, member.digest, own, offset, len(member.octets), columns_of(member))


def columns_of(member: Member) -> Mapping[str, Any]:
    """What a row says of an entity besides its document and limits."""
    entity = member.entity
    name = " ".join(entity.display_name().split())[:_NAME_LENGTH]
    return {
        "key": key_of(entity.entity_id),
        "sha1": artifact.source_id(entity.entity_id).hex(),
        "name": name,
        "name_key": name.lower(),
        "found_by": found_by(entity, name),
        "hidden": is_hidden(entity),
        "is_idp": entity.idp is not None,
        "is_sp": entity.sp is not None,
        "registrar": entity.registration_authority,
        "warnings": sum(1 for finding in member.findings if finding.level is not Level.INFO),
    }


def write(session: Session, host: Host, source: SourceColumns, staging: Staging, now: datetime) -> Written:
    """Bring the rows of a source to what was staged: only those that differ are written."""
    table = table_of(host.tables.entity)
    known = {
        row.entity_id: (row.digest, row.valid_until)
        for row in session.execute(
            select(table.c.entity_id, table.c.digest, table.c.valid_until).where(table.c.source_id == source.id)
        )
    }
    fresh = [each for each in staging.staged if each.entity_id not in known]
    changed = [
        each
        for each in staging.staged
        if each.entity_id in known and known[each.entity_id] != (each.digest, each.valid_until)
    ]
    gone = sorted(set(known) - {each.entity_id for each in staging.staged})
    for batch in _batches(fresh):
        rows = [{"source_id": source.id, "entity_id": each.entity_id, **_row(staging, each, now)} for each in batch]
        session.execute(insert(table), rows)
    change = update(table).where(table.c.source_id == source.id, table.c.entity_id == bindparam("sought"))
    for batch in _batches(changed):
        session.execute(change, [{"sought": each.entity_id, **_row(staging, each, now)} for each in batch])
    for start in range(0, len(gone), _BATCH):
        leaving = table.c.entity_id.in_(gone[start : start + _BATCH])
        session.execute(delete(table).where(table.c.source_id == source.id, leaving))
    return Written(len(fresh), len(changed), len(gone), len(staging.staged) - len(fresh) - len(changed))


def regained(session: Session, host: Host, source: SourceColumns, staging: Staging) -> Sequence[str]:
    """What a document would bring that is not there now, in sentences: entities, and what widens one that is there."""
    table = table_of(host.tables.entity)
    rows = session.execute(select(table.c.entity_id, table.c.digest).where(table.c.source_id == source.id))
    digests = {row.entity_id: row.digest for row in rows}
    found: list[str] = []
    for each in staging.staged:
        if each.entity_id not in digests:
            found.append(f"It has the entity {each.entity_id}.")
        elif digests[each.entity_id] != each.digest:
            row = session.get_one(host.tables.entity, {"source_id": source.id, "entity_id": each.entity_id})
            ours, theirs = (entity_in(octets, each.entity_id) for octets in (row.document, staging.document(each)))
            found += [f"{each.entity_id}: {sentence}" for sentence in age.regained(ours, theirs)]
    return found


def _row(staging: Staging, staged: Staged, now: datetime) -> dict[str, Any]:
    return {
        **staged.columns,
        "digest": staged.digest,
        "document": staging.document(staged),
        "valid_until": staged.valid_until,
        "due": None,
        "changed": now,
    }


def _batches(staged: Sequence[Staged]) -> Iterator[Sequence[Staged]]:
    for start in range(0, len(staged), _BATCH):
        yield staged[start : start + _BATCH]
