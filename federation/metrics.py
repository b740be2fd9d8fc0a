"""Numbers about a site for whatever watches it, in the text format of Prometheus: `federation idp|sp metrics`.

    federation_key_expires_in_seconds{key,use,state}                              negative once it has expired
    federation_partner_key_expires_in_seconds{entity_id,partner,use,certificate}  certificate: its SHA-256 fingerprint
    federation_key_warnings{level}                                                what `keys status` says
    federation_source_healthy{source}                                             0 when it is late or has expired
    federation_source_failures{source}                                            in a row
    federation_source_seconds_since_success{source}
    federation_source_valid_for_seconds{source}                                   negative once it has expired
    federation_source_entities{source}
    federation_reviews_waiting

An app adds its own (`more`). The names and labels are stable across releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from federation.keys import expiry
from federation.keys.index import RETIRED
from federation.registry import sources, versions
from federation.saml import certificates

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from federation.keys.desk import Desk
    from federation.registry.columns import SourceColumns
    from federation.registry.host import Host


def text(desk: Desk, session: Session, host: Host, more: Mapping[str, tuple[str, float]]) -> bytes:
    """Everything, as one document. `more` are further gauges: by name, what they count, and the number."""
    found = [*_keys(desk), *_sources(sources.every(session, host), desk.now)]
    found.append(
        _gauge("federation_reviews_waiting", "Versions that wait for a person", len(versions.waiting(session, host)))
    )
    found += [_gauge(name, what, number) for name, (what, number) in more.items()]
    registry = CollectorRegistry()
    registry.register(_Fixed(found))
    return generate_latest(registry)


def _keys(desk: Desk) -> Iterator[GaugeMetricFamily]:
    status = desk.status()
    ours = GaugeMetricFamily(
        "federation_key_expires_in_seconds", "Until the certificate of a key of ours expires",
        labels=["key", "use", "state"],
    )  # fmt: skip
    for row in status.rows:
        if row.state != RETIRED and row.until is not None:
            ours.add_metric([row.record.name, row.record.use, row.state], (row.until - desk.now).total_seconds())
    yield ours
    theirs = GaugeMetricFamily(
        "federation_partner_key_expires_in_seconds", "Until the certificate of a partner's key expires",
        labels=["entity_id", "partner", "use", "certificate"],
    )  # fmt: skip
    for partner in (*desk.partners, *desk.others):
        for certificate, use in expiry.certificates_of(partner):
            until = expiry.expiry_of(certificate)
            if until is not None:
                labels = [partner.entity_id, partner.name, use, certificates.fingerprint(certificate)]
                theirs.add_metric(labels, (until - desk.now).total_seconds())
    yield theirs
    levels = GaugeMetricFamily("federation_key_warnings", "What there is to look after about keys", labels=["level"])
    for level in (expiry.Level.WARNING, expiry.Level.CRITICAL):
        levels.add_metric([level.name.lower()], sum(1 for each in status.findings if each.level is level))
    yield levels


def _sources(found: Sequence[SourceColumns], now: datetime) -> Iterator[GaugeMetricFamily]:
    used = [each for each in found if each.enabled]
    for name, what, number in (
        (
            "healthy",
            "1, or 0 when it is late or has expired",
            lambda each: sources.health(each, now) in ("good", "new"),
        ),
        ("failures", "Refreshes that failed in a row", lambda each: each.failures),
        (
            "seconds_since_success",
            "Since the last refresh that went well",
            lambda each: _between(each.last_success, now),
        ),
        ("valid_for_seconds", "Until what came from it expires", lambda each: _between(now, each.valid_until)),
        ("entities", "Entities that came from it", lambda each: each.entities),
    ):
        family = GaugeMetricFamily(f"federation_source_{name}", what, labels=["source"])
        for each in used:
            value = number(each)
            if value is not None:
                family.add_metric([each.name], float(value))
        yield family


def _between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else (end - start).total_seconds()


def _gauge(name: str, what: str, number: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=number)


class _Fixed:
    """A collector of what was found already."""

    def __init__(self, found: Iterable[GaugeMetricFamily]) -> None:
        self._found = list(found)

    def collect(self) -> Iterable[GaugeMetricFamily]:
        return self._found
