"""The end of a connection, as far as both sides have it: the choice, the typed name, and what is withdrawn."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import InvalidInput
from federation.registry import sources, versions
from federation.registry.columns import SCHEDULED, WAITING
from federation.registry.host import Host, Occasion


class Ending(StrEnum):
    """What becomes of the accounts at the service provider."""

    KEEP = "keep"
    SUSPEND = "suspend"
    DELETE = "delete"


def require_typed(typed: str, *, entity_id: str, name: str) -> None:
    """Raise `InvalidInput` unless somebody has typed which connection they mean: its entityID, or its name."""
    typed = typed.strip()
    if typed != entity_id and typed.casefold() != name.strip().casefold():
        raise InvalidInput("confirm", f"does not match: type {entity_id} to confirm; everything is kept")


def counted(number: int, what: str) -> str:
    """A number of things in words: 1 account, 2 accounts."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def withdraw(session: Session, host: Host, entity_id: str, occasion: Occasion) -> None:
    """Leave out the sources of this one partner, and drop what waits for a review. Its history stays."""
    kind = host.tables.source
    for source in session.scalars(select(kind).where(kind.entity_id == entity_id)):
        sources.set_enabled(session, host, source, False, occasion)
    versions.supersede(session, host, entity_id, (WAITING, SCHEDULED), but=0)
