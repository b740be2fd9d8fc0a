"""Sources: adding them, changing them, taking them away, and how they do."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError, Malformed, PolicyRefusal
from federation.registry import timing
from federation.registry.columns import FILE, KINDS, MDQ, SourceColumns
from federation.registry.fetching import is_pinned, require_readable
from federation.registry.host import Host, Limits, Occasion
from federation.registry.widening import Rule
from federation.saml import certificates
from federation.saml.metadata.locations import is_entity_id, is_secure, problem_of_location
from federation.saml.metadata.rules import EXCEPTIONS

FEDERATION_VALIDITY: Final = timedelta(days=28)
"""How far ahead a federation's validUntil may be unless its source says otherwise: it is published anew each day."""
_SELECTION: Final = ("roles", "registrars", "categories", "entity_ids")


@dataclass(frozen=True, slots=True)
class NewSource:
    """What an administrator says of a source. `widening` and `max_validity` have defaults by its kind."""

    name: str
    kind: str
    location: str
    entity_id: str | None = None
    precedence: int = 100
    signer_fingerprints: Sequence[str] = ()
    signer_certificates: Sequence[bytes] = ()
    named_host: str | None = None
    max_validity: timedelta | None = None
    exceptions: Sequence[str] = ()
    shortest_interval: timedelta = timing.SHORTEST
    longest_interval: timedelta = timing.LONGEST
    selection: Mapping[str, Sequence[str]] = field(default_factory=dict)
    widening: Rule | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


def add(session: Session, host: Host, new: NewSource, limits: Limits, occasion: Occasion) -> SourceColumns:
    """Add a source; it is asked at the next refresh. Raises `ConfigurationError` that names every mistake."""
    tables = host.tables
    problems = [*_problems(new, limits)]
    name = " ".join(new.name.split())
    if session.scalars(select(tables.source).where(tables.source.name_key == name.lower())).first() is not None:
        problems.append(f"there is a source called {name} already")
    if new.entity_id is not None and host.holder(session, new.entity_id) is None:
        problems.append(f"there is no connection to {new.entity_id}: connect it first")
    if problems:
        raise ConfigurationError(*problems)
    federation = new.entity_id is None
    validity = new.max_validity or (FEDERATION_VALIDITY if federation else limits.max_validity)
    source = tables.source(
        id=str(uuid.uuid4()),
        name=name,
        name_key=name.lower(),
        kind=new.kind,
        location=new.location.rstrip("/") if new.kind == MDQ else new.location,
        entity_id=new.entity_id,
        enabled=True,
        precedence=new.precedence,
        signer_fingerprints=[certificates.normalise_fingerprint(each) for each in new.signer_fingerprints],
        signer_certificates=[base64.b64encode(each).decode() for each in new.signer_certificates],
        named_host=new.named_host.lower() if new.named_host is not None else None,
        max_validity=int(validity.total_seconds()),
        exceptions=sorted(new.exceptions),
        shortest_interval=int(new.shortest_interval.total_seconds()),
        longest_interval=int(new.longest_interval.total_seconds()),
        selection={part: sorted(values) for part, values in new.selection.items() if values},
        widening=(new.widening or (Rule.AT_ONCE if federation else Rule.SAME_HOST)).value,
        defaults=dict(new.defaults),
        created=occasion.now,
        created_by=occasion.actor,
        version=1,
        due=occasion.now,
        failures=0,
        entities=0,
    )
    host.check_defaults(session, source)
    session.add(source)
    host.record(session, "metadata.source.added", occasion, source=name, kind=new.kind, location=new.location)
    return source


def _problems(new: NewSource, limits: Limits) -> Sequence[str]:
    problems = []
    pinned = bool(new.signer_fingerprints or new.signer_certificates)
    if not new.name.strip() or len(new.name) > 100:
        problems.append("a source has a name of at most 100 characters")
    if new.kind not in KINDS:
        problems.append(f"a source is one of {', '.join(KINDS)}")
    problems += _location_problems(new, limits)
    problems += [f"{each!r} is no SHA-256 fingerprint" for each in new.signer_fingerprints if not _is_fingerprint(each)]
    if not pinned and new.named_host is None:
        problems.append("a source is believed for a pinned signer, or for one partner's host that is named")
    if not pinned and new.named_host is not None and new.entity_id is None:
        problems.append("many entities are only taken in when they are signed: pin the signer")
    if set(new.exceptions) - EXCEPTIONS:
        problems.append(f"the exceptions are {', '.join(sorted(EXCEPTIONS))}")
    if set(new.selection) - set(_SELECTION):
        problems.append(f"entities are selected by {', '.join(_SELECTION)}")
    if new.entity_id is None and new.widening not in (None, Rule.AT_ONCE):
        problems.append(
            "what a federation has verified is taken in at once: give one partner a source of its own instead"
        )
    if new.entity_id is not None and (new.kind == MDQ or new.selection or new.defaults):
        problems.append("the source of one partner is a file or a URL, and takes its audiences from the connection")
    if not timedelta() < new.shortest_interval <= new.longest_interval:
        problems.append("the shortest interval is longer than the longest")
    return problems


def _location_problems(new: NewSource, limits: Limits) -> Sequence[str]:
    if new.kind == FILE:
        if new.named_host is not None:
            return ("a file has no host",)
        require_readable(Path(new.location))
        return ()
    problem = problem_of_location(new.location)
    if problem is None and not is_secure(new.location, allow_http_loopback=limits.allow_http_loopback):
        problem = "is not an https URL"
    if problem is not None:
        return (f"the address {problem}",)
    host = (urlsplit(new.location).hostname or "").lower()
    if new.named_host is not None and new.named_host.lower() != host:
        return (f"the address is at {host}, not at the host that was named",)
    if new.entity_id is not None and not is_entity_id(new.entity_id):
        return ("the entityID is not an absolute URI",)
    return ()


def _is_fingerprint(text: str) -> bool:
    try:
        certificates.normalise_fingerprint(text)
    except Malformed:
        return False
    return True


def every(session: Session, host: Host) -> Sequence[SourceColumns]:
    """All sources, in the order of their precedence."""
    source = host.tables.source
    return session.scalars(select(source).order_by(source.precedence, source.name_key)).all()


def find(session: Session, host: Host, name: str) -> SourceColumns:
    """The source with a name or an id. Raises `PolicyRefusal`."""
    source = host.tables.source
    found = session.scalars(
        select(source).where((source.name_key == " ".join(name.split()).lower()) | (source.id == name))
    ).first()
    if found is None:
        raise PolicyRefusal("metadata.source", f"there is no source called {name}")
    return found


def remove(session: Session, host: Host, source: SourceColumns, occasion: Occasion) -> None:
    """Take a source away with every entity that came from it. Connections keep what is live."""
    host.record(session, "metadata.source.removed", occasion, source=source.name, entities=source.entities)
    session.delete(source)


def set_enabled(session: Session, host: Host, source: SourceColumns, enabled: bool, occasion: Occasion) -> bool:
    """Use a source or leave it out for a while; False when nothing changed."""
    if source.enabled == enabled:
        return False
    source.enabled = enabled
    source.version += 1
    source.due = occasion.now
    host.record(session, "metadata.source.on" if enabled else "metadata.source.off", occasion, source=source.name)
    return True


def ask_soon(source: SourceColumns, now: datetime) -> None:
    """Have the source refreshed by whoever refreshes next, whatever its failures were."""
    source.due = now


def health(source: SourceColumns, now: datetime) -> str:
    """How a source does, in one word: off, new, good, late (the last attempt failed), expired."""
    if not source.enabled:
        return "off"
    if source.valid_until is not None and source.valid_until <= now:
        return "expired"
    if source.failures:
        return "late"
    return "good" if source.last_success is not None else "new"


def ground_of(source: SourceColumns) -> str:
    """Why the source is believed, in words."""
    return "signature" if is_pinned(source) else f"https from {source.named_host}"


def count_entities(session: Session, host: Host, source: SourceColumns) -> int:
    """How many entities came from a source."""
    entity = host.tables.entity
    return session.scalar(select(func.count()).where(entity.source_id == source.id)) or 0
