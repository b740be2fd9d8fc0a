"""The identity providers that federations' sources offer to choose from: thousands, so they stay in the database.

One that has a connection is the connection's matter, and one that several sources have is offered by the first of them,
as everywhere. Only what a page shows is parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from federation.registry.search_text import fold
from federation.saml.metadata.aggregate import MAX_AGGREGATE
from federation.saml.metadata.reading import read_document
from sp_app.models import IdPConnection, MetadataEntity, MetadataSource
from sp_app.services.chooser import Choice, choice_of


def search(session: Session, now: datetime, words: str, *, offset: int, limit: int) -> tuple[Choice, ...]:
    """Those in which every word occurs, those first of which a name begins with them; then by name."""
    start = " ".join(fold(words).split())
    begins = or_(
        MetadataEntity.found_by.startswith(start, autoescape=True),
        MetadataEntity.found_by.contains(f"\n{start}", autoescape=True),
    )
    order = (MetadataEntity.name_key, MetadataEntity.entity_id)
    page = _offered(now, MetadataEntity.name, MetadataEntity.document).where(*_wanted(words)).offset(offset)
    page = page.order_by(case((begins, 0), else_=1), *order) if start else page.order_by(*order)
    return _choices(session, page.limit(limit))


def count(session: Session, now: datetime, words: str = "") -> int:
    """In how many every word occurs."""
    return session.scalar(_offered(now, func.count()).where(*_wanted(words))) or 0


def any_is_offered(session: Session, now: datetime) -> bool:
    """Whether there is one at all."""
    return session.execute(_any(), {"now": now}).first() is not None


def by_entity_id(session: Session, now: datetime, entity_id: str) -> Choice | None:
    """The one with an entityID, if it is offered."""
    wanted = _offered(now, MetadataEntity.name, MetadataEntity.document).where(MetadataEntity.entity_id == entity_id)
    return next(iter(_choices(session, wanted)), None)


def by_keys(session: Session, now: datetime, keys: Sequence[str]) -> tuple[Choice, ...]:
    """Those that short keys (`chooser.key_of`) stand for, in no order."""
    known = [key for key in keys if key and key.isascii() and key.isalnum()]
    if not known:
        return ()
    wanted = or_(*(MetadataEntity.key.startswith(key) for key in known))
    return _choices(session, _offered(now, MetadataEntity.name, MetadataEntity.document).where(wanted))


def _wanted(words: str) -> list[ColumnElement[bool]]:
    return [MetadataEntity.found_by.contains(term, autoescape=True) for term in fold(words).split()]


@cache
def _any() -> Select[Any]:
    """Made once: a sign-in asks it that names no identity provider."""
    return _offered(bindparam("now"), MetadataEntity.key).limit(1)


def _offered(now: Any, *columns: Any) -> Select[Any]:
    better, first = aliased(MetadataEntity), aliased(MetadataSource)
    connected = exists().where(IdPConnection.entity_id == MetadataEntity.entity_id)
    owned_by_another = exists().where(
        better.entity_id == MetadataEntity.entity_id,
        first.id == better.source_id,
        first.enabled,
        better.is_idp,
        tuple_(first.precedence, first.name_key) < tuple_(MetadataSource.precedence, MetadataSource.name_key),
    )
    return (
        select(*columns)
        .select_from(MetadataEntity)
        .join(MetadataSource, MetadataSource.id == MetadataEntity.source_id)
        .where(
            MetadataSource.enabled,
            MetadataEntity.is_idp,
            ~MetadataEntity.hidden,
            and_(_holds(MetadataEntity.valid_until, now), _holds(MetadataSource.valid_until, now)),
            ~connected,
            ~owned_by_another,
        )
    )


def _holds(limit: Any, now: Any) -> ColumnElement[bool]:
    return or_(limit.is_(None), limit > now)


def _choices(session: Session, wanted: Select[Any]) -> tuple[Choice, ...]:
    """Documents that were verified before they were stored."""
    found = []
    for name, document in session.execute(wanted):
        (entity,) = read_document(document, max_bytes=MAX_AGGREGATE)
        found.append(choice_of(entity, name))
    return tuple(choice for choice in found if choice is not None)
