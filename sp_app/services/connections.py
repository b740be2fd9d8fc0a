"""Connections: which identity providers this site trusts, and on what ground.

Their metadata becomes live here, or by a refresh and the rule of its source (`federation.registry`), and nowhere else:
verified, versioned, never edited.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from federation.errors import NotThere, PolicyRefusal
from federation.registry import following, versions
from federation.registry.columns import EntityColumns, SourceColumns
from federation.registry.host import Limits, Occasion
from federation.saml.algorithms import allowed, presets_named, weaknesses
from federation.saml.metadata import outgoing, trust
from federation.saml.metadata.reading import read_document
from federation.saml.signature import SigningKey
from federation.storage.base import table_of
from sp_app.models import IdPConnection, MetadataVersion
from sp_app.services.metadata import HOST

ACTIVE: Final = "active"
PAUSED: Final = "paused"
DISCONNECTED: Final = "disconnected"

_TABLE: Final = table_of(IdPConnection)
_HOLD: Final = (
    select(_TABLE.c.state)
    .where(_TABLE.c.id == bindparam("sought"))
    # The weakest lock that ending one does not go together with: sign-ins do not wait for each other.
    .with_for_update(read=True, key_share=True)
)


def active(session: Session) -> Sequence[IdPConnection]:
    """The connections that a person may choose from: those with a place first, then by name."""
    return session.scalars(
        select(IdPConnection)
        .where(IdPConnection.state == ACTIVE)
        .order_by(IdPConnection.place.is_(None), IdPConnection.place, IdPConnection.name)
    ).all()


def every(session: Session) -> Sequence[IdPConnection]:
    """All connections that were not ended, by name."""
    return session.scalars(
        select(IdPConnection).where(IdPConnection.state != DISCONNECTED).order_by(IdPConnection.name)
    ).all()


def ended(session: Session) -> Sequence[IdPConnection]:
    """The connections that are over, the newest end first: they are there for their history."""
    over = select(IdPConnection).where(IdPConnection.state == DISCONNECTED)
    return session.scalars(over.order_by(IdPConnection.modified_at.desc())).all()


def get(session: Session, connection_id: str) -> IdPConnection:
    """The connection with an id. Raises `NotThere`."""
    connection = session.get(IdPConnection, connection_id)
    if connection is None:
        raise NotThere("connection", connection_id)
    return connection


def by_entity_id(session: Session, entity_id: str) -> IdPConnection | None:
    """The connection to one identity provider, unless it was ended."""
    found = record_of(session, entity_id)
    return None if found is None or found.state == DISCONNECTED else found


def record_of(session: Session, entity_id: str) -> IdPConnection | None:
    """The connection to one identity provider, also one that was ended."""
    return session.scalars(select(IdPConnection).where(IdPConnection.entity_id == entity_id)).one_or_none()


def hold(session: Session, connection: IdPConnection) -> str:
    """Let nobody end the connection before this transaction ends; answers its state, as it is now.

    Whoever opens a session or writes an account calls it first: either they are early, and the end waits for them and
    then concerns them, too, or they are late and see it. Call it where something is written anyway: on SQLite writers
    take turns.
    """
    return session.scalars(_HOLD, {"sought": connection.id}).one()


def live_metadata(session: Session, connection: IdPConnection) -> MetadataVersion:
    """The version of the metadata that is live."""
    return session.scalars(
        select(MetadataVersion).where(
            MetadataVersion.entity_id == connection.entity_id, MetadataVersion.number == connection.metadata_version
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
    reference: str = "",
) -> tuple[IdPConnection, MetadataVersion]:
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
        algorithms=allowed(banned=frozenset(banned)),
    )
    entity = trusted.entity
    connection = record_of(session, entity.entity_id)
    if connection is None:
        connection = _new(trusted, name, now)
        session.add(connection)
    elif name is not None:
        connection.name = name
    if connection.state == DISCONNECTED:
        connection.state = ACTIVE
    if presets:
        connection.presets = list(presets_named(presets))
    algorithms = allowed(tuple(connection.presets), frozenset(banned))
    outgoing.signing_key(signing_key, entity.idp, algorithms)
    versions.adopt(
        session,
        HOST,
        connection,
        trusted,
        ground="signature" if trusted.signed else "confirmed keys",
        fingerprints=pinned,
        origin="a file",
        occasion=Occasion(now, trusted_by, reference),
    )
    return connection, live_metadata(session, connection)


def connect_offered(
    session: Session,
    source: SourceColumns,
    row: EntityColumns,
    limits: Limits,
    occasion: Occasion,
    *,
    name: str,
    signing_key: SigningKey,
) -> IdPConnection:
    """Make a connection of an entity of a federation's source, which it goes on following.

    Raises `PolicyRefusal` where there is one already, and `NothingInCommon` as `connect` does.
    """
    if by_entity_id(session, row.entity_id) is not None:
        raise PolicyRefusal("connection.there", "there is a connection to it already")
    trusted = following.offered(row, source, limits, occasion.now)
    outgoing.signing_key(signing_key, trusted.entity.idp, limits.algorithms)
    name = " ".join(name.split())[:100] or row.name
    connection = record_of(session, row.entity_id)
    if connection is None:
        connection = _new(trusted, name, occasion.now)
        session.add(connection)
    connection.name, connection.state = name, ACTIVE  # one that was ended begins again
    versions.adopt(
        session,
        HOST,
        connection,
        trusted,
        ground=following.GROUND,
        fingerprints=following.signers_of(source),
        origin=f"source {source.name}",
        source_id=source.id,
        occasion=occasion,
    )
    HOST.record(session, "connection.connected", occasion, entity_id=row.entity_id, source=source.name)
    return connection


def _new(trusted: trust.TrustedMetadata, name: str | None, now: datetime) -> IdPConnection:
    return IdPConnection(
        id=str(uuid.uuid4()),
        entity_id=trusted.entity.entity_id,
        name=name or trusted.entity.display_name(),
        state=ACTIVE,
        metadata_version=0,
        metadata_xml=trusted.document,
        revision=0,
        request_binding="redirect",
        presets=[],
        created_at=now,
        modified_at=now,
    )


def set_presets(connection: IdPConnection, presets: Sequence[str], now: datetime) -> None:
    """Choose the presets of a connection, `default` alone for none. Raises `ConfigurationError`."""
    connection.presets = list(presets_named(presets))
    connection.modified_at = now


def misses(connection: IdPConnection, version: MetadataVersion) -> list[dict[str, Any]]:
    """What an administrator should know: the cost of the connection's presets, then what its metadata lacks."""
    costs = [
        {"rule": f"preset.{each.name}", "level": "warning", "message": each.weakness, "reference": "SDP-ALG01"}
        for each in weaknesses(connection.presets)
    ]
    return [*costs, *version.misses]


def set_state(connection: IdPConnection, state: str, now: datetime) -> None:
    """Pause a connection, or let it serve again. Raises `PolicyRefusal` for one that was ended."""
    if connection.state == DISCONNECTED:
        raise PolicyRefusal("connection.disconnected", f"{connection.name} was disconnected: connect it again")
    connection.state = state
    connection.modified_at = now


def _pinned_by_predecessor(session: Session, document: bytes) -> tuple[str, ...]:
    """What vouched for the version that is live: continuity of trust, whatever the new document says about itself."""
    for entity in read_document(document):
        connection = by_entity_id(session, entity.entity_id)
        if connection is not None:
            return tuple(live_metadata(session, connection).fingerprints)
    return ()
