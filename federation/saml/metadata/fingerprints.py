"""Fingerprints: what a person compares, over another channel, before trusting metadata that nobody signed."""

from __future__ import annotations

from dataclasses import dataclass

from federation.saml import certificates
from federation.saml.metadata.entity import Entity, KeyDescriptor

DOCUMENT = "whole document"
METADATA_SIGNATURE = "metadata signature"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The SHA-256 of something in metadata, as 32 upper-case pairs with colons, and what that something is for."""

    use: str
    value: str


def of_key(key: KeyDescriptor) -> str:
    """The fingerprint of a key: of its certificate, which is what other software shows, else of the bare key (DER)."""
    return certificates.fingerprint(key.certificate if key.certificate is not None else key.public_key)


def of_entity(entity: Entity) -> tuple[Fingerprint, ...]:
    """The fingerprints of every key of every role, each once, with what it is used for."""
    uses: dict[str, dict[str, None]] = {}
    for role in (entity.idp, entity.sp):
        for key in role.keys if role is not None else ():
            uses.setdefault(of_key(key), {})[key.use or "signing and encryption"] = None
    return tuple(Fingerprint(" and ".join(names), value) for value, names in uses.items())


def of_document(document: bytes) -> Fingerprint:
    """The fingerprint of the document's octets: what `sha256sum` says of the partner's own file."""
    return Fingerprint(DOCUMENT, certificates.fingerprint(document))


def is_named(key: KeyDescriptor, named: frozenset[str]) -> bool:
    """Whether a pin names this key, by the fingerprint of its certificate or by that of the key inside."""
    return of_key(key) in named or certificates.fingerprint(key.public_key) in named
