"""What the registry of metadata needs to know of the service provider, and what that asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.errors import ConfigurationError
from federation.registry.columns import HolderColumns, SourceColumns, Tables, VersionColumns
from federation.registry.host import Limits, Occasion
from sp_app.models import AuditEntry, IdPConnection
from sp_app.models.metadata import TABLES
from sp_app.services import audit

if TYPE_CHECKING:
    from sp_app.settings import SPSettings

SINCE: Final = timedelta(days=30)
"""How far back "lately" goes, where a review says how many people signed in."""
WATCHED: Final = 1000
"""How many entities without a connection are watched for keys that expire, at most."""


class SPHost:
    """The service provider: its partners are identity providers."""

    tables: Tables = TABLES
    role: str = "idp"

    def holder(self, session: Session, entity_id: str) -> IdPConnection | None:
        """The connection to an entity, unless it was ended."""
        return session.scalars(
            select(IdPConnection).where(IdPConnection.entity_id == entity_id, IdPConnection.state != "disconnected")
        ).one_or_none()

    def followers(self, session: Session, source_id: str) -> Sequence[IdPConnection]:
        """The connections whose live metadata came from a source, unless they were ended."""
        return session.scalars(
            select(IdPConnection).where(IdPConnection.source_id == source_id, IdPConnection.state != "disconnected")
        ).all()

    def changed(self, session: Session, holder: HolderColumns, live: VersionColumns, occasion: Occasion) -> None:
        """Every process parses the connection's metadata again."""
        assert isinstance(holder, IdPConnection)
        holder.revision += 1
        holder.modified_at = occasion.now

    def record(self, session: Session, kind: str, occasion: Occasion, /, **detail: Any) -> None:
        """An audit entry."""
        entity_id, checks = detail.pop("entity_id", None), detail.pop("checks", ())
        told = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in detail.items())
        audit.record(
            session,
            kind=audit.ADMINISTERED,
            reference=occasion.reference,
            at=occasion.now,
            rule=kind,
            detail=f"{occasion.actor}: {told}",
            idp_entity_id=entity_id,
            checks=checks,
        )

    def check_defaults(self, session: Session, source: SourceColumns) -> None:
        """There is nothing to say of all identity providers of a source."""
        if source.defaults:
            raise ConfigurationError("a source of identity providers has no audiences and no release policy")


HOST: Final = SPHost()
HOST_NAME: Final = "sp_app.services.metadata:HOST"


def limits_of(settings: SPSettings, own_entity_id: str) -> Limits:
    """What our settings say about partners' metadata."""
    return Limits(
        own_entity_id=own_entity_id,
        skew=settings.clock_skew,
        max_validity=settings.partner_metadata_validity,
        allow_http_loopback=settings.allow_http_loopback,
        networks=tuple(map(str, settings.private_networks)),
        banned=tuple(settings.banned_algorithms),
    )


def signed_in_lately(session: Session, entity_ids: Sequence[str], now: datetime) -> Mapping[str, int]:
    """How many people signed in through each of these lately."""
    counted = (
        select(AuditEntry.idp_entity_id, func.count(AuditEntry.account_id.distinct()))
        .where(
            AuditEntry.kind == audit.SIGNED_IN, AuditEntry.idp_entity_id.in_(entity_ids), AuditEntry.at > now - SINCE
        )
        .group_by(AuditEntry.idp_entity_id)
    )
    return {entity_id: count for entity_id, count in session.execute(counted) if entity_id is not None}


def used_lately(session: Session, now: datetime, *, but: Sequence[str]) -> Sequence[str]:
    """Whom people came from lately, besides these: entities of federations, by their entityIDs."""
    found = (
        select(AuditEntry.idp_entity_id)
        .where(AuditEntry.kind == audit.SIGNED_IN, AuditEntry.idp_entity_id.not_in(but), AuditEntry.at > now - SINCE)
        .distinct()
        .order_by(AuditEntry.idp_entity_id)
        .limit(WATCHED)
    )
    return [entity_id for entity_id in session.scalars(found) if entity_id is not None]
