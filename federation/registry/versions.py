"""The versions of a partner's metadata: offered, reviewed, scheduled, live, rolled back.

A version is a meaning. A document that says the same for longer renews its version; one that says something else is a
new one, and becomes live by the rule of its source or by a person, never otherwise. What it takes back applies at once
either way (`effective`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.registry.columns import (
    LIVE,
    REJECTED,
    SCHEDULED,
    SUPERSEDED,
    WAITING,
    HolderColumns,
    VersionColumns,
)
from federation.registry.effective import effective_entity, entity_in, limit_of
from federation.registry.host import Host, Occasion
from federation.registry.widening import Rule, needs_review, reduces, same_meaning
from federation.saml.metadata.difference import difference
from federation.saml.metadata.rules import earliest_validity
from federation.saml.metadata.trust import TrustedMetadata

UNCONFIRMED: Final = "nobody yet"
"""The ground of a version that nothing vouches for: a person has to confirm its fingerprints before it counts."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a document that was offered: unchanged, renewed, live, waiting for review, or rejected before.

    `reduced` says that something it took back is gone, though the rest waits.
    """

    word: str
    version: VersionColumns | None = None
    reduced: bool = False


def adopt(
    session: Session,
    host: Host,
    holder: HolderColumns,
    trusted: TrustedMetadata,
    *,
    ground: str,
    fingerprints: Sequence[str],
    origin: str,
    occasion: Occasion,
    source_id: str | None = None,
) -> VersionColumns:
    """Make a document live because a person said so: the first of a new connection, or the next of an old one.

    `holder` may be new and without a document. Whatever waited is superseded. `source_id` is the source that it is
    taken from, which the connection follows then.
    """
    first = not holder.metadata_version
    version = enter(session, host, holder, trusted, ground, fingerprints, origin, source_id, occasion, first=first)
    version.why = "connected" if first else "brought up to date"
    _make_live(session, host, holder, version, occasion)  # who connects records that, with more to say
    return version


def offer(
    session: Session,
    host: Host,
    holder: HolderColumns,
    trusted: TrustedMetadata,
    *,
    rule: Rule,
    ground: str,
    fingerprints: Sequence[str],
    origin: str,
    occasion: Occasion,
    source_id: str | None = None,
) -> Outcome:
    """Take in what a refresh of a source brought. It was verified; who decides about it is the source's `rule`."""
    live, new = effective_entity(holder), trusted.entity
    base = entity_in(holder.metadata_xml, holder.entity_id)
    if same_meaning(base, new):
        return _renew_live(session, host, holder, trusted, source_id, occasion)
    known = _undecided_or_rejected(session, host, holder, new)
    if known is not None and (known.state == REJECTED or needs_review(live, new, rule)):
        return _renew_other(session, host, holder, known, trusted, occasion)
    waiting_for = needs_review(live, new, rule)
    version = enter(session, host, holder, trusted, ground, fingerprints, origin, source_id, occasion)
    if not waiting_for:
        version.why = f"applied by the rule {rule.value}"
        _make_live(session, host, holder, version, occasion)
        _record_live(session, host, version, occasion)
        return Outcome("live", version)
    version.state = WAITING
    version.why = f"the rule {rule.value} leaves this to a person: {waiting_for[0].sentence}"
    supersede(session, host, holder.entity_id, (WAITING,), but=version.id, source_id=source_id)
    reduced = reduces(difference(live, new))
    holder.metadata_restriction = trusted.document
    holder.valid_until = limit_of(holder, host.role)
    host.changed(session, holder, live_version(session, host, holder), occasion)
    host.record(
        session, "metadata.waiting", occasion, entity_id=holder.entity_id, version=version.number, reduced=reduced,
        origin=origin,
    )  # fmt: skip
    return Outcome("waiting for review", version, reduced)


def accept(session: Session, host: Host, version: VersionColumns, occasion: Occasion, *, why: str = "") -> None:
    """Make a version live that waits, is scheduled, or was rejected. Raises `PolicyRefusal`."""
    _require_confirmed(version)
    if version.state not in (WAITING, SCHEDULED, REJECTED):
        raise PolicyRefusal("metadata.version.state", f"version {version.number} is {version.state}: nothing to accept")
    holder = _holder(session, host, version)
    version.why = why or f"accepted by {occasion.actor}"
    _make_live(session, host, holder, version, occasion)
    _record_live(session, host, version, occasion)


def reject(session: Session, host: Host, version: VersionColumns, occasion: Occasion, *, why: str = "") -> None:
    """Decide against a version; the same meaning is not asked about again. What it took back stays gone."""
    if version.state not in (WAITING, SCHEDULED):
        raise PolicyRefusal("metadata.version.state", f"version {version.number} is {version.state}: nothing to reject")
    _decide(version, REJECTED, occasion)
    version.why = why or f"rejected by {occasion.actor}"
    host.record(session, "metadata.rejected", occasion, entity_id=version.entity_id, version=version.number)


def schedule(session: Session, host: Host, version: VersionColumns, due: datetime, occasion: Occasion) -> None:
    """Have a waiting version become live at an instant. Raises `PolicyRefusal`."""
    if version.state not in (WAITING, SCHEDULED):
        raise PolicyRefusal(
            "metadata.version.state", f"version {version.number} is {version.state}: nothing to schedule"
        )
    _require_confirmed(version)
    if due <= occasion.now:
        raise PolicyRefusal("metadata.version.due", "the time to apply it has passed already")
    if version.valid_until is not None and version.valid_until <= due:
        raise PolicyRefusal("metadata.version.due", "its validity ends before that time")
    _decide(version, SCHEDULED, occasion)
    version.due = due
    host.record(
        session, "metadata.scheduled", occasion, entity_id=version.entity_id, version=version.number,
        due=due.isoformat(),
    )  # fmt: skip


def roll_back(session: Session, host: Host, version: VersionColumns, occasion: Occasion) -> None:
    """Go back to an earlier version. The one that was live counts as rejected: a refresh does not bring it back.

    Raises `PolicyRefusal` when the version was never live, or may not be used any more.
    """
    if version.state != SUPERSEDED or version.live_since is None:
        raise PolicyRefusal(
            "metadata.version.state", f"version {version.number} was never live, or is: there is no way back to it"
        )
    holder = _holder(session, host, version)
    undone = live_version(session, host, holder)
    version.why = f"rolled back from version {undone.number} by {occasion.actor}"
    _make_live(session, host, holder, version, occasion)
    _record_live(session, host, version, occasion)
    _decide(undone, REJECTED, occasion)
    undone.why = f"rolled back to version {version.number} by {occasion.actor}"


def apply_due(session: Session, host: Host, occasion: Occasion) -> Sequence[VersionColumns]:
    """Make every scheduled version live whose time has come; one that may not be used any more is rejected instead."""
    kind = host.tables.version
    due = session.scalars(select(kind).where(kind.state == SCHEDULED, kind.due <= occasion.now).order_by(kind.id)).all()
    for version in due:
        try:
            accept(session, host, version, occasion, why=f"scheduled by {version.decided_by}")
        except PolicyRefusal as refusal:
            reject(session, host, version, occasion, why=refusal.reason)
    return due


# Finding ------------------------------------------------------------------------------------------------------------


def get(session: Session, host: Host, version_id: int) -> VersionColumns:
    """The version with an id. Raises `PolicyRefusal`."""
    version = session.get(host.tables.version, version_id)
    if version is None:
        raise PolicyRefusal("metadata.version", f"there is no version with the id {version_id}")
    return version


def numbered(session: Session, host: Host, entity_id: str, number: int) -> VersionColumns:
    """One version of an entity. Raises `PolicyRefusal`."""
    kind = host.tables.version
    found = session.scalars(select(kind).where(kind.entity_id == entity_id, kind.number == number)).first()
    if found is None:
        raise PolicyRefusal("metadata.version", f"{entity_id} has no version {number}")
    return found


def history(session: Session, host: Host, entity_id: str) -> Sequence[VersionColumns]:
    """Every version of an entity, newest first."""
    kind = host.tables.version
    return session.scalars(select(kind).where(kind.entity_id == entity_id).order_by(kind.number.desc())).all()


def waiting(session: Session, host: Host) -> Sequence[VersionColumns]:
    """What a person has to decide, or has scheduled; oldest first."""
    kind = host.tables.version
    return session.scalars(select(kind).where(kind.state.in_((WAITING, SCHEDULED))).order_by(kind.added, kind.id)).all()


# Parts --------------------------------------------------------------------------------------------------------------


def enter(
    session: Session,
    host: Host,
    holder: HolderColumns,
    trusted: TrustedMetadata,
    ground: str,
    fingerprints: Sequence[str],
    origin: str,
    source_id: str | None,
    occasion: Occasion,
    *,
    first: bool = False,
) -> VersionColumns:
    """Write a version down; nothing is decided about it yet."""
    kind = host.tables.version
    last = session.scalar(select(func.max(kind.number)).where(kind.entity_id == holder.entity_id))
    changes: list[dict[str, Any]] = []
    if not first:
        changes = [
            {**asdict(change), "effect": change.effect.value}
            for change in difference(effective_entity(holder), trusted.entity)
        ]
    version = kind(
        entity_id=holder.entity_id,
        number=(last or 0) + 1,
        state=WAITING,
        document=trusted.document,
        trust=ground,
        fingerprints=list(fingerprints),
        origin=origin,
        source_id=source_id,
        why="",
        changes=changes,
        misses=[{**asdict(miss), "level": miss.level.value} for miss in trusted.misses],
        valid_until=earliest_validity(trusted.entity, host.role),
        added=occasion.now,
        added_by=occasion.actor,
    )
    session.add(version)
    session.flush()
    return version


def _make_live(
    session: Session, host: Host, holder: HolderColumns, version: VersionColumns, occasion: Occasion
) -> None:
    if version.valid_until is not None and version.valid_until <= occasion.now:
        raise PolicyRefusal("metadata.version.expired", f"version {version.number} may not be used any more")
    supersede(session, host, holder.entity_id, (LIVE, WAITING, SCHEDULED), but=version.id)
    _decide(version, LIVE, occasion)
    version.due, version.live_since = None, occasion.now
    holder.metadata_xml = version.document
    holder.metadata_version = version.number
    holder.metadata_restriction = None
    holder.valid_until = version.valid_until
    holder.source_id = version.source_id
    host.changed(session, holder, version, occasion)


def _record_live(session: Session, host: Host, version: VersionColumns, occasion: Occasion) -> None:
    host.record(
        session, "metadata.live", occasion, entity_id=version.entity_id, version=version.number, why=version.why,
        origin=version.origin,
    )  # fmt: skip


def _renew_live(
    session: Session,
    host: Host,
    holder: HolderColumns,
    trusted: TrustedMetadata,
    source_id: str | None,
    occasion: Occasion,
) -> Outcome:
    """The same again, perhaps valid for longer or shorter. What waited is over: the partner has taken it back."""
    live = live_version(session, host, holder)
    lifted = holder.metadata_restriction is not None
    until = earliest_validity(trusted.entity, host.role)
    if live.document == trusted.document and live.valid_until == until and not lifted:
        return Outcome("unchanged", live)
    supersede(session, host, holder.entity_id, (WAITING, SCHEDULED), but=live.id, source_id=source_id)
    _renew(live, trusted, host, occasion)
    holder.metadata_xml = live.document
    holder.metadata_restriction = None
    holder.valid_until = live.valid_until
    host.changed(session, holder, live, occasion)
    return Outcome("renewed", live)


def _renew_other(
    session: Session,
    host: Host,
    holder: HolderColumns,
    known: VersionColumns,
    trusted: TrustedMetadata,
    occasion: Occasion,
) -> Outcome:
    """What waits or was rejected came again: nothing to ask, but what both say holds for as long as it says now.

    What was live once and was rolled back takes nothing back any more: a person has decided so.
    """
    if known.document != trusted.document:
        _renew(known, trusted, host, occasion)
    if known.live_since is None and holder.metadata_restriction != trusted.document:
        holder.metadata_restriction = trusted.document
        holder.valid_until = limit_of(holder, host.role)
        host.changed(session, holder, live_version(session, host, holder), occasion)
    return Outcome("rejected before" if known.state == REJECTED else known.state, known)


def _renew(version: VersionColumns, trusted: TrustedMetadata, host: Host, occasion: Occasion) -> None:
    version.document = trusted.document
    version.valid_until = earliest_validity(trusted.entity, host.role)
    version.renewed = occasion.now


def _undecided_or_rejected(session: Session, host: Host, holder: HolderColumns, new: Any) -> VersionColumns | None:
    """The newest version that waits, is scheduled or was rejected, if it means the same as what came."""
    kind = host.tables.version
    found = session.scalars(
        select(kind)
        .where(kind.entity_id == holder.entity_id, kind.state.in_((WAITING, SCHEDULED, REJECTED)))
        .order_by(kind.id.desc())
    )
    for version in found:
        if same_meaning(entity_in(version.document, holder.entity_id), new):
            return version
    return None


def live_version(session: Session, host: Host, holder: HolderColumns) -> VersionColumns:
    """The version that counts for a connection."""
    return numbered(session, host, holder.entity_id, holder.metadata_version)


def _holder(session: Session, host: Host, version: VersionColumns) -> HolderColumns:
    holder = host.holder(session, version.entity_id)
    if holder is None:
        raise PolicyRefusal("metadata.version", f"there is no connection to {version.entity_id} any more")
    return holder


_ANY: Final = "any"


def supersede(
    session: Session, host: Host, entity_id: str, states: tuple[str, ...], *, but: int, source_id: str | None = _ANY
) -> None:
    """What a newer version takes the place of: from any source, or from the same one (None: brought by a person)."""
    kind = host.tables.version
    older = update(kind).where(kind.entity_id == entity_id, kind.state.in_(states), kind.id != but)
    if source_id != _ANY:
        older = older.where(kind.source_id == source_id if source_id is not None else kind.source_id.is_(None))
    session.execute(older.values(state=SUPERSEDED))


def _require_confirmed(version: VersionColumns) -> None:
    if version.trust == UNCONFIRMED:
        raise PolicyRefusal(
            "metadata.version.unconfirmed", "nothing vouches for it: compare its fingerprints and confirm them first"
        )


def _decide(version: VersionColumns, state: str, occasion: Occasion) -> None:
    version.state = state
    version.decided = occasion.now
    version.decided_by = occasion.actor
