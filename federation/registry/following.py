"""Connections that follow a federation's source: made from what it offers, and kept up to date by its refreshes.

A connection goes before every source, so without this it would stand still on the day on which it was made. What the
source says becomes a version like any other; how long the source vouches for it is written into the document.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from federation.registry import versions
from federation.registry.columns import EntityColumns, HolderColumns, SourceColumns
from federation.registry.fetching import certificates_of
from federation.registry.host import Host, Limits, Occasion
from federation.registry.widening import Rule
from federation.saml import certificates, xml
from federation.saml.metadata.aggregate import MAX_AGGREGATE, members
from federation.saml.metadata.trust import TrustedMetadata
from federation.saml.times import format_instant

GROUND = "signature"


def offered(entity: EntityColumns, source: SourceColumns, limits: Limits, now: datetime) -> TrustedMetadata:
    """An entity of a federation's source as the metadata of a connection. The source has verified it."""
    until = [limit for limit in (entity.valid_until, source.valid_until) if limit is not None]
    root = xml.parse(entity.document, max_bytes=MAX_AGGREGATE)
    if until:
        root.set("validUntil", format_instant(min(until)))
    document = xml.canonical(root)
    (member,) = members(
        document, own_entity_id=limits.own_entity_id, allow_http_loopback=limits.allow_http_loopback, now=now
    )
    return TrustedMetadata(member.entity, document, True, (), member.findings)


def signers_of(source: SourceColumns) -> list[str]:
    """The fingerprints that a federation's source is believed for."""
    pinned = [certificates.fingerprint(each) for each in certificates_of(source)]
    return [*source.signer_fingerprints, *pinned]


def bring_up_to_date(
    session: Session,
    host: Host,
    source: SourceColumns,
    limits: Limits,
    occasion: Occasion,
    entity_id: str | None = None,
) -> None:
    """Offer what a source says now to every connection that follows it, or to the one to an entity.

    What the source does not list any more is over at once: its connection stays, and nothing is sent to it.
    """
    for holder in host.followers(session, source.id):
        if entity_id not in (None, holder.entity_id):
            continue
        found = session.get(host.tables.entity, {"source_id": source.id, "entity_id": holder.entity_id})
        if found is None:
            _lose(session, host, holder, source, occasion)
            continue
        session.refresh(found)  # rows are written without objects
        versions.offer(
            session,
            host,
            holder,
            offered(found, source, limits, occasion.now),
            rule=Rule(source.widening),
            ground=GROUND,
            fingerprints=signers_of(source),
            origin=f"source {source.name}",
            source_id=source.id,
            occasion=occasion,
        )


def release(session: Session, host: Host, source: SourceColumns) -> None:
    """A source goes: what followed it keeps what is live, for as long as the source has vouched for it."""
    for holder in host.followers(session, source.id):
        holder.source_id = None


def _lose(session: Session, host: Host, holder: HolderColumns, source: SourceColumns, occasion: Occasion) -> None:
    if holder.valid_until is not None and holder.valid_until <= occasion.now:
        return
    live = versions.numbered(session, host, holder.entity_id, holder.metadata_version)
    live.valid_until = holder.valid_until = occasion.now
    host.changed(session, holder, live, occasion)
    host.record(session, "metadata.gone", occasion, entity_id=holder.entity_id, source=source.name)
