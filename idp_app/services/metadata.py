"""What the registry of metadata needs to know of the identity provider, and what that asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from federation.attributes.policy import ReleasePolicy
from federation.errors import ConfigurationError
from federation.registry.columns import HolderColumns, SourceColumns, Tables, VersionColumns
from federation.registry.desk import Desk
from federation.registry.host import Limits, Occasion
from federation.web.reference import new_reference
from idp_app.models import Audience, AuditEntry, Connection, ConnectionState, MetadataEntity, Trust
from idp_app.models.metadata import TABLES
from idp_app.options import NO_OPTIONS, Options
from idp_app.services import audit, outbox
from idp_app.services.act import Act

if TYPE_CHECKING:
    from idp_app.installation import Installation
    from idp_app.settings import IdPSettings

_TRUST: Final = {"signature": Trust.SIGNED, "confirmed keys": Trust.CONFIRMED}
GROUNDS: Final = {Trust.SIGNED: "signature", Trust.CONFIRMED: "confirmed keys"}
SINCE: Final = timedelta(days=30)
"""How far back "lately" goes, where a review says how many people signed in."""
WATCHED: Final = 1000
"""How many entities without a connection are watched for keys that expire, at most."""


class IdPHost:
    """The identity provider: its partners are service providers."""

    tables: Tables = TABLES
    role: str = "sp"

    def holder(self, session: Session, entity_id: str) -> Connection | None:
        """The connection to an entity, unless it was ended."""
        return session.scalars(
            select(Connection).where(
                Connection.entity_id == entity_id, Connection.state != ConnectionState.DISCONNECTED
            )
        ).one_or_none()

    def followers(self, session: Session, source_id: str) -> Sequence[Connection]:
        """The connections whose live metadata came from a source, unless they were ended."""
        return session.scalars(
            select(Connection).where(
                Connection.source_id == source_id, Connection.state != ConnectionState.DISCONNECTED
            )
        ).all()

    def changed(self, session: Session, holder: HolderColumns, live: VersionColumns, occasion: Occasion) -> None:
        """Web workers parse the connection again, and provisioning plans it again."""
        assert isinstance(holder, Connection)
        holder.version += 1
        holder.modified = occasion.now
        if live.live_since == occasion.now:
            holder.trust = _TRUST.get(live.trust, Trust.HTTPS)
            holder.trust_fingerprints = live.fingerprints
            holder.trusted_at, holder.trusted_by = occasion.now, occasion.actor
            holder.misses = live.misses
        outbox.record(session, cause="connection.metadata", now=occasion.now, connection_id=holder.id)

    def record(self, session: Session, kind: str, occasion: Occasion, /, **detail: Any) -> None:
        """An audit entry."""
        entity_id, checks = detail.pop("entity_id", None), detail.pop("checks", ())
        act = Act(occasion.now, occasion.actor, occasion.reference)
        audit.record(session, kind, act, entity_id=entity_id, checks=checks, detail=detail)

    def check_defaults(self, session: Session, source: SourceColumns) -> None:
        """A federation's service providers are told something, and serve somebody. Raises `ConfigurationError`."""
        if source.entity_id is not None:
            return
        ReleasePolicy.from_json(source.defaults.get("release", {}))
        Options.from_json(source.defaults.get("options", {}))
        wanted = source.defaults.get("audiences", [])
        if len(session.scalars(select(Audience.id).where(Audience.id.in_(wanted))).all()) != len(set(wanted)):
            raise ConfigurationError("an audience of the source is not there")


HOST: Final = IdPHost()
HOST_NAME: Final = "idp_app.services.metadata:HOST"


def limits_of(settings: IdPSettings) -> Limits:
    """What our settings say about partners' metadata."""
    return Limits(
        own_entity_id=settings.own_entity_id,
        skew=settings.clock_skew,
        max_validity=settings.partner_metadata_validity,
        allow_http_loopback=settings.allow_http_loopback,
        networks=tuple(map(str, settings.private_networks)),
        banned=tuple(settings.banned_algorithms),
    )


def desk(installation: Installation, actor: str) -> Desk:
    """The registry of this site, for somebody outside a request."""
    limits = limits_of(installation.settings)
    return Desk(HOST, installation.sessions, limits, installation.clock, actor, new_reference())


def defaults(audiences: Sequence[Audience], policy: ReleasePolicy, options: Options = NO_OPTIONS) -> Mapping[str, Any]:
    """What holds for every service provider of a federation's source."""
    return {
        "audiences": [audience.id for audience in audiences],
        "release": policy.to_json(),
        "options": options.to_json(),
    }


def name_of(partner_id: ColumnElement[str]) -> ColumnElement[str]:
    """In a statement: the name of a partner by its id, whether it has a connection or is an entity of a source."""
    connection = select(Connection.name).where(Connection.id == partner_id).scalar_subquery()
    entity = select(func.min(MetadataEntity.name)).where(MetadataEntity.key == partner_id).scalar_subquery()
    return func.coalesce(connection, entity, partner_id)


def signed_in_lately(session: Session, entity_ids: Sequence[str], now: datetime) -> Mapping[str, int]:
    """How many people signed in to each of these lately."""
    counted = (
        select(AuditEntry.entity_id, func.count(AuditEntry.person_id.distinct()))
        .where(AuditEntry.kind == "sso.issued", AuditEntry.entity_id.in_(entity_ids), AuditEntry.at > now - SINCE)
        .group_by(AuditEntry.entity_id)
    )
    return {entity_id: count for entity_id, count in session.execute(counted) if entity_id is not None}


def used_lately(session: Session, now: datetime, *, but: Sequence[str]) -> Sequence[str]:
    """Whom people came to lately, besides these: entities of federations, by their entityIDs."""
    found = (
        select(AuditEntry.entity_id)
        .where(AuditEntry.kind == "sso.issued", AuditEntry.entity_id.not_in(but), AuditEntry.at > now - SINCE)
        .distinct()
        .order_by(AuditEntry.entity_id)
        .limit(WATCHED)
    )
    return [entity_id for entity_id in session.scalars(found) if entity_id is not None]
