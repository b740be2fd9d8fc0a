"""What counts of a connection's metadata now: the live document, without what newer metadata has taken back."""

from __future__ import annotations

from datetime import datetime

from federation.registry.columns import HolderColumns
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.reading import read_document
from federation.saml.metadata.restriction import restrict
from federation.saml.metadata.rules import earliest_validity


def entity_in(document: bytes, entity_id: str) -> Entity:
    """One entity of a document that was verified when it came."""
    return next(entity for entity in read_document(document) if entity.entity_id == entity_id)


def effective_entity(holder: HolderColumns) -> Entity:
    """The partner as a connection has to see it."""
    entity = entity_in(holder.metadata_xml, holder.entity_id)
    if holder.metadata_restriction is None:
        return entity
    return restrict(entity, entity_in(holder.metadata_restriction, holder.entity_id))


def limit_of(holder: HolderColumns, role: str) -> datetime | None:
    """Until when a connection's metadata may be used in the role that its partner has."""
    return earliest_validity(effective_entity(holder), role)
