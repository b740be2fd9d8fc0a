"""Sources: adding them, changing them, taking them away, and how they do."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError, Malformed, PolicyRefusal
from federation.registry import following, timing
from federation.registry.columns import FILE, KINDS, MDQ, UPLOAD, SourceColumns
from federation.registry.fetching import is_pinned, require_readable
from federation.registry.host import Host, Limits, Occasion
from federation.registry.widening import Rule
from federation.saml import certificates
from federation.saml.metadata.age import Age
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
    _require_no_problem(session, host, new, limits)
    source = host.tables.source(
        id=str(uuid.uuid4()),
        **_columns(new, limits),
        enabled=True,
        created=occasion.now,
        created_by=occasion.actor,
        version=1,
        due=occasion.now,
        failures=0,
        entities=0,
    )
    host.check_defaults(session, source)
    session.add(source)
    host.record(
        session, "metadata.source.added", occasion, source=source.name, kind=new.kind, location=new.location
    )  # fmt: skip
    return source


def change(
    session: Session, host: Host, source: SourceColumns, new: NewSource, limits: Limits, occasion: Occasion
) -> bool:
    """Say something else of a source, which is asked anew then; False when nothing changed.

    What it is about, and of which kind it is, stays. A signer that is no longer pinned takes along whatever may have
    been believed for it; so does any change of a responder, which is asked again when an entity is needed. Everything
    else counts from the next refresh. Raises `ConfigurationError` that names every mistake.
    """
    new = replace(new, kind=source.kind, entity_id=source.entity_id)
    _require_no_problem(session, host, new, limits, but=source.id)
    columns = _columns(new, limits)
    changed = sorted(name for name, value in columns.items() if getattr(source, name) != value)
    if not changed:
        return False
    gone = _pins(source) - {*columns["signer_fingerprints"], *columns["signer_certificates"]}
    for name, value in columns.items():
        setattr(source, name, value)
    host.check_defaults(session, source)
    if gone or "location" in changed:  # somebody else publishes now
        source.newest_published = source.newest_until = None
    source.version += 1
    if gone or source.kind == MDQ:
        forget(session, host, source)
    read_anew(source, occasion.now)
    host.record(session, "metadata.source.changed", occasion, source=source.name, changed=changed)
    return True


def read_anew(source: SourceColumns, now: datetime) -> None:
    """Have the whole document fetched and read at the next refresh, whether it is the one that is known or not."""
    source.etag = source.last_modified = source.validated = None
    source.due = now


def forget(session: Session, host: Host, source: SourceColumns) -> None:
    """Take away every entity that came from a source, and what it did not know."""
    for kind in (host.tables.entity, host.tables.absence):
        session.execute(delete(kind).where(kind.source_id == source.id))
    source.entities = 0


def _pins(source: SourceColumns) -> set[str]:
    return {*source.signer_fingerprints, *source.signer_certificates}


def _columns(new: NewSource, limits: Limits) -> dict[str, Any]:
    """What an administrator said, as the row keeps it."""
    federation = new.entity_id is None
    validity = new.max_validity or (FEDERATION_VALIDITY if federation else limits.max_validity)
    name = " ".join(new.name.split())
    return {
        "name": name,
        "name_key": name.lower(),
        "kind": new.kind,
        "location": new.location.rstrip("/") if new.kind == MDQ else new.location,
        "entity_id": new.entity_id,
        "precedence": new.precedence,
        "signer_fingerprints": [certificates.normalise_fingerprint(each) for each in new.signer_fingerprints],
        "signer_certificates": [base64.b64encode(each).decode() for each in new.signer_certificates],
        "named_host": new.named_host.lower() if new.named_host is not None else None,
        "max_validity": int(validity.total_seconds()),
        "exceptions": sorted(new.exceptions),
        "shortest_interval": int(new.shortest_interval.total_seconds()),
        "longest_interval": int(new.longest_interval.total_seconds()),
        "selection": {part: sorted(values) for part, values in new.selection.items() if values},
        "widening": (new.widening or (Rule.AT_ONCE if federation else Rule.SAME_HOST)).value,
        "defaults": dict(new.defaults),
    }


def _require_no_problem(
    session: Session, host: Host, new: NewSource, limits: Limits, *, but: str | None = None
) -> None:
    problems = [*_problems(new, limits)]
    name = " ".join(new.name.split())
    namesake = session.scalars(select(host.tables.source).where(host.tables.source.name_key == name.lower())).first()
    if namesake is not None and namesake.id != but:
        problems.append(f"there is a source called {name} already")
    if new.entity_id is not None and host.holder(session, new.entity_id) is None:
        problems.append(f"there is no connection to {new.entity_id}: connect it first")
    if problems:
        raise ConfigurationError(*problems)


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
    problems += _scope_problems(new)
    if not timedelta() < new.shortest_interval <= new.longest_interval:
        problems.append("the shortest interval is longer than the longest")
    return problems


def _scope_problems(new: NewSource) -> Sequence[str]:
    """What goes with one partner, and what with a federation."""
    problems = []
    if new.entity_id is None and new.widening not in (None, Rule.AT_ONCE):
        problems.append(
            "what a federation has verified is taken in at once: give one partner a source of its own instead"
        )
    if new.entity_id is not None and new.kind == UPLOAD:
        problems.append("one partner's document is brought to its connection: a source is what can be asked again")
    if new.entity_id is not None and (new.kind == MDQ or new.selection or new.defaults):
        problems.append("the source of one partner is a file or a URL, and takes its audiences from the connection")
    return problems


def _location_problems(new: NewSource, limits: Limits) -> Sequence[str]:
    if new.kind == UPLOAD:
        return () if new.named_host is None else ("a document that was brought has no host",)
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
    """Take a source away with every entity that came from it. Connections keep what is live, while it holds."""
    following.release(session, host, source)
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


def newest(source: SourceColumns) -> Age:
    """The age of the newest document that was taken in."""
    return Age(source.newest_published, source.newest_until)


def note_age(source: SourceColumns, age: Age) -> None:
    """A document was taken in. An older one that only took something back does not make a still older one newer."""
    if not age.is_older_than(newest(source)):
        source.newest_published, source.newest_until = age.published, age.valid_until


def take_older(session: Session, host: Host, source: SourceColumns, occasion: Occasion) -> None:
    """Take in what the source says next, whatever its age: its publisher went back, and a person knows of it."""
    source.newest_published = source.newest_until = None
    ask_soon(source, occasion.now)
    host.record(session, "metadata.source.older", occasion, source=source.name)


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
