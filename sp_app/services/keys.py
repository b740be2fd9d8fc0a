"""Our own keys: the desk of the ring, with the identity providers as its partners."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from federation.keys.desk import Desk
from federation.keys.expiry import Partner
from sp_app.services import audit, connections, fetches, metadata

if TYPE_CHECKING:
    from sp_app.provider import Provider


def desk(provider: Provider, session: Session, now: datetime, reference: str, actor: str) -> Desk:
    """The ring for an administrator or the worker; what is done is in the audit trail."""
    found = [(each, provider.partners.known_by(session, each.entity_id)) for each in connections.every(session)]

    def record(kind: str, detail: dict[str, Any]) -> None:
        told = ", ".join(f"{key} {value}" for key, value in detail.items() if value not in (None, False))
        audit.record(
            session,
            kind=audit.ADMINISTERED,
            reference=reference,
            at=now,
            detail=f"{kind} by {actor}: {told}",
            idp_entity_id=detail.get("entity_id"),
        )

    used = metadata.used_lately(session, now, but=[row.entity_id for row, _ in found])
    others = [provider.partners.known_by(session, entity_id) for entity_id in used]
    return Desk(
        ring=provider.ring,
        others=[Partner.of(each.entity, each.name) for each in others if each is not None],
        partners=[
            Partner.of(known.entity, row.name, fetches.address(provider, row))
            for row, known in found
            if known is not None
        ],
        now=now,
        validity=provider.settings.metadata_validity,
        common_name=provider.settings.site_name,
        metadata_url=provider.metadata_url,
        record=record,
    )
