"""Our own keys: the desk of the ring, with the service providers as its partners."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from federation.keys.desk import Desk
from federation.keys.expiry import Partner
from idp_app.keys import ROOT_KEY
from idp_app.services import audit, connections, fetches, metadata
from idp_app.services.act import Act

if TYPE_CHECKING:
    from idp_app.installation import Installation


def desk(installation: Installation, session: Session, act: Act) -> Desk:
    """The ring for an administrator or the worker; what is done is in the audit trail."""
    settings = installation.settings
    found = [(each, installation.partners.by_id(session, each.id)) for each in connections.every(session)]

    def record(kind: str, detail: dict[str, Any]) -> None:
        audit.record(session, kind, act, entity_id=detail.pop("entity_id", None), detail=detail)

    used = metadata.used_lately(session, act.now, but=[row.entity_id for row, _ in found])
    others = [installation.partners.by_entity_id(session, entity_id) for entity_id in used]
    keys = installation.keys
    return Desk(
        ring=installation.key_store.ring,
        partners=[
            Partner.of(
                live.entity,
                row.name,
                fetches.address(settings, keys, row),
                fetches.query_base(settings, keys, row) if settings.publish_connections else None,
            )
            for row, live in found
        ],
        others=[Partner.of(each.entity, each.name) for each in others if each is not None],
        now=act.now,
        validity=settings.metadata_validity,
        common_name=settings.host,
        metadata_url=settings.metadata_url,
        record=record,
        secrets=(ROOT_KEY,),
    )
