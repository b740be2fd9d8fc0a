"""Entities of federations' sources: what holds for them without a connection, and one where it is wanted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy
from federation.errors import ConfigurationError, PolicyRefusal
from federation.registry import entities, following
from federation.registry.aggregates import key_of
from federation.registry.columns import EntityColumns, SourceColumns
from federation.saml.metadata.entity import Entity
from idp_app.models import Audience, Connection
from idp_app.options import Options
from idp_app.services import connections, metadata
from idp_app.services.act import Act

if TYPE_CHECKING:
    from idp_app.installation import Installation


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a source says of all its sites."""

    audiences: Sequence[Audience]
    policy: ReleasePolicy
    options: Options


def defaults_of(session: Session, kept: Mapping[str, Any]) -> Defaults:
    """A source's defaults; an audience that is gone meanwhile serves nobody."""
    wanted = kept.get("audiences", [])
    found = session.scalars(select(Audience).where(Audience.id.in_(wanted)).order_by(Audience.name_key)).all()
    return Defaults(found, ReleasePolicy.from_json(kept["release"]), Options.from_json(kept.get("options", {})))


def obstacle(installation: Installation, entity: Entity, options: Options) -> str | None:
    """Why nobody could sign in to a site with these options, before the first person finds out; None for no reason."""
    try:
        installation.ready.require(entity, options)
    except (PolicyRefusal, ConfigurationError) as refusal:
        return f"{refusal.message[:1].upper()}{refusal.message[1:]}."
    return None


def find(session: Session, source: SourceColumns, entity_id: str) -> EntityColumns:
    """An entity of a source by its entityID. Raises `PolicyRefusal`."""
    found = entities.by_key(session, metadata.HOST, source.id, key_of(entity_id))
    if found is None:
        raise PolicyRefusal("metadata.source", f"{source.name} has no service provider {entity_id}")
    return found


def connect(
    session: Session,
    installation: Installation,
    source: SourceColumns,
    row: EntityColumns,
    act: Act,
    *,
    name: str = "",
    audiences: Sequence[Audience] | None = None,
    policy: ReleasePolicy | None = None,
    options: Options | None = None,
) -> Connection:
    """Make a connection of an entity, with the source's defaults where nothing else is said.

    It goes on following the source. Raises `PolicyRefusal` where there is one already, and what `connections.connect`
    raises.
    """
    there = metadata.HOST.holder(session, row.entity_id)
    if there is not None:
        raise PolicyRefusal("connection.there", f"there is a connection to it already: {there.name}")
    limits = metadata.limits_of(installation.settings)
    trusted, defaults = following.offered(row, source, limits, act.now), defaults_of(session, source.defaults)
    connection, _ = connections.connect(
        session,
        trusted,
        act,
        name=name.strip() or row.name,
        audiences=defaults.audiences if audiences is None else audiences,
        policy=policy or defaults.policy,
        pins=following.signers_of(source),
        ready=installation.ready,
        chosen=options or defaults.options,
        source=source,
    )
    return connection
