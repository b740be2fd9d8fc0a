"""Connections: which identity providers this site trusts, and on what ground.

Their metadata becomes live here and nowhere else: verified, versioned, never edited.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms, allowed, presets_named, weaknesses
from federation.saml.metadata import outgoing, trust
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document
from federation.saml.signature import SigningKey
from sp_app.models import IdPConnection, IdPMetadata

ACTIVE: Final = "active"
PAUSED: Final = "paused"


@dataclass(frozen=True, slots=True)
class Partner:
    """An identity provider that sign-ins may use now: what our record says, and what its live metadata says."""

    connection_id: str
    name: str
    request_binding: str
    response_binding: str
    entity: Entity
    algorithms: Algorithms = DEFAULT_ALGORITHMS

    def signing_key(self, key: SigningKey) -> SigningKey:
        """Our key as every message to this partner uses it. Raises `NothingInCommon`."""
        return outgoing.signing_key(key, self.entity.idp, self.algorithms)


class Partners:
    """The live metadata of our partners, parsed once per version and process.

    What is kept cannot go stale: a version's document never changes, and which version is live is read each time.
    """

    def __init__(self, banned: Collection[str] = ()) -> None:
        self._banned = frozenset(banned)
        self._parsed: dict[tuple[str, int], Entity] = {}
        self._lock = threading.Lock()

    def of(self, session: Session, connection: IdPConnection, now: datetime) -> Partner:
        """The partner behind a connection. Raises `PolicyRefusal` when it is paused or its metadata has expired."""
        if connection.state != ACTIVE:
            raise PolicyRefusal("connection.active", "the connection to this identity provider is paused")
        if connection.valid_until is not None and connection.valid_until <= now:
            raise PolicyRefusal("connection.metadata_valid", "the metadata of this identity provider has expired")
        return self.known(session, connection)

    def known(self, session: Session, connection: IdPConnection) -> Partner:
        """The partner behind a connection, whether it may be used now or not: to end sessions, for instance."""
        key = (connection.id, connection.metadata_version)
        entity = self._parsed.get(key)
        if entity is None:
            entity = self._parse(session, connection)
            with self._lock:
                self._parsed = {old: kept for old, kept in self._parsed.items() if old[0] != connection.id}
                self._parsed[key] = entity
        algorithms = allowed(tuple(connection.presets), self._banned)
        return Partner(
            connection.id,
            connection.name,
            connection.request_binding,
            connection.response_binding,
            entity,
            algorithms,
        )

    def _parse(self, session: Session, connection: IdPConnection) -> Entity:
        document = session.scalars(
            select(IdPMetadata.document).where(
                IdPMetadata.connection_id == connection.id, IdPMetadata.version == connection.metadata_version
            )
        ).one()
        (entity,) = (entity for entity in read_document(document) if entity.entity_id == connection.entity_id)
        return entity


def active(session: Session) -> Sequence[IdPConnection]:
    """The connections that a person may choose from, by name."""
    return session.scalars(
        select(IdPConnection).where(IdPConnection.state == ACTIVE).order_by(IdPConnection.name)
    ).all()


def every(session: Session) -> Sequence[IdPConnection]:
    """All connections, by name."""
    return session.scalars(select(IdPConnection).order_by(IdPConnection.name)).all()


def by_entity_id(session: Session, entity_id: str) -> IdPConnection | None:
    """The connection to one identity provider."""
    return session.scalars(select(IdPConnection).where(IdPConnection.entity_id == entity_id)).one_or_none()


def live_metadata(session: Session, connection: IdPConnection) -> IdPMetadata:
    """The version of the metadata that is live."""
    return session.scalars(
        select(IdPMetadata).where(
            IdPMetadata.connection_id == connection.id, IdPMetadata.version == connection.metadata_version
        )
    ).one()


def connect(
    session: Session,
    document: bytes,
    *,
    name: str | None,
    fingerprints: Sequence[str],
    own_entity_id: str,
    allow_http_loopback: bool,
    max_validity: timedelta,
    trusted_by: str,
    now: datetime,
    signing_key: SigningKey,
    banned: Collection[str] = (),
    presets: Sequence[str] = (),
) -> tuple[IdPConnection, IdPMetadata]:
    """Make a metadata document live: a new connection, or a new version of one that exists.

    `fingerprints` are what a person has confirmed: the signer's, or every key's where the document is unsigned. A
    connection that exists keeps its ground of trust, so its next document needs the same signer or the same keys
    unless others are confirmed now. `presets` (none: as it was) are named departures from the strict default. Raises
    `ConfigurationError` for a preset that does not exist, `NothingInCommon` when `signing_key` can sign nothing that
    the partner accepts and this site does not ban, `Refused` (unsigned and unconfirmed: `trust.Unconfirmed`, with the
    fingerprints found), `Malformed`; nothing live has changed then.
    """
    pinned = tuple(fingerprints) or _pinned_by_predecessor(session, document)
    trusted = trust.verify(
        document,
        now=now,
        confirmed_key_fingerprints=pinned,
        own_entity_id=own_entity_id,
        max_validity=max_validity,
        role="idp",
        allow_http_loopback=allow_http_loopback,
    )
    entity = trusted.entity
    connection = by_entity_id(session, entity.entity_id)
    if connection is None:
        connection = IdPConnection(
            id=str(uuid.uuid4()),
            entity_id=entity.entity_id,
            name=name or entity.display_name(),
            state=ACTIVE,
            metadata_version=0,
            request_binding="redirect",
            presets=[],
            created_at=now,
        )
        session.add(connection)
    elif name is not None:
        connection.name = name
    if presets:
        connection.presets = list(presets_named(presets))
    algorithms = allowed(tuple(connection.presets), frozenset(banned))
    outgoing.signing_key(signing_key, entity.idp, algorithms)
    connection.metadata_version += 1
    connection.valid_until = entity.valid_until
    connection.modified_at = now
    session.flush()  # the version below refers to the connection's row
    version = IdPMetadata(
        connection_id=connection.id,
        version=connection.metadata_version,
        document=trusted.document,
        trust="signature" if trusted.signed else "confirmed keys",
        fingerprints=list(pinned),
        misses=[asdict(finding) for finding in trusted.misses],
        trusted_by=trusted_by,
        added_at=now,
    )
    session.add(version)
    return connection, version


def set_presets(connection: IdPConnection, presets: Sequence[str], now: datetime) -> None:
    """Choose the presets of a connection, `default` alone for none. Raises `ConfigurationError`."""
    connection.presets = list(presets_named(presets))
    connection.modified_at = now


def misses(connection: IdPConnection, version: IdPMetadata) -> list[dict[str, Any]]:
    """What an administrator should know: the cost of the connection's presets, then what its metadata lacks."""
    costs = [
        {"rule": f"preset.{each.name}", "level": "warning", "message": each.weakness, "reference": "SDP-ALG01"}
        for each in weaknesses(connection.presets)
    ]
    return [*costs, *version.misses]


def set_state(connection: IdPConnection, state: str, now: datetime) -> None:
    """Pause a connection, or let it serve again."""
    connection.state = state
    connection.modified_at = now


def _pinned_by_predecessor(session: Session, document: bytes) -> tuple[str, ...]:
    """What vouched for the version that is live: continuity of trust, whatever the new document says about itself."""
    for entity in read_document(document):
        connection = by_entity_id(session, entity.entity_id)
        if connection is not None:
            return tuple(live_metadata(session, connection).fingerprints)
    return ()
