"""How the metadata of a connection does: is it valid, does its source answer, does something wait for a person?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.registry import sources
from federation.registry.columns import SCHEDULED, WAITING, HolderColumns, SourceColumns, VersionColumns
from federation.registry.host import Host

SOON: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Health:
    """One connection's. `word` is for people, `level` good, waiting or bad; `source` refreshes it, `waiting` waits."""

    word: str
    level: str
    source: SourceColumns | None
    waiting: VersionColumns | None


def of_connections(
    session: Session, host: Host, holders: Sequence[HolderColumns], now: datetime
) -> Mapping[str, Health]:
    """The health of each, by entityID."""
    source, version = host.tables.source, host.tables.version
    refreshed = {
        each.entity_id: each
        for each in session.scalars(
            select(source).where(source.entity_id.is_not(None)).order_by(source.precedence.desc())
        )
    }
    followed = {
        each.id: each for each in session.scalars(select(source).where(source.id.in_([e.source_id for e in holders])))
    }
    open_ = {
        each.entity_id: each
        for each in session.scalars(select(version).where(version.state.in_((WAITING, SCHEDULED))).order_by(version.id))
    }
    return {
        each.entity_id: _health(
            each, refreshed.get(each.entity_id) or followed.get(each.source_id or ""), open_.get(each.entity_id), now
        )
        for each in holders
    }


def _health(
    holder: HolderColumns, source: SourceColumns | None, waiting: VersionColumns | None, now: datetime
) -> Health:
    word, level = _said(holder, source, waiting, now)
    return Health(word, level, source, waiting)


def _said(
    holder: HolderColumns, source: SourceColumns | None, waiting: VersionColumns | None, now: datetime
) -> tuple[str, str]:
    end = holder.valid_until
    if end is not None and end <= now:
        return "metadata expired", "bad"
    if end is not None and end - now <= SOON:
        return "metadata expires soon", "bad"
    if source is not None and sources.health(source, now) in ("late", "expired"):
        return "refresh fails", "bad"
    if waiting is not None:
        return "review waits" if waiting.state == WAITING else "change scheduled", "waiting"
    return "good", "good"
