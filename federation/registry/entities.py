"""Finding entities of federations' sources by what an administrator remembers of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.registry.columns import EntityColumns
from federation.registry.host import Host

AT_MOST: Final = 100


def by_key(session: Session, host: Host, source_id: str, key: str) -> EntityColumns | None:
    """The entity of a source that a short name stands for."""
    entity = host.tables.entity
    return session.scalars(select(entity).where(entity.source_id == source_id, entity.key == key)).first()


def search(
    session: Session, host: Host, text: str, *, source_id: str | None = None, limit: int = AT_MOST, offset: int = 0
) -> Sequence[Any]:
    """Entities whose name or entityID contains a text (letter case aside), by name.

    Rows have name, entity_id, key, source, source_id, registrar, warnings and changed.
    """
    entity, source = host.tables.entity, host.tables.source
    role = entity.is_idp if host.role == "idp" else entity.is_sp
    found = (
        select(
            entity.name, entity.entity_id, entity.key, source.name.label("source"), entity.source_id,
            entity.registrar, entity.warnings, entity.changed,
        )
        .join(source, source.id == entity.source_id)
        .where(role)
        .order_by(entity.name_key, entity.entity_id)
        .limit(limit)
        .offset(offset)
    )  # fmt: skip
    wanted = " ".join(text.split())
    if wanted:
        found = found.where(
            or_(
                entity.name_key.contains(wanted.lower(), autoescape=True),
                entity.entity_id.contains(wanted, autoescape=True),
            )
        )
    if source_id is not None:
        found = found.where(entity.source_id == source_id)
    rows: Sequence[Any] = session.execute(found).all()
    return rows
