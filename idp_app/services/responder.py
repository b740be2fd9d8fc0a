"""Our connections as signed metadata: a Metadata Query responder and an aggregate (draft-young-md-query, -saml).

What we sign we vouch for: only active connections whose metadata holds, each as it was verified, never for longer than
its own limit, and without what newer metadata has taken back. A document is signed once for each hour and each version
of what it says, in every process; whatever stops being active is gone with the next request.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from federation.registry.effective import effective_entity
from federation.saml import xml
from federation.saml.metadata import aggregate, query, signing
from federation.saml.metadata.aggregate import MAX_AGGREGATE, Member
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.query import Wanted
from federation.saml.metadata.rolling import Document, Shelf
from federation.storage.base import table_of
from idp_app.models import Connection, ConnectionState
from idp_app.services import publication
from idp_app.services.publication import Publisher

if TYPE_CHECKING:
    from idp_app.installation import Installation

_TABLE: Final = table_of(Connection)
_ALL: Final = "all"


class _Row(NamedTuple):
    """Which version of which connection."""

    id: str
    version: int
    entity_id: str


class Responder:
    """What this process has signed for others. Threads share it."""

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._singles: Shelf[Document | None] = Shelf()
        self._groups: Shelf[Document] = Shelf()  # of its own: nobody waits for the big one who wants a small one
        self._members: dict[str, tuple[int, Member | None]] = {}

    def answer(self, session: Session, installation: Installation, wanted: Wanted, now: datetime) -> Document | None:
        """The document that was asked for, or None where there is no such entity."""
        settings, keys = installation.settings, installation.keys
        own = settings.own_entity_id
        if wanted == Wanted():
            return self._everything(session, installation, now)
        if wanted.means(own):
            return self._publisher.current(settings, keys, now)
        row = next((row for row in _active(session, wanted, now) if wanted.means(row.entity_id)), None)
        if row is None:
            return None
        made_of = (row, keys.metadata_certificate)
        return self._singles.current(row.id, made_of, now, lambda: self._single(session, installation, row, now))

    def _single(self, session: Session, installation: Installation, row: _Row, now: datetime) -> Document | None:
        member = self._member(session, row)
        if member is None:
            return None
        return query.answer(
            member,
            signing_key=publication.signing_key(installation.settings, installation.keys),
            now=now,
            validity=installation.settings.metadata_validity,
        )

    def _everything(self, session: Session, installation: Installation, now: datetime) -> Document:
        rows = tuple(_active(session, Wanted(), now))
        ours = publication.entity(installation.settings, installation.keys)
        made_of = (ours, rows, installation.keys.metadata_certificate)
        return self._groups.current(_ALL, made_of, now, lambda: self._group(session, installation, ours, rows, now))

    def _group(
        self, session: Session, installation: Installation, ours: Entity, rows: tuple[_Row, ...], now: datetime
    ) -> Document:
        settings, keys = installation.settings, installation.keys
        self._forget({row.id for row in rows})
        theirs = [member for row in rows if (member := self._member(session, row)) is not None]
        return query.everything(
            [signing.member_for(ours), *theirs],
            name=settings.entities_url,
            signing_key=publication.signing_key(settings, keys),
            now=now,
            validity=settings.metadata_validity,
        )

    def _member(self, session: Session, row: _Row) -> Member | None:
        known = self._members.get(row.id)
        if known is None or known[0] != row.version:
            known = self._members[row.id] = (row.version, member_of(session.get_one(Connection, row.id)))
        return known[1]

    def _forget(self, but: set[str]) -> None:
        for gone in self._members.keys() - but:
            self._members.pop(gone, None)


def member_of(connection: Connection) -> Member | None:
    """A connection's entity as it may be handed on, or None if it can no longer be used as a service provider.

    It is the verified element with all that the partner wrote. Only while newer metadata, which waits for a review, has
    taken something back, it is written anew without that, from what we understand of it.
    """
    entity = effective_entity(connection)
    if entity.sp is None or not entity.sp.assertion_consumer:
        return None
    if connection.metadata_restriction is not None:
        member = signing.member_for(entity)
    else:
        root = xml.parse(connection.metadata_xml, max_bytes=MAX_AGGREGATE)
        member = aggregate.member(xml.canonical(root), connection.entity_id)
    limits = [limit for limit in (entity.valid_until, connection.valid_until) if limit is not None]
    return replace(member, entity=replace(entity, valid_until=min(limits, default=None)))


def _active(session: Session, wanted: Wanted, now: datetime) -> Iterator[_Row]:
    """The active connections whose metadata holds, by name; where one entityID is wanted, that one alone."""
    found = (
        select(_TABLE.c.id, _TABLE.c.version, _TABLE.c.entity_id)
        .where(
            _TABLE.c.state == ConnectionState.ACTIVE,
            or_(_TABLE.c.valid_until.is_(None), _TABLE.c.valid_until > now),
        )
        .order_by(_TABLE.c.entity_id)
    )
    if wanted.entity_id is not None:
        found = found.where(_TABLE.c.entity_id == wanted.entity_id)
    for row in session.execute(found):
        yield _Row(row.id, row.version, row.entity_id)
