"""Asking a Metadata Query responder about one entity (IIP-MD01): when a message comes from it, and again in time.

What is asked for must be what is answered, signed by the pinned key. A strange issuer costs one bounded request, and
what a responder does not know is not asked again for a while. A copy that is there serves until its own limit, whether
the responder is up or not.
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.registry import aggregates, following, timing
from federation.registry.columns import MDQ, SourceColumns
from federation.registry.fetching import ACCEPT, Unavailable, client_for
from federation.registry.host import Host, Limits, Occasion
from federation.saml import xml
from federation.saml.checks import Seen, rule, run
from federation.saml.metadata.age import Age, nothing_comes_back
from federation.saml.metadata.aggregate import Member, Verified, members, verify
from federation.saml.metadata.elements import published
from federation.saml.metadata.locations import is_entity_id
from federation.saml.metadata.query import request_path
from federation.saml.metadata.reading import MAX_DOCUMENT
from federation.saml.metadata.rules import earliest_validity
from federation.storage.base import table_of
from federation.storage.session import SessionFactory, unit_of_work

TIMEOUT: Final = 3.0
"""Seconds that a person may have to wait while a responder is asked."""
ABSENT: Final = timedelta(minutes=10)
FAILED: Final = timedelta(minutes=1)
"""How long a responder is not asked again about an entity that it does not know, or that the question failed for."""
MAX_ABSENCES: Final = 10_000
"""Somebody may invent issuers: beyond so many, absences are not remembered, and strangers are not asked about."""
AT_ONCE: Final = 4
"""How many questions a process asks at the same time; a stranger beyond that is unknown for the moment."""


class Querier:
    """Asks the responders of one app."""

    def __init__(
        self,
        host: Host,
        sessions: SessionFactory,
        limits: Limits,
        *,
        clock: Callable[[], datetime],
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._sessions = sessions
        self._limits = limits
        self._clock = clock
        self._ssl = ssl_context
        self._turn = threading.BoundedSemaphore(AT_ONCE)

    def look_up(self, session: Session, entity_id: str) -> bool:
        """Ask about an entity that nobody here knows; whether it is known now. Raises nothing for any answer."""
        kind = self._host.tables.source
        responders = session.scalars(
            select(kind).where(kind.enabled, kind.kind == MDQ).order_by(kind.precedence, kind.name_key)
        ).all()
        if not responders or not is_entity_id(entity_id) or entity_id == self._limits.own_entity_id:
            return False
        return any(self._ask_first(session, each, entity_id) for each in responders)

    @contextmanager
    def fresh_session(self) -> Iterator[Session]:
        """A session that sees what was just written."""
        with unit_of_work(self._sessions) as session:
            yield session

    def renew(self, source: SourceColumns) -> tuple[int, int]:
        """Ask again about what is due; how many were answered, and how many not. What failed keeps its copy."""
        kind, now = self._host.tables.entity, self._clock()
        with unit_of_work(self._sessions) as session:
            due = session.scalars(select(kind.entity_id).where(kind.source_id == source.id, kind.due <= now)).all()
            absence = self._host.tables.absence
            session.execute(delete(absence).where(absence.until <= now))
            session.execute(delete(kind).where(kind.source_id == source.id, kind.valid_until <= now))
        answered = sum(1 for entity_id in due if self._ask(source, entity_id))
        return answered, len(due) - answered

    def _ask_first(self, session: Session, source: SourceColumns, entity_id: str) -> bool:
        absence, now = self._host.tables.absence, self._clock()
        known = session.get(absence, {"source_id": source.id, "key": aggregates.key_of(entity_id)})
        if known is not None and known.until > now:
            return False
        if (session.scalar(select(func.count()).where(absence.source_id == source.id)) or 0) >= MAX_ABSENCES:
            return False
        if not self._turn.acquire(blocking=False):
            return False
        try:
            return self._ask(source, entity_id)
        finally:
            self._turn.release()

    def _ask(self, source: SourceColumns, entity_id: str) -> bool:
        try:
            member, verified = self._answer(source, entity_id)
        except Unavailable:
            self._note_absence(source, entity_id, ABSENT)
            return False
        except FederationError:
            self._note_absence(source, entity_id, FAILED)
            return False
        return self._store(source, member, verified)

    def _answer(self, source: SourceColumns, entity_id: str) -> tuple[Member, Verified]:
        """The one entity that was asked for. Raises `FederationError`."""
        url = f"{source.location}/{request_path(entity_id)}"
        with client_for(source, self._limits.policy, ssl_context=self._ssl, timeout=TIMEOUT) as client:
            answer = client.request("GET", url, headers={"Accept": ACCEPT})
        if answer.status != 200:
            raise Unavailable(url, f"the answer has the status {answer.status}")
        now = self._clock()
        verified = verify(
            answer.content,
            now=now,
            pins=aggregates.pins_of(source),
            max_validity=timedelta(seconds=source.max_validity),
            skew=self._limits.skew,
            exceptions=source.exceptions,
            max_bytes=MAX_DOCUMENT,
            algorithms=self._limits.algorithms,
        )
        found = list(
            members(
                verified.octets,
                own_entity_id=self._limits.own_entity_id,
                allow_http_loopback=self._limits.allow_http_loopback,
                now=now,
            )
        )
        run((answer_is_what_was_asked_for,), verified.checks, [each.entity.entity_id for each in found], entity_id)
        self._require_newer(source, found[0], verified)
        usable = aggregates.is_usable(found[0], self._host.role, self._limits, now)
        if not usable or not aggregates.selection_of(source).takes(found[0].entity):
            raise Unavailable(url, "the entity is none that we take")
        return found[0], verified

    def _require_newer(self, source: SourceColumns, member: Member, verified: Verified) -> None:
        """An answer takes the place of a newer one in nothing: the copy that is there serves until its own limit."""
        kind = self._host.tables.entity
        with unit_of_work(self._sessions) as session:
            row = session.get(kind, {"source_id": source.id, "entity_id": member.entity.entity_id})
        if row is None:
            return
        root = xml.parse(row.document, max_bytes=MAX_DOCUMENT)
        newest = Age(published(root), row.valid_until)
        age = Age(verified.published, self._limit_of(member, verified))
        run((nothing_comes_back,), verified.checks, age, newest, ["It is in the place of that."])

    def _limit_of(self, member: Member, verified: Verified) -> datetime | None:
        return earliest_validity(member.entity, self._host.role) or verified.valid_until

    def _store(self, source: SourceColumns, member: Member, verified: Verified) -> bool:
        now = self._clock()
        kind = self._host.tables.entity
        table = table_of(kind)
        entity = member.entity
        row: dict[str, Any] = {
            "source_id": source.id,
            "entity_id": entity.entity_id,
            **aggregates.columns_of(member),
            "digest": member.digest,
            "document": member.octets,
            "valid_until": self._limit_of(member, verified),
            "due": timing.after_success(
                now,
                cache_duration=entity.cache_duration,
                valid_until=verified.valid_until,
                shortest=timedelta(seconds=source.shortest_interval),
                longest=timedelta(seconds=source.longest_interval),
                chance=0.0,
            ),
            "changed": now,
        }
        try:
            with unit_of_work(self._sessions) as session:
                session.execute(
                    delete(table).where(table.c.source_id == source.id, table.c.entity_id == entity.entity_id)
                )
                session.execute(insert(table), row)
                self._forget_absence(session, source, entity.entity_id)
                current = session.get_one(self._host.tables.source, source.id)
                occasion = Occasion(now, "worker", "")
                following.bring_up_to_date(
                    session, self._host, current, self._limits, occasion, entity.entity_id
                )  # fmt: skip
        except SQLAlchemyError:  # another process was quicker: what it wrote will do as well
            with unit_of_work(self._sessions) as session:
                return session.get(kind, {"source_id": source.id, "entity_id": entity.entity_id}) is not None
        return True

    def _note_absence(self, source: SourceColumns, entity_id: str, span: timedelta) -> None:
        kind, key = self._host.tables.absence, aggregates.key_of(entity_id)
        try:
            with unit_of_work(self._sessions) as session:
                session.merge(kind(source_id=source.id, key=key, until=self._clock() + span))
        except SQLAlchemyError:  # another process noted the same
            return

    def _forget_absence(self, session: Session, source: SourceColumns, entity_id: str) -> None:
        kind = self._host.tables.absence
        session.execute(delete(kind).where(kind.source_id == source.id, kind.key == aggregates.key_of(entity_id)))


@rule("metadata.query.answer", "Metadata Query Protocol 3.1; IIP-MD01")
def answer_is_what_was_asked_for(entity_ids: Sequence[str], wanted: str) -> Seen:
    """A responder answers with one entity, and with the one that was asked for."""
    return list(entity_ids) == [wanted], wanted, ", ".join(entity_ids[:3]) or "no entity"
