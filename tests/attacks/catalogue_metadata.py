"""Metadata documents, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from federation.saml.metadata import aggregate, origin, rules, trust
from federation.saml.metadata.origin import Pins
from tests import metadata_factories as documents
from tests.attacks.catalogue import Attack

OURS = "https://ours.example.org/saml"
UNTIL = 'validUntil="2026-03-20T00:00:00Z"'


def about(roles: str | None = None, *, attributes: str = UNTIL, signer: str | None = "signer", **more: Any) -> bytes:
    """A document about one entity, an SP unless `roles` says otherwise, signed."""
    document = documents.entity_xml(roles or documents.sp_role_xml(), attributes=attributes, **more)
    return document.encode() if signer is None else documents.signed(document, signer)


def as_idp() -> Mapping[str, Any]:
    """Looked at for its IdP role."""
    return {"role": "idp"}


def unpinned() -> Mapping[str, Any]:
    """No signer is pinned: a person confirms."""
    return {"signer_fingerprints": ()}


def twice() -> bytes:
    """A signed group that describes one entity twice."""
    entities = [documents.entity_xml(documents.sp_role_xml()) for _ in range(2)]
    return documents.signed(documents.group_xml(*entities, attributes=UNTIL), "signer")


METADATA = (
    Attack(
        origin.signature_where_pinned,
        "the signature taken away",
        lambda: about(signer=None),
        behind="metadata.confirmed",
    ),
    Attack(
        origin.signer_is_pinned,
        "signed by somebody else",
        lambda: about(signer="attacker"),
        behind="signature.key",
    ),
    Attack(rules.entity_id_is_absolute, "a name that is no URI", lambda: about(entity_id="intranet")),
    Attack(rules.entity_is_somebody_else, "somebody describes us", lambda: about(entity_id=OURS)),
    Attack(
        rules.role_is_present,
        "an IdP where an SP is wanted",
        lambda: about(documents.idp_role_xml()),
        behind="metadata.endpoint.usable",
    ),
    Attack(rules.valid_until_is_present, "valid for ever", lambda: about(attributes="")),
    Attack(
        rules.valid_until_is_in_the_future,
        "expired",
        lambda: about(attributes='validUntil="2026-02-20T00:00:00Z"'),
    ),
    Attack(
        rules.valid_until_is_not_too_far,
        "valid for a century",
        lambda: about(attributes='validUntil="2126-03-20T00:00:00Z"'),
    ),
    Attack(
        rules.endpoints_are_secure,
        "an endpoint without TLS",
        lambda: about(documents.sp_role_xml(documents.key_xml("sp", None) + documents.acs_xml("http://evil.example/"))),
    ),
    Attack(
        rules.signing_key_is_present,
        "an IdP without a key",
        lambda: about(documents.idp_role_xml(documents.sso_xml())),
        as_idp,
    ),
    Attack(
        rules.endpoint_is_usable,
        "an SP that takes answers by no binding of ours",
        lambda: about(
            documents.sp_role_xml(documents.key_xml("sp", None) + documents.acs_xml(binding="urn:x:binding"))
        ),
    ),
    Attack(
        trust.there_is_one_entity,
        "another entity than the one that was asked for, beside it a second of its name",
        twice,
    ),
    Attack(trust.keys_are_confirmed, "a key that nobody confirmed", lambda: about(signer=None), unpinned),
)
"""Documents about one partner."""

AGGREGATES = (Attack(aggregate.entity_is_described_once, "an entity that is described twice", twice),)
"""Documents about many."""


def judge(attack: Attack) -> object:
    """Decide whether the document may be used."""
    document, expected = attack.message(), attack.expected()
    if attack in AGGREGATES:
        pins = Pins.of(fingerprints=(documents.fingerprint_of("signer"),))
        verified = aggregate.verify(document, now=documents.NOW, pins=pins)
        return list(aggregate.members(verified.octets, own_entity_id=OURS))
    usual: dict[str, Any] = {
        "now": documents.NOW,
        "own_entity_id": OURS,
        "role": "sp",
        "signer_fingerprints": (documents.fingerprint_of("signer"),),
    }
    return trust.verify(document, **(usual | dict(expected)))


ATTACKS = (*METADATA, *AGGREGATES)
