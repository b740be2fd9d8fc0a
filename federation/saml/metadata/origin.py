"""Where a metadata document comes from: the signature over the whole of it, and who made that (IIP-MD03, SDP-MD02).

Trust is never in the document: a pin, given beforehand, names the key. KeyInfo only helps to find the key that the
fingerprint of a certificate names. A signature that is there must be good, pinned or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lxml.etree import _Element

from federation.saml import certificates, signature
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata import fingerprints
from federation.saml.metadata.entity import KeyDescriptor
from federation.saml.metadata.keys import keys_in
from federation.saml.metadata.reading import ENTITY, read_entities
from federation.saml.names import DS

NOT_BY_THE_PINNED_KEY: Final = frozenset(
    ("metadata.signature.present", "metadata.signature.signer", "signature.key", "signature.value")
)
"""The rules that fail where somebody else signed, or nobody; any other means that the signer's document is at fault."""


@dataclass(frozen=True, slots=True)
class Pins:
    """Which keys may sign: as DER SubjectPublicKeyInfo, or by the fingerprint of their certificate or of the key."""

    keys: frozenset[bytes] = field(default=frozenset(), repr=False)
    fingerprints: frozenset[str] = frozenset()

    @classmethod
    def of(cls, *, fingerprints: Sequence[str] = (), certificates_der: Sequence[bytes] = ()) -> Pins:
        """Pins from fingerprints as people write them, and from certificates (DER). Raises `Malformed`."""
        return cls(
            keys=frozenset(map(certificates.public_key_of, certificates_der)),
            fingerprints=frozenset(map(certificates.normalise_fingerprint, fingerprints)),
        )

    def __bool__(self) -> bool:
        """Whether anything is pinned."""
        return bool(self.keys or self.fingerprints)

    def name(self, key: KeyDescriptor) -> bool:
        """Whether a pin names this key."""
        return key.public_key in self.keys or fingerprints.is_named(key, self.fingerprints)


@dataclass(frozen=True, slots=True)
class Origin:
    """What the signature told us. `octets` are what it covers, None where there is none; `signer` made it.

    `trusted` says that a pin names the signer: then, and only then, the signature says anything about the contents.
    """

    octets: bytes | None = field(repr=False)
    trusted: bool
    checks: tuple[Check, ...]
    signer: KeyDescriptor | None = None


def examine(
    root: _Element,
    pins: Pins,
    *,
    confirmed: frozenset[str] = frozenset(),
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> Origin:
    """Verify the signature of the root, if it has one or must have one.

    `confirmed` are fingerprints that a person compared: where nothing is pinned they make a signer trusted, but demand
    no signature. `algorithms` are those that the site has not banned.

    Raises `Refused` (rules `metadata.signature.*`, `signature.*`) and `Malformed` (rule `xml.ids`).
    """
    signed = signature.is_signed(root)
    checks = run((signature_where_pinned,), (), signed, bool(pins))
    if not signed:
        return Origin(None, False, checks)
    offered = _possible_signers(root, pins)
    candidates = [key for key in offered if pins.name(key)] if pins else offered
    checks = run((signer_is_pinned,), checks, len(candidates), bool(pins))
    verified = signature.examine_octets(root, keys=candidates, algorithms=algorithms, before=checks)
    signers = [key for key in candidates if key.public_key == verified.public_key]
    trusted = bool(pins) or any(fingerprints.is_named(key, confirmed) for key in signers)
    return Origin(verified.octets, trusted, verified.checks, signers[0])


def _possible_signers(root: _Element, pins: Pins) -> list[KeyDescriptor]:
    """Keys that may have signed: those pinned as keys, those beside the signature, those of the entity itself.

    A group's members are not asked: thousands of strangers' keys have no business with the publisher's signature.
    """
    beside = keys_in(root.find(f"{{{DS}}}Signature/{{{DS}}}KeyInfo"))
    inside = (
        key
        for reading in (read_entities(root) if root.tag == ENTITY else ())
        for role in (reading.entity.idp, reading.entity.sp)
        if role is not None
        for key in role.signing_keys
    )
    pinned = (KeyDescriptor(None, key) for key in sorted(pins.keys))
    unique = {(key.certificate, key.public_key): key for key in (*inside, *beside, *pinned)}
    return sorted(unique.values(), key=lambda key: key not in beside)


@rule("metadata.signature.present", "IIP-MD03; SDP-MD02")
def signature_where_pinned(signed: bool, pinned: bool) -> Seen:
    """Where a signer is pinned, removing the signature must not help."""
    expected = "a signature by the pinned key" if pinned else "a signature, or fingerprints confirmed by a person"
    return signed or not pinned, expected, "a signature" if signed else "no signature"


@rule("metadata.signature.signer", "IIP-MD03; SDP-MD02")
def signer_is_pinned(matching: int, pinned: bool) -> Seen:
    """A pin must name a certificate whose key made the signature; which one that is, only the pin decides."""
    expected = "the pinned certificate" if pinned else "any certificate, if a person confirms the keys"
    received = "the pinned certificate" if matching else "another one, or none"
    return bool(matching) or not pinned, expected, received
