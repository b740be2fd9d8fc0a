"""Refreshing sources: fetch, verify, take in; or keep the last good copy and say what is wrong.

Anybody may call it at any time: the worker, a command, cron. A source is claimed while it is refreshed, so that two of
them do not do the same work, and no transaction is open while the partner is waited for.
"""

from __future__ import annotations

import hashlib
import random as chances
import ssl
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError, Refused
from federation.registry import aggregates, fetching, following, parts, querying, sources, timing, versions
from federation.registry.columns import MDQ, SCHEDULED, UPLOAD, SourceColumns
from federation.registry.effective import effective_entity
from federation.registry.host import Host, Limits, Occasion
from federation.registry.widening import Rule
from federation.saml import certificates
from federation.saml.checks import run
from federation.saml.metadata import age, fingerprints, trust
from federation.saml.metadata.age import Age, nothing_comes_back
from federation.saml.metadata.rules import Validity, valid_until_is_present
from federation.storage.session import SessionFactory, unit_of_work

CLAIM: Final = timedelta(minutes=15)
"""Longer than a refresh may take; afterwards whoever claimed a source has died."""
_BUFFER: Final = 262_144


@dataclass(frozen=True, slots=True)
class Report:
    """What came of one source: a sentence, and whether it went well."""

    source: str
    sentence: str
    ok: bool = True


class Refresher:
    """Refreshes the sources of one app. `clock`, `random` and `ssl_context` are the world's, or a test's."""

    def __init__(
        self,
        host: Host,
        sessions: SessionFactory,
        limits: Limits,
        *,
        clock: Callable[[], datetime],
        actor: str,
        reference: str,
        random: Callable[[], float] = chances.random,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._host = host
        self._sessions = sessions
        self._limits = limits
        self._clock = clock
        self._actor = actor
        self._reference = reference
        self._random = random
        self._ssl = ssl_context

    def due(self) -> Sequence[str]:
        """The ids of the sources whose time has come, and nobody is at."""
        source, now = self._host.tables.source, self._clock()
        with unit_of_work(self._sessions) as session:
            return session.scalars(
                select(source.id)
                .where(source.enabled, source.due <= now, _unclaimed(source, now))
                .order_by(source.precedence, source.name_key)
            ).all()

    def has_work(self) -> bool:
        """Whether a source is due, or a scheduled version."""
        version = self._host.tables.version
        scheduled = select(version.id).where(version.state == SCHEDULED, version.due <= self._clock()).limit(1)
        with unit_of_work(self._sessions) as session:
            if session.scalars(scheduled).first() is not None:
                return True
        return bool(self.due())

    def run_due(self) -> Sequence[Report]:
        """Refresh what is due, and make live what was scheduled."""
        with unit_of_work(self._sessions) as session:
            applied = versions.apply_due(session, self._host, self._occasion())
            reports = [
                Report(each.entity_id, f"version {each.number} is {each.state}, as scheduled") for each in applied
            ]
        return [*reports, *(report for each in self.due() if (report := self.refresh(each)) is not None)]

    def refresh(self, source_id: str) -> Report | None:
        """Refresh one source now; None if somebody else is at it."""
        source = self._claim(source_id)
        if source is None:
            return None
        try:
            if source.kind == MDQ:
                sentence = self._query(source)
            else:
                fetched = self._fetch(source)
                sentence = self._take_in(source, fetched)
        except FederationError as error:
            return self._failed(source, error)
        return Report(source.name, sentence)

    # Kinds of sources ----------------------------------------------------------------------------------------------

    def _fetch(self, source: SourceColumns) -> fetching.Fetched:
        if source.kind == UPLOAD:
            with unit_of_work(self._sessions) as session:
                return fetching.Fetched(parts.read(session, self._host, source))
        self._tell(source, aggregates.FETCHING, None, None)
        return fetching.fetch(source, self._limits.policy, ssl_context=self._ssl)

    def _take_in(self, source: SourceColumns, fetched: fetching.Fetched) -> str:
        document = fetched.document
        if document is None:
            return self._unchanged(source, fetched)
        if source.entity_id is not None:
            return self._partner(source, source.entity_id, document, fetched)
        digest = hashlib.sha256(document).hexdigest()
        if digest == source.validated:
            return self._unchanged(source, fetched)
        return self._federation(source, document, digest, fetched)

    def _unchanged(self, source: SourceColumns, fetched: fetching.Fetched) -> str:
        with self._succeeding(source, fetched) as (_, current):
            current.due = self._next(current, None, current.valid_until)
        return "nothing new"

    def _federation(self, source: SourceColumns, document: bytes, digest: str, fetched: fetching.Fetched) -> str:
        now = self._clock()
        with tempfile.TemporaryFile(buffering=_BUFFER) as file:
            staging = aggregates.stage(
                source, document, file, self._host.role, self._limits, now,
                tell=lambda phase, done, total: self._tell(source, phase, done, total),
            )  # fmt: skip
            return self._write(source, staging, digest, fetched, now)

    def _write(
        self,
        source: SourceColumns,
        staging: aggregates.Staging,
        digest: str,
        fetched: fetching.Fetched,
        now: datetime,
    ) -> str:
        self._tell(source, aggregates.WRITING, None, None)
        with self._succeeding(source, fetched) as (session, current):
            if _is_older(current, staging.age):
                regained = aggregates.regained(session, self._host, current, staging)
                run((nothing_comes_back,), staging.checks, staging.age, sources.newest(current), regained)
            written = aggregates.write(session, self._host, current, staging, now)
            sources.note_age(current, staging.age)
            current.valid_until = staging.valid_until
            current.validated = digest
            current.entities = len(staging.staged)
            current.due = self._next(current, staging.cache_duration, staging.valid_until)
            following.bring_up_to_date(session, self._host, current, self._limits, self._occasion())
            numbers = {"added": written.added, "changed": written.changed, "removed": written.removed}
            if written:
                self._host.record(
                    session, "metadata.source.refreshed", self._occasion(), source=current.name, **numbers
                )
        counted = ", ".join(f"{count} {what}" for what, count in numbers.items())
        return f"{len(staging.staged)} of {staging.found} entities: {counted}"

    def _partner(self, source: SourceColumns, entity_id: str, document: bytes, fetched: fetching.Fetched) -> str:
        trusted = self._trusted(source, entity_id, document)
        with self._succeeding(source, fetched) as (session, current):
            holder = self._host.holder(session, entity_id)
            if holder is None:
                current.due = self._next(current, None, None)
                return "there is no connection to it any more: nothing was taken in"
            if _is_older(current, trusted.age):
                regained = age.regained(effective_entity(holder), trusted.entity)
                run((nothing_comes_back,), trusted.checks, trusted.age, sources.newest(current), regained)
            sources.note_age(current, trusted.age)
            outcome = versions.offer(
                session,
                self._host,
                holder,
                trusted,
                rule=Rule(current.widening),
                ground=sources.ground_of(current),
                fingerprints=_grounds(current, document),
                origin=f"source {current.name}",
                source_id=current.id,
                occasion=self._occasion(),
            )
            current.valid_until = trusted.entity.valid_until
            current.validated = hashlib.sha256(document).hexdigest()
            current.entities = 1
            current.due = self._next(current, trusted.entity.cache_duration, trusted.entity.valid_until)
            number = "" if outcome.version is None else f"version {outcome.version.number}: "
            return f"{number}{outcome.word}{', and what it took back is gone' if outcome.reduced else ''}"

    def _trusted(self, source: SourceColumns, entity_id: str, document: bytes) -> trust.TrustedMetadata:
        """One partner's document, by its pin; or unsigned, by the https host that was named for this very partner."""
        pinned = fetching.is_pinned(source)
        now = self._clock()
        trusted = trust.verify(
            document,
            now=now,
            own_entity_id=self._limits.own_entity_id,
            role=self._host.role,
            signer_fingerprints=source.signer_fingerprints,
            signer_certificates=fetching.certificates_of(source),
            confirmed_key_fingerprints=() if pinned else (fingerprints.of_document(document).value,),
            entity_id=entity_id,
            max_validity=timedelta(seconds=source.max_validity),
            skew=self._limits.skew,
            allow_http_loopback=self._limits.allow_http_loopback,
            exceptions=source.exceptions,
            algorithms=self._limits.algorithms,
        )
        if not pinned:
            limit = trusted.entity.valid_until
            validity = Validity(
                root=limit, earliest=limit, now=now, skew=self._limits.skew,
                max_validity=timedelta(seconds=source.max_validity), exceptions=frozenset(source.exceptions),
            )  # fmt: skip
            run((valid_until_is_present,), trusted.checks, validity)
        return trusted

    def _query(self, source: SourceColumns) -> str:
        """Ask again about every entity that a responder told us about and whose time has come."""
        querier = querying.Querier(self._host, self._sessions, self._limits, clock=self._clock, ssl_context=self._ssl)
        renewed, failed = querier.renew(source)
        with self._succeeding(source, fetching.Fetched(None)) as (session, current):
            current.entities = sources.count_entities(session, self._host, current)
            current.due = self._next(current, None, None)
        return f"{current.entities} entities known, {renewed} asked for again" + (
            f", {failed} failed" if failed else ""
        )

    # Health --------------------------------------------------------------------------------------------------------

    def _claim(self, source_id: str) -> SourceColumns | None:
        kind, now = self._host.tables.source, self._clock()
        with unit_of_work(self._sessions) as session:
            claimed = session.execute(
                update(kind)
                .where(kind.id == source_id, _unclaimed(kind, now))
                .values(claimed_until=now + CLAIM, last_try=now)
                .execution_options(synchronize_session=False)
            )
            if cast("Any", claimed).rowcount == 0:
                return None
            return session.get(kind, source_id)

    @contextmanager
    def _succeeding(self, source: SourceColumns, fetched: fetching.Fetched) -> Iterator[tuple[Session, SourceColumns]]:
        """A transaction in which the source has done well, unless something in it fails."""
        with unit_of_work(self._sessions) as session:
            current = session.get_one(self._host.tables.source, source.id, with_for_update=True)
            _stand_still(current)
            current.error = None
            current.failures = 0
            current.last_success = self._clock()
            current.etag, current.last_modified = fetched.etag, fetched.last_modified
            yield session, current

    def _failed(self, source: SourceColumns, error: FederationError) -> Report:
        """The last good copy stays, until its own validUntil; the error shows as the source's health."""
        with unit_of_work(self._sessions) as session:
            current = session.get_one(self._host.tables.source, source.id, with_for_update=True)
            current.failures += 1
            _stand_still(current)
            current.error = error.message[:1000]
            current.due = timing.after_failure(
                self._clock(),
                failures=current.failures,
                longest=timedelta(seconds=current.longest_interval),
                chance=self._random(),
            )
            checks = error.checks if isinstance(error, Refused) else ()
            self._host.record(
                session, "metadata.source.failed", self._occasion(), source=source.name, rule=error.rule,
                message=error.message[:1000], checks=checks, entity_id=source.entity_id,
            )  # fmt: skip
        return Report(source.name, error.message, ok=False)

    def _tell(self, source: SourceColumns, phase: str, done: int | None, total: int | None) -> None:
        """Progress, for whoever watches."""
        with unit_of_work(self._sessions) as session:
            kind = self._host.tables.source
            session.execute(
                update(kind)
                .where(kind.id == source.id)
                .values(progress=phase, progress_done=done, progress_total=total)
            )

    def _next(self, source: SourceColumns, cache_duration: timedelta | None, valid_until: datetime | None) -> datetime:
        return timing.after_success(
            self._clock(),
            cache_duration=cache_duration,
            valid_until=valid_until,
            shortest=timedelta(seconds=source.shortest_interval),
            longest=timedelta(seconds=source.longest_interval),
            chance=self._random(),
        )

    def _occasion(self) -> Occasion:
        return Occasion(self._clock(), self._actor, self._reference)


def _stand_still(source: SourceColumns) -> None:
    source.claimed_until = source.progress = source.progress_done = source.progress_total = None


def _unclaimed(source: type[SourceColumns], now: datetime) -> Any:
    return or_(source.claimed_until.is_(None), source.claimed_until <= now)


def _is_older(source: SourceColumns, age: Age) -> bool:
    """Whether a document was made before one that was taken in already. What a person brings is that one's decision."""
    return source.kind != UPLOAD and age.is_older_than(sources.newest(source))


def _grounds(source: SourceColumns, document: bytes) -> list[str]:
    """The fingerprints that the trust in a document rests on."""
    if not fetching.is_pinned(source):
        return [fingerprints.of_document(document).value]
    pinned = [certificates.fingerprint(each) for each in fetching.certificates_of(source)]
    return [*source.signer_fingerprints, *pinned]
