"""Documents that a person brings for a connection: judged, shown in words, and live only when somebody accepts them.

Whatever nothing vouches for waits for a person who compares its fingerprints with the partner, over another channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime

from sqlalchemy.orm import Session

from federation.errors import Malformed, PolicyRefusal, Refused
from federation.registry import versions
from federation.registry.columns import WAITING, HolderColumns, VersionColumns
from federation.registry.host import Host, Limits, Occasion
from federation.saml.metadata import trust
from federation.saml.metadata.fingerprints import Fingerprint
from federation.saml.metadata.trust import TrustedMetadata, Unconfirmed


def propose(
    session: Session,
    host: Host,
    holder: HolderColumns,
    document: bytes,
    limits: Limits,
    occasion: Occasion,
    *,
    signers: Sequence[str] = (),
) -> VersionColumns:
    """Put a document that somebody brought before whoever reviews; nothing live changes.

    It is signed by one of `signers`; without any, by whoever has signed the partner's own document that is live. What
    nothing vouches for waits as `versions.UNCONFIRMED`. It takes the place of what was brought before. Raises
    `Malformed`, and `Refused` with every check.
    """
    live = versions.live_version(session, host, holder)
    if not signers and live.trust == "signature" and not _is_federation(session, host, live.source_id):
        signers = live.fingerprints
    try:
        trusted = _judge(host, document, holder.entity_id, limits, occasion.now, signers=signers)
        ground, vouched = "signature", signers
    except Unconfirmed as found:
        trusted = TrustedMetadata(found.entity, document, False, found.checks, found.misses)
        ground, vouched = versions.UNCONFIRMED, [each.value for each in found.fingerprints]
    version = versions.enter(session, host, holder, trusted, ground, vouched, "an upload", None, occasion)
    version.why = f"brought by {occasion.actor}"
    versions.supersede(session, host, holder.entity_id, (WAITING,), but=version.id, source_id=None)
    host.record(
        session, "metadata.brought", occasion, entity_id=holder.entity_id, version=version.number, trust=ground
    )  # fmt: skip
    return version


def to_confirm(host: Host, version: VersionColumns, limits: Limits, now: datetime) -> tuple[Fingerprint, ...]:
    """What a person compares before an unconfirmed version may be used: the first is enough, or every key's."""
    if version.trust != versions.UNCONFIRMED:
        return ()
    try:
        _judge(host, version.document, version.entity_id, limits, now)
    except Unconfirmed as found:
        return found.fingerprints
    except (Malformed, Refused):  # it has expired meanwhile, for instance: there is nothing to confirm any more
        return ()
    return ()


def confirm(
    session: Session,
    host: Host,
    version: VersionColumns,
    fingerprints: Sequence[str],
    limits: Limits,
    occasion: Occasion,
) -> None:
    """Note the fingerprints that a person has compared. Raises `PolicyRefusal` unless they are enough."""
    if version.trust != versions.UNCONFIRMED or version.state != WAITING:
        raise PolicyRefusal("metadata.version.state", f"version {version.number} needs nobody to confirm it")
    try:
        trusted = _judge(host, version.document, version.entity_id, limits, occasion.now, confirmed=fingerprints)
    except (Malformed, Refused) as refused:
        reason = (
            "that is not what stands in the document: compare again, and give the first fingerprint or every key's"
            if isinstance(refused, (Unconfirmed, Malformed))
            else refused.message
        )
        raise PolicyRefusal("metadata.confirmed", reason) from None
    version.trust = "signature" if trusted.signed else "confirmed keys"
    version.fingerprints = list(fingerprints)
    version.misses = [{**asdict(miss), "level": miss.level.value} for miss in trusted.misses]
    host.record(
        session, "metadata.confirmed", occasion, entity_id=version.entity_id, version=version.number,
        fingerprints=list(fingerprints),
    )  # fmt: skip


def _judge(
    host: Host,
    document: bytes,
    entity_id: str,
    limits: Limits,
    now: datetime,
    *,
    signers: Sequence[str] = (),
    confirmed: Sequence[str] = (),
) -> TrustedMetadata:
    return trust.verify(
        document,
        now=now,
        own_entity_id=limits.own_entity_id,
        role=host.role,
        signer_fingerprints=signers,
        confirmed_key_fingerprints=confirmed,
        entity_id=entity_id,
        max_validity=limits.max_validity,
        skew=limits.skew,
        allow_http_loopback=limits.allow_http_loopback,
        algorithms=limits.algorithms,
    )


def _is_federation(session: Session, host: Host, source_id: str | None) -> bool:
    """Whether a version came from a federation's source: its signer is nobody who signs the partner's own document."""
    source = None if source_id is None else session.get(host.tables.source, source_id)
    return source is not None and source.entity_id is None
