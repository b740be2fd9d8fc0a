"""Connections as the hot path needs them: parsed once for each version of the row and kept in the process."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from federation.attributes import policy as release
from federation.attributes.policy import ReleasePolicy
from federation.saml import encryption
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms, allowed
from federation.saml.bindings import artifact
from federation.saml.metadata import outgoing
from federation.saml.metadata.entity import Entity, KeyDescriptor, RequestedAttribute, SPRole
from federation.saml.metadata.reading import read_document
from federation.saml.names import LOGOUT_BINDING, Binding
from federation.saml.signature import SigningKey
from idp_app.errors import NotThere
from idp_app.models import Connection, ConnectionState
from idp_app.models.base import table_of
from idp_app.options import AUTO, NO_OPTIONS, Options


@dataclass(frozen=True, slots=True)
class LiveConnection:
    """One connection, parsed. `audiences` are ids.

    `encryption_key` is None for a partner that has none, and for one that only has keys we cannot encrypt to; the
    latter gets no assertion (`has_unusable_keys`), because leaving the encryption out is not ours to decide.
    """

    id: str
    version: int
    name: str
    entity_id: str
    state: ConnectionState
    valid_until: datetime | None
    entity: Entity
    sp: SPRole
    policy: ReleasePolicy
    audiences: frozenset[str]
    encryption_key: KeyDescriptor | None
    options: Options = NO_OPTIONS
    algorithms: Algorithms = DEFAULT_ALGORITHMS

    @property
    def takes_logout_by_soap(self) -> bool:
        """Whether it is told of a logout directly although a browser could carry the message."""
        if self.options.logout == AUTO:
            return Binding.SOAP in self.entity.attribute(LOGOUT_BINDING)
        return self.options.logout == "soap"

    @property
    def has_unusable_keys(self) -> bool:
        """Whether it wants encryption that we cannot do."""
        return self.encryption_key is None and bool(self.sp.encryption_keys) and bool(self.options.encrypted_parts)

    def usable(self, now: datetime) -> bool:
        """Whether its metadata may still be used (SAML Metadata 2.3.2, validUntil)."""
        return self.valid_until is None or now < self.valid_until

    def requested(self, index: int | None) -> Sequence[RequestedAttribute]:
        """What its metadata asks for, by the request's AttributeConsumingServiceIndex."""
        return self.options.asked(release.requested_by(self.entity, index))

    def signing_key(self, key: SigningKey) -> SigningKey:
        """Our key as every message to this partner uses it. Raises `NothingInCommon`."""
        return outgoing.signing_key(key, self.sp, self.algorithms)


_TABLE: Final = table_of(Connection)
_VERSION: Final = select(_TABLE.c.id, _TABLE.c.version)
_ENTITY_IDS: Final = select(_TABLE.c.id, _TABLE.c.version, _TABLE.c.entity_id)
_BY_ENTITY_ID: Final = _VERSION.where(_TABLE.c.entity_id == bindparam("sought"))
_BY_ID: Final = _VERSION.where(_TABLE.c.id == bindparam("sought"))


class Partners:
    """The parsed connections of this process. A stale one is never used: each look-up compares the version."""

    def __init__(self, banned: Collection[str] = ()) -> None:
        self._banned = frozenset(banned)
        self._parsed: dict[str, LiveConnection] = {}

    def by_entity_id(self, session: Session, entity_id: str) -> LiveConnection | None:
        """The connection to an entity, whatever its state, or None."""
        row = session.execute(_BY_ENTITY_ID, {"sought": entity_id}).first()
        return None if row is None else self._live(session, row.id, row.version)

    def by_source_id(self, session: Session, source_id: bytes) -> LiveConnection | None:
        """The connection to the entity that made an artifact (SAML Bindings 3.6.4.2), whatever its state, or None."""
        for row in session.execute(_ENTITY_IDS):
            if artifact.source_id(row.entity_id) == source_id:
                return self._live(session, row.id, row.version)
        return None

    def by_id(self, session: Session, connection_id: str) -> LiveConnection:
        """The connection with an id. Raises `NotThere`."""
        row = session.execute(_BY_ID, {"sought": connection_id}).first()
        if row is None:
            raise NotThere("connection", connection_id)
        return self._live(session, row.id, row.version)

    def _live(self, session: Session, connection_id: str, version: int) -> LiveConnection:
        known = self._parsed.get(connection_id)
        if known is None or known.version != version:
            known = live(session.get_one(Connection, connection_id), self._banned)
            self._parsed[connection_id] = known
        return known


def live(connection: Connection, banned: frozenset[str] = frozenset()) -> LiveConnection:
    """Parse a row. Its metadata was verified before it was stored. `banned` algorithms are the site's."""
    entities = read_document(connection.metadata_xml)
    entity = next(entity for entity in entities if entity.entity_id == connection.entity_id)
    if entity.sp is None:
        raise NotThere("service provider", connection.entity_id)
    options = Options.from_json(connection.options)
    algorithms = allowed(options.presets, banned)
    return LiveConnection(
        id=connection.id,
        version=connection.version,
        name=connection.name,
        entity_id=connection.entity_id,
        state=connection.state,
        valid_until=connection.valid_until,
        entity=entity,
        sp=entity.sp,
        policy=ReleasePolicy.from_json(connection.release_policy),
        audiences=frozenset(audience.id for audience in connection.audiences),
        encryption_key=encryption_key(entity.sp, options, algorithms),
        options=options,
        algorithms=algorithms,
    )


def encryption_key(sp: SPRole, options: Options, algorithms: Algorithms) -> KeyDescriptor | None:
    """The first key of an SP that one may encrypt to (IIP-MD08), where anything shall be encrypted."""
    if not options.encrypted_parts:
        return None
    return next((key for key in sp.encryption_keys if encryption.suits(key, algorithms)), None)
