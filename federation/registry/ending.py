"""When a connection ends: nothing about its entity is fetched, decided or waited for any more."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.registry import sources, versions
from federation.registry.columns import SCHEDULED, WAITING
from federation.registry.host import Host, Occasion


def withdraw(session: Session, host: Host, entity_id: str, occasion: Occasion) -> None:
    """Leave out the sources of this one partner, and drop what waits for a review. Its history stays."""
    kind = host.tables.source
    for source in session.scalars(select(kind).where(kind.entity_id == entity_id)):
        sources.set_enabled(session, host, source, False, occasion)
    versions.supersede(session, host, entity_id, (WAITING, SCHEDULED), but=0)
