"""Partners as the hot path needs them: parsed once for each version of the row and kept in the process.

A connection of ours goes first; then come the entities of federations' sources, which need none; then the Metadata
Query responders are asked about a stranger.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy, requested_by
from federation.attributes.release import Release
from federation.keys.ring import Keys
from federation.registry.effective import effective_entity
from federation.registry.ending import Ending
from federation.registry.lookup import KEEP, Entities, Known
from federation.registry.querying import Querier
from federation.saml import encryption
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms, allowed
from federation.saml.bindings import artifact
from federation.saml.metadata import outgoing
from federation.saml.metadata.entity import Entity, KeyDescriptor, SPRole
from federation.saml.names import LOGOUT_BINDING, Binding
from federation.saml.profiles import sso_request
from federation.saml.signature import SigningKey
from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from idp_app.errors import NotThere
from idp_app.models import Connection, ConnectionState
from idp_app.options import AUTO, NO_OPTIONS, Options
from idp_app.services.metadata import HOST


@dataclass(frozen=True)
class LiveConnection:
    """One partner, parsed: a connection, or an entity of a federation's source with that source's defaults.

    `id` is the connection's, or stands for the entityID. `audiences` are ids.

    `encryption_key` is None for a partner that has none, and for one that only has keys we cannot encrypt to; the
    latter gets no assertion (`has_unusable_keys`), because leaving the encryption out is not ours to decide.
    `releases` are what its policy lets out, by the index of the AttributeConsumingService, and under None the default.
    `ending` is what becomes of the accounts there, where the connection is being ended.
    """

    id: str
    version: Any
    name: str
    entity_id: str
    state: ConnectionState
    valid_until: datetime | None
    entity: Entity
    sp: SPRole
    releases: Mapping[int | None, Release]
    audiences: frozenset[str]
    encryption_key: KeyDescriptor | None
    options: Options = NO_OPTIONS
    algorithms: Algorithms = DEFAULT_ALGORITHMS
    ending: Ending | None = None

    @property
    def takes_logout_by_soap(self) -> bool:
        """Whether it is told of a logout directly although a browser could carry the message."""
        if self.options.logout == AUTO:
            return Binding.SOAP in self.entity.attribute(LOGOUT_BINDING)
        return self.options.logout == "soap"

    @cached_property
    def answer_bindings(self) -> tuple[str, ...]:
        """How it can be answered."""
        return sso_request.answer_bindings(self.sp)

    @cached_property
    def has_unusable_keys(self) -> bool:
        """Whether it wants encryption that we cannot do."""
        return self.encryption_key is None and bool(self.sp.encryption_keys) and bool(self.options.encrypted_parts)

    def usable(self, now: datetime) -> bool:
        """Whether its metadata may still be used (SAML Metadata 2.3.2, validUntil), and says where to send anything."""
        return (self.valid_until is None or now < self.valid_until) and bool(self.sp.assertion_consumer)

    def release(self, index: int | None) -> Release:
        """What it is told about people, by the request's AttributeConsumingServiceIndex (SAML Core 3.4.1)."""
        return self.releases.get(index) or self.releases[None]

    def signing_key(self, keys: Keys, person: str = "") -> SigningKey:
        """Our key as every message to this partner uses it, or one about a person. Raises `NothingInCommon`."""
        return outgoing.signing_key(keys.signer(self.options.key, person), self.sp, self.algorithms)


_TABLE: Final = table_of(Connection)
_VERSION: Final = select(_TABLE.c.id, _TABLE.c.version)
_ENTITY_IDS: Final = select(_TABLE.c.id, _TABLE.c.version, _TABLE.c.entity_id)
_BY_ENTITY_ID: Final = Prepared(_VERSION.where(_TABLE.c.entity_id == bindparam("sought")))
_BY_ID: Final = Prepared(_VERSION.where(_TABLE.c.id == bindparam("sought")))


class Partners:
    """The parsed connections of this process. A stale one is never used: each look-up compares the version."""

    def __init__(self, banned: Collection[str] = (), querier: Querier | None = None) -> None:
        self._banned = frozenset(banned)
        self._parsed: dict[str, LiveConnection] = {}
        self._federated: dict[str, LiveConnection] = {}
        self._entities = Entities(HOST)
        self._querier = querier

    def by_entity_id(self, session: Session, entity_id: str) -> LiveConnection | None:
        """The partner with an entityID, whatever its connection's state, or None."""
        for row_id, version in _BY_ENTITY_ID.rows(session, {"sought": entity_id}):
            return self._live(session, row_id, version)
        return self._of_federation(self._entities.by_entity_id(session, entity_id))

    def introduced(self, session: Session, entity_id: str) -> LiveConnection | None:
        """As `by_entity_id`, for the issuer of a message: about a stranger the responders are asked (IIP-MD01).

        That takes seconds at most. Call it before anything is written in the session's transaction.
        """
        partner = self.by_entity_id(session, entity_id)
        if partner is not None or self._querier is None or not self._querier.look_up(session, entity_id):
            return partner
        with self._querier.fresh_session() as fresh:  # the caller's may have begun before the answer was written
            return self.by_entity_id(fresh, entity_id)

    def by_source_id(self, session: Session, source_id: bytes) -> LiveConnection | None:
        """The partner that made an artifact (SAML Bindings 3.6.4.2), whatever its connection's state, or None."""
        for row in session.execute(_ENTITY_IDS):
            if artifact.source_id(row.entity_id) == source_id:
                return self._live(session, row.id, row.version)
        return self._of_federation(self._entities.by_source_id(session, source_id))

    def by_id(self, session: Session, connection_id: str) -> LiveConnection:
        """The partner with an id. Raises `NotThere`."""
        for row_id, version in _BY_ID.rows(session, {"sought": connection_id}):
            return self._live(session, row_id, version)
        partner = self._of_federation(self._entities.by_key(session, connection_id))
        if partner is None:
            raise NotThere("connection", connection_id)
        return partner

    def _live(self, session: Session, connection_id: str, version: int) -> LiveConnection:
        known = self._parsed.get(connection_id)
        if known is None or known.version != version:
            known = live(session.get_one(Connection, connection_id), self._banned)
            self._parsed[connection_id] = known
        return known

    def _of_federation(self, known: Known | None) -> LiveConnection | None:
        """An entity with the defaults of its source. What is kept is bounded by what `Entities` keeps."""
        if known is None:
            return None
        partner = self._federated.get(known.key)
        if partner is None or partner.version != known.version:
            partner = _federated(known, self._banned)
            if len(self._federated) >= KEEP:
                self._federated = {}
            self._federated[known.key] = partner
        return partner


def live(connection: Connection, banned: frozenset[str] = frozenset()) -> LiveConnection:
    """Parse a row. Its metadata was verified before it was stored. `banned` algorithms are the site's."""
    entity = effective_entity(connection)
    sp = entity.sp or SPRole()  # newer metadata has taken it back: nothing can be sent anywhere
    options = Options.from_json(connection.options)
    algorithms = allowed(options.presets, banned)
    policy = ReleasePolicy.from_json(connection.release_policy).for_entity(entity)
    return LiveConnection(
        id=connection.id,
        version=connection.version,
        name=connection.name,
        entity_id=connection.entity_id,
        state=connection.state,
        valid_until=connection.valid_until,
        entity=entity,
        sp=sp,
        releases=_releases(entity, policy, options),
        audiences=frozenset(audience.id for audience in connection.audiences),
        encryption_key=encryption_key(sp, options, algorithms),
        options=options,
        algorithms=algorithms,
        ending=connection.ending,
    )


def _federated(known: Known, banned: frozenset[str]) -> LiveConnection:
    sp = known.entity.sp
    assert sp is not None  # the look-up asks for service providers
    options = Options.from_json(known.defaults.get("options", {}))
    algorithms = allowed(options.presets, banned)
    policy = ReleasePolicy.from_json(known.defaults["release"]).for_entity(known.entity)
    return LiveConnection(
        id=known.key,
        version=known.version,
        name=known.name,
        entity_id=known.entity.entity_id,
        state=ConnectionState.ACTIVE,
        valid_until=known.valid_until,
        entity=known.entity,
        sp=sp,
        releases=_releases(known.entity, policy, options),
        audiences=frozenset(known.defaults["audiences"]),
        encryption_key=encryption_key(sp, options, algorithms),
        options=options,
        algorithms=algorithms,
    )


def _releases(entity: Entity, policy: ReleasePolicy, options: Options) -> dict[int | None, Release]:
    """One for each way of asking that its metadata has; what it asks for under its own names counts under ours."""
    services = entity.sp.attribute_consuming if entity.sp is not None else ()
    return {
        index: Release.of(policy, options.asked(requested_by(entity, index, allowed=policy.keys)))
        for index in (None, *(service.index for service in services))
    }


def encryption_key(sp: SPRole, options: Options, algorithms: Algorithms) -> KeyDescriptor | None:
    """The first key of an SP that one may encrypt to (IIP-MD08), where anything shall be encrypted."""
    if not options.encrypted_parts:
        return None
    return next((key for key in sp.encryption_keys if encryption.suits(key, algorithms)), None)
