"""Identity providers as a sign-in needs them: parsed once for each version and kept in the process.

A connection of ours goes first; then come the entities of federations' sources, which need none; then the Metadata
Query responders are asked about a stranger.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.registry.effective import effective_entity
from federation.registry.lookup import Entities, Known
from federation.registry.querying import Querier
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms, allowed
from federation.saml.metadata import outgoing
from federation.saml.metadata.entity import Entity, IdPRole
from federation.saml.names import Binding
from federation.saml.signature import SigningKey
from sp_app.models import IdPConnection
from sp_app.services import connections, identity
from sp_app.services.metadata import HOST

_BINDINGS: Final = (Binding.REDIRECT, Binding.POST)


@dataclass(frozen=True, slots=True)
class Partner:
    """An identity provider that sign-ins may use now: what our record says, and what its live metadata says.

    `connection_id` is the connection's, or stands for the entityID of an entity of a federation's source.
    """

    connection_id: str
    name: str
    request_binding: str
    response_binding: str
    entity: Entity
    algorithms: Algorithms = DEFAULT_ALGORITHMS
    identifier: str = identity.PAIRWISE_ID

    def signing_key(self, key: SigningKey) -> SigningKey:
        """Our key as every message to this partner uses it. Raises `NothingInCommon`."""
        return outgoing.signing_key(key, self.entity.idp, self.algorithms)


class Partners:
    """The live metadata of our partners, parsed once per version and process.

    What is kept cannot go stale: the connection's revision, or the entity's version, is compared each time.
    """

    def __init__(self, banned: Collection[str] = (), querier: Querier | None = None) -> None:
        self._banned = frozenset(banned)
        self._parsed: dict[tuple[str, int], Entity] = {}
        self._lock = threading.Lock()
        self._entities = Entities(HOST)
        self._querier = querier

    def of(self, session: Session, connection: IdPConnection, now: datetime) -> Partner:
        """The partner behind a connection. Raises `PolicyRefusal` when it cannot be used now."""
        require_state(connection.state)
        _require_valid(connection.valid_until, now)
        partner = self.known(connection)
        _require_usable(partner.entity)
        return partner

    def known(self, connection: IdPConnection) -> Partner:
        """The partner behind a connection, whether it may be used now or not: to end sessions, for instance."""
        key = (connection.id, connection.revision)
        entity = self._parsed.get(key)
        if entity is None:
            entity = _with_role(effective_entity(connection))
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
            connection.identifier,
        )

    def known_by(self, session: Session, entity_id: str) -> Partner | None:
        """The partner with an entityID, whether it may be used now or not, or None; nobody else is asked.

        A connection that was ended is none, whatever a federation's source says of the entity.
        """
        connection = connections.record_of(session, entity_id)
        if connection is not None:
            return None if connection.state == connections.DISCONNECTED else self.known(connection)
        known = self._entities.by_entity_id(session, entity_id)
        return None if known is None else self._partner(known)

    def usable_by(self, session: Session, entity_id: str, now: datetime) -> Partner | None:
        """The partner with an entityID, or None; nobody else is asked. Raises `PolicyRefusal` as `of` does."""
        connection = connections.record_of(session, entity_id)
        if connection is not None:
            return self.of(session, connection, now)
        known = self._entities.by_entity_id(session, entity_id)
        return None if known is None else self._usable(known, now)

    def introduced(self, session: Session, entity_id: str, now: datetime) -> Partner | None:
        """The partner with an entityID, or None; about a stranger the responders are asked (IIP-MD01).

        That takes seconds at most. Call it before anything is written in the session's transaction. Raises
        `PolicyRefusal` when it cannot be used now.
        """
        partner = self.usable_by(session, entity_id, now)
        if partner is not None or self._querier is None or not self._querier.look_up(session, entity_id):
            return partner
        with self._querier.fresh_session() as fresh:  # the caller's may have begun before the answer was written
            return self.usable_by(fresh, entity_id, now)

    def of_federation(self, session: Session, key: str, now: datetime) -> Partner:
        """The entity of a federation's source that a short name stands for. Raises `PolicyRefusal`."""
        known = self._entities.by_key(session, key)
        if known is None:
            raise PolicyRefusal("connection.there", "this identity provider is not known here any more")
        return self._usable(known, now)

    def _usable(self, known: Known, now: datetime) -> Partner:
        _require_valid(known.valid_until, now)
        _require_usable(known.entity)
        return self._partner(known)

    def _partner(self, known: Known) -> Partner:
        return Partner(known.key, known.name, "redirect", "post", known.entity, allowed((), self._banned))


def require_state(state: str) -> None:
    """Raise `PolicyRefusal` unless this is the state of a connection that is served."""
    if state == connections.DISCONNECTED:
        raise PolicyRefusal("connection.disconnected", "the connection to this identity provider was ended")
    if state != connections.ACTIVE:
        raise PolicyRefusal("connection.active", "the connection to this identity provider is paused")


def _require_valid(valid_until: datetime | None, now: datetime) -> None:
    if valid_until is not None and valid_until <= now:
        raise PolicyRefusal("connection.metadata_valid", "the metadata of this identity provider has expired")


def _require_usable(entity: Entity) -> None:
    """What it has taken back is gone at once, and may be all there was."""
    endpoints = entity.idp.single_sign_on if entity.idp is not None else ()
    if entity.idp is None or not any(endpoint.binding in _BINDINGS for endpoint in endpoints):
        raise PolicyRefusal("connection.endpoint", "this identity provider no longer says where people sign in")


def _with_role(entity: Entity) -> Entity:
    """Newer metadata may have taken the role back: then it has no key and no endpoint any more."""
    return entity if entity.idp is not None else replace(entity, idp=IdPRole())
