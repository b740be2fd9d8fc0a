"""Whether a partner's metadata may be used (SDP-MD02, IIP-MD03, IIP-MD04).

Trust comes from one of two things, never from the document itself: a signature over the whole document by a key that
was pinned beforehand, or a person who compared every key fingerprint over another channel. KeyInfo only helps to find
the certificate that a pin names. What is read afterwards is exactly what was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml.etree import _Element

from federation.errors import ConfigurationError, Refused
from federation.saml import certificates, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata import fingerprints
from federation.saml.metadata.age import Age
from federation.saml.metadata.elements import published, valid_until
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.findings import Finding, Level
from federation.saml.metadata.fingerprints import Fingerprint
from federation.saml.metadata.lint import lint, lint_schema
from federation.saml.metadata.origin import Origin, Pins, examine
from federation.saml.metadata.reading import MAX_DOCUMENT, EntityReading, expect_metadata, read_entities
from federation.saml.metadata.rules import (
    EXCEPTIONS,
    IDENTITY_RULES,
    USE_RULES,
    VALIDITY_RULES,
    Candidate,
    Validity,
    earliest_validity,
    endpoints_are_secure,
    role_is_present,
)

MAX_VALIDITY: Final = timedelta(days=366)
"""The furthest that validUntil may be ahead unless the caller says less: a year, for partners one knows by name."""
SKEW: Final = timedelta(minutes=3)


@dataclass(frozen=True, slots=True)
class TrustedMetadata:
    """One partner's metadata that may be used.

    `document` is what arrived, to be kept. `signed` says that the trust rests on a pinned signature, otherwise it rests
    on the person who confirmed the fingerprints. `misses` is what it lacks, for the connection's page.
    """

    entity: Entity
    document: bytes
    signed: bool
    checks: tuple[Check, ...]
    misses: tuple[Finding, ...]
    published: datetime | None = None

    @property
    def age(self) -> Age:
        """How old the document says it is."""
        return Age(self.published, self.entity.valid_until)


class Unconfirmed(Refused):
    """Everything is in order, but nothing vouches for the document: a person must compare the fingerprints first.

    Carries the `entity`, the `misses`, and the `fingerprints` to show. The first one is enough: it is the signer's, or
    the whole document's, which also covers the endpoints. Instead of it every key may be confirmed, one by one.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        entity: Entity,
        offered: tuple[Fingerprint, ...],
        misses: tuple[Finding, ...],
    ) -> None:
        super().__init__(checks)
        self.entity = entity
        self.fingerprints = offered
        self.misses = misses


def verify(
    document: bytes,
    *,
    now: datetime,
    own_entity_id: str,
    role: str,
    signer_fingerprints: Sequence[str] = (),
    signer_certificates: Sequence[bytes] = (),
    confirmed_key_fingerprints: Sequence[str] = (),
    entity_id: str | None = None,
    max_validity: timedelta = MAX_VALIDITY,
    skew: timedelta = SKEW,
    allow_http_loopback: bool = False,
    exceptions: Iterable[str] = (),
    max_bytes: int = MAX_DOCUMENT,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> TrustedMetadata:
    """Decide whether one partner's metadata may be used, for the role (`idp` or `sp`) that we need it for.

    `signer_fingerprints` pin the certificates (or keys) that may sign, `signer_certificates` (DER) as much: with any
    given, an unsigned document is refused.
    `confirmed_key_fingerprints` were compared by a person: one that names the certificate whose key made the signature
    counts as its pin; otherwise every key of the entity must be among them, or the document itself. `entity_id` is the
    one that was asked for, if any. `exceptions` are names from `rules.EXCEPTIONS`. `algorithms` are those that the site
    has not banned.

    Raises `Malformed`, `Refused` with every check, `Unconfirmed` if only the confirmation is missing, and
    `ConfigurationError` for an exception that does not exist.
    """
    chosen = frozenset(exceptions)
    if role not in ("idp", "sp") or chosen - EXCEPTIONS:
        raise ConfigurationError(f"metadata trust: no role {role!r}, or no exception among {sorted(chosen)}")
    root = xml.parse(document, max_bytes=max_bytes)
    expect_metadata(root)
    pins = Pins.of(fingerprints=signer_fingerprints, certificates_der=signer_certificates)
    confirmed = frozenset(map(certificates.normalise_fingerprint, confirmed_key_fingerprints))
    origin = examine(root, pins, confirmed=confirmed, algorithms=algorithms)
    element = root if origin.octets is None else xml.reparse(origin.octets)
    reading, checks = _one_entity(element, origin.checks, entity_id)
    entity = reading.entity
    candidate = Candidate(entity, reading.findings, role, own_entity_id, allow_http_loopback)
    validity = Validity(
        root=valid_until(element),
        earliest=earliest_validity(entity, role),
        now=now,
        skew=skew,
        max_validity=max_validity,
        demanded=origin.trusted,
        exceptions=chosen,
    )
    checks = run((*IDENTITY_RULES, role_is_present), checks, candidate)
    checks = run(VALIDITY_RULES, checks, validity)
    checks = run((endpoints_are_secure, *USE_RULES), checks, candidate)
    misses = (*_unsigned(origin), *reading.findings, *lint(entity, now=now), *lint_schema(element, entity.entity_id))
    if not origin.trusted:
        checks = _confirm(document, entity, origin, confirmed, checks, misses)
    return TrustedMetadata(entity, document, origin.trusted, checks, misses, published(element))


@rule("metadata.entity", "IIP-MD02; SAML Metadata 2.3")
def there_is_one_entity(entity_ids: Sequence[str], wanted: str | None) -> Seen:
    """The document describes one partner, or the one that was asked for exactly once."""
    expected = "exactly one entity" if wanted is None else f"the entity {wanted!r} exactly once"
    found = [entity_id for entity_id in entity_ids if wanted in (None, entity_id)]
    return len(found) == 1, expected, f"{len(found)} of {len(entity_ids)} entities"


def _one_entity(
    root: _Element, checks: tuple[Check, ...], wanted: str | None
) -> tuple[EntityReading, tuple[Check, ...]]:
    readings = list(read_entities(root))
    checks = run((there_is_one_entity,), checks, [reading.entity.entity_id for reading in readings], wanted)
    return next(reading for reading in readings if wanted in (None, reading.entity.entity_id)), checks


@rule("metadata.confirmed", "SDP-MD02")
def keys_are_confirmed(offered: Sequence[Fingerprint], confirmed: frozenset[str]) -> Seen:
    """A person has compared every key: one strange key among known ones would be enough to impersonate the partner."""
    known = [fingerprint for fingerprint in offered if fingerprint.value in confirmed]
    expected = "every key fingerprint confirmed by a person"
    return bool(offered) and len(known) == len(offered), expected, f"{len(known)} of {len(offered)} confirmed"


def _confirm(
    document: bytes,
    entity: Entity,
    origin: Origin,
    confirmed: frozenset[str],
    checks: tuple[Check, ...],
    misses: tuple[Finding, ...],
) -> tuple[Check, ...]:
    keys = fingerprints.of_entity(entity)
    whole = fingerprints.of_document(document)
    if whole.value in confirmed:
        return run((keys_are_confirmed,), checks, (whole,), confirmed)
    try:
        return run((keys_are_confirmed,), checks, keys, confirmed)
    except Refused as refused:
        offered = [whole, *keys]
        if origin.signer is not None:
            offered.insert(0, Fingerprint(fingerprints.METADATA_SIGNATURE, fingerprints.of_key(origin.signer)))
        raise Unconfirmed(refused.checks, entity=entity, offered=tuple(offered), misses=misses) from None


def _unsigned(origin: Origin) -> tuple[Finding, ...]:
    if origin.trusted:
        return ()
    message = (
        "the metadata is signed by a key that is not pinned: its fingerprints were confirmed by hand"
        if origin.signer is not None
        else "the metadata is not signed: its fingerprints were confirmed by hand, and it cannot be refreshed safely"
    )
    return (Finding("metadata.unsigned", Level.WARNING, message, "SDP-MD02; IIP-MD03"),)
