"""XML Signature as SAML profiles it (SAML Core 5): sign, and answer exactly what was signed.

Verifying has three steps, and each can only refuse. The signature has the shape that `signature_shape` allows: one
reference, to the element around it, two transforms, nothing else. That element without its signature, in canonical
form, has the digest that the signature states. SignedInfo, in canonical form, is signed by a key from the partner's
metadata. Then those first canonical octets are parsed afresh: what the caller reads is, octet for octet, what was
signed, and the document that arrived is not needed any more.

The shape leaves nothing of XML Signature to interpret: no identifier is resolved, no transform chosen, no key looked
for. What remains is canonicalisation (libxml2, through lxml) and a signature over octets, which xmlsec verifies and a
key object makes, wherever the key lives. What we write ourselves is canonical as it is.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol, cast

from lxml import etree

from federation.errors import ConfigurationError
from federation.saml import xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms, in_words, told
from federation.saml.checks import Check, Seen, attempt, rule, run
from federation.saml.names import DS, SAML, Algorithm
from federation.saml.signature_keys import (
    METHODS,
    PublicKey,
    SigningKey,
    load_public_key,
)
from federation.saml.signature_shape import (
    CANONICALIZATION_METHOD,
    DIGEST_METHOD,
    DIGEST_VALUE,
    KEY_INFO,
    REFERENCE,
    RULES,
    SIGNATURE,
    SIGNATURE_METHOD,
    SIGNATURE_VALUE,
    SIGNED_INFO,
    TRANSFORM,
    TRANSFORMS,
    Candidate,
    inclusive_prefixes,
)

__all__ = [
    "DEFAULT_ALGORITHMS",
    "Algorithms",
    "Signed",
    "SignedOctets",
    "SigningKey",
    "bare",
    "examine",
    "examine_octets",
    "is_signed",
    "over",
    "sign",
    "signed",
    "verify",
    "verify_octets",
]

MAX_KEYS: Final = 64
"""At most so many keys of a partner are tried on one signature: those that the algorithm can use."""

_ISSUER: Final = f"{{{SAML}}}Issuer"
_DIGESTS: Final = {
    Algorithm.SHA1: hashlib.sha1,
    Algorithm.SHA256: hashlib.sha256,
    Algorithm.SHA384: hashlib.sha384,
    Algorithm.SHA512: hashlib.sha512,
}
_DIGEST_OF_SIZE: Final = {20: Algorithm.SHA1, 32: Algorithm.SHA256, 48: Algorithm.SHA384, 64: Algorithm.SHA512}


class HasPublicKey(Protocol):
    """What carries a partner's key: metadata's KeyDescriptor, which lies above this module."""

    @property
    def public_key(self) -> bytes:
        """DER SubjectPublicKeyInfo."""


@dataclass(frozen=True, slots=True)
class SignedOctets:
    """What a verified signature covers, as the octets that were digested: for documents too large to hold twice."""

    octets: bytes
    checks: tuple[Check, ...]
    public_key: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """What a verified signature covers. `element` is a new document, parsed from the octets that were digested."""

    element: etree._Element
    checks: tuple[Check, ...]
    public_key: bytes


def is_signed(element: etree._Element) -> bool:
    """Has the element a signature of its own, good or bad?"""
    return next(element.iterchildren(SIGNATURE), None) is not None


# Signing --------------------------------------------------------------------------------------------------------------


def sign(element: etree._Element, *, key: SigningKey, algorithm: str | None = None) -> None:
    """Put an enveloped signature into an element that was parsed, right after its Issuer, or first where there is none.

    The element has an `ID`. `algorithm` is a signature method URI, the key's own unless told; the digest is the key's
    choice, or has the same size. The certificate, where the key has one, goes into KeyInfo as a hint for partners that
    look for it.
    """
    text = over(element.get("ID"), xml.canonical(element), key=key, algorithm=algorithm)
    element.insert(_place(element), xml.reparse(text.encode()))


def signed(element: xml.Element, *, key: SigningKey) -> bytes:
    """An element that we write, with an enveloped signature where `sign` puts it."""
    parts = xml.parts(element)
    parts.insert(1 + _place(element), over(element.get("ID"), "".join(parts).encode(), key=key))
    return "".join(parts).encode()


def over(identifier: str | None, octets: bytes, *, key: SigningKey, algorithm: str | None = None) -> str:
    """The text of an enveloped signature over the element with this ID, whose canonical form the octets are."""
    chosen = algorithm or key.algorithm
    if not identifier or chosen not in METHODS:
        raise ConfigurationError(f"cannot sign: {'no ID' if not identifier else chosen}")
    digest_uri = (key.digest if algorithm is None else None) or _digest_beside(chosen)
    frame = _frame(chosen, digest_uri, key.certificate)
    digest = base64.b64encode(_DIGESTS[digest_uri](octets).digest()).decode()
    (signed_info,) = frame.signed_info.fill({"reference": f"#{identifier}", "digest": digest})
    value = base64.b64encode(key.sign(f"{frame.alone}{signed_info}".encode(), chosen)).decode()
    return f"{frame.before}{signed_info}{frame.between}{value}{frame.after}"


def bare(certificate: bytes | None) -> xml.Element:
    """A signature by whoever has this certificate, or none: without what each signature has of its own."""
    return _tree(Algorithm.RSA_SHA256, Algorithm.SHA256, certificate)


class _Frame(NamedTuple):
    """What of a signature is the same for all that a key makes.

    `signed_info` is what follows the start tag of SignedInfo. As it is signed, that tag is `alone` and declares its
    prefix; in the signature the prefix is declared already, and it ends `before`.
    """

    alone: str
    signed_info: xml.Stencil
    before: str
    between: str
    after: str


@lru_cache(maxsize=256)
def _frame(algorithm: str, digest_uri: str, certificate: bytes | None) -> _Frame:
    tree = _tree(algorithm, digest_uri, certificate)
    signed_info, whole = (xml.serialise(part).decode() for part in (tree[0], tree))
    alone, end, rest = signed_info.partition(">")
    before, more = whole.split(rest)
    return _Frame(f"{alone}{end}", xml.Stencil(rest), before, *more.split(xml.hole("value")))


def _tree(algorithm: str, digest_uri: str, certificate: bytes | None) -> xml.Element:
    signature = xml.new(SIGNATURE)
    signed_info = xml.add(signature, SIGNED_INFO)
    xml.add(signed_info, CANONICALIZATION_METHOD, None, {"Algorithm": Algorithm.EXC_C14N})
    xml.add(signed_info, SIGNATURE_METHOD, None, {"Algorithm": algorithm})
    reference = xml.add(signed_info, REFERENCE, None, {"URI": xml.hole("reference")})
    transforms = xml.add(reference, TRANSFORMS)
    xml.add(transforms, TRANSFORM, None, {"Algorithm": Algorithm.ENVELOPED})
    xml.add(transforms, TRANSFORM, None, {"Algorithm": Algorithm.EXC_C14N})
    xml.add(reference, DIGEST_METHOD, None, {"Algorithm": digest_uri})
    xml.add(reference, DIGEST_VALUE, xml.hole("digest"))
    xml.add(signature, SIGNATURE_VALUE, xml.hole("value"))
    if certificate is not None:
        data = xml.add(xml.add(signature, KEY_INFO), f"{{{DS}}}X509Data")
        xml.add(data, f"{{{DS}}}X509Certificate", base64.b64encode(certificate).decode())
    return signature


def _place(element: xml.Element | etree._Element) -> int:
    return 1 if len(element) and element[0].tag == _ISSUER else 0


def _digest_beside(algorithm: str) -> str:
    return _DIGEST_OF_SIZE[METHODS[algorithm].hash.digest_size]


# Verifying ------------------------------------------------------------------------------------------------------------


def verify(
    element: etree._Element,
    *,
    keys: Sequence[HasPublicKey | bytes],
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> etree._Element:
    """What the signature of this element covers, as a new document of its own, without the signature.

    `keys` come from the partner's metadata; each is a KeyDescriptor or DER SubjectPublicKeyInfo, and they are tried in
    turn. Raises `Refused` (rules `signature.*`, `xml.ids`, `xml.canonical`), also when there is no signature.
    """
    return xml.reparse(examine_octets(element, keys=keys, algorithms=algorithms).octets)


def examine(
    element: etree._Element,
    *,
    keys: Sequence[HasPublicKey | bytes],
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    before: Sequence[Check] = (),
) -> Signed:
    """As `verify`, and answer the checks made too, after those made `before`.

    The caller has collected the identifiers of the document, which may hold more than this element.
    """
    signed = _examine(element, keys, algorithms, before)
    return Signed(element=xml.reparse(signed.octets), checks=signed.checks, public_key=signed.public_key)


def examine_octets(
    element: etree._Element,
    *,
    keys: Sequence[HasPublicKey | bytes],
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    before: Sequence[Check] = (),
) -> SignedOctets:
    """As `verify`, and leave it to the caller to parse the octets: as a stream, or when this tree is gone."""
    attempt(before, "SAML Core 1.3.4", xml.collect_ids, element.getroottree().getroot())
    return _examine(element, keys, algorithms, before)


def _examine(
    element: etree._Element, keys: Sequence[HasPublicKey | bytes], algorithms: Algorithms, before: Sequence[Check]
) -> SignedOctets:
    checks = run((_present,), before, element)
    candidate = Candidate(element, next(element.iterchildren(SIGNATURE)), algorithms)
    checks = run(RULES, checks, candidate)
    octets = attempt(checks, "Exclusive XML Canonicalization 1.0", _signed_octets, candidate)
    checks = run((_content,), checks, candidate, octets)
    usable = _usable(keys, candidate.signature_algorithm)
    checks = run((_key_known,), checks, usable)
    verified_by = attempt(checks, "Exclusive XML Canonicalization 1.0", _verifying_key, candidate, usable)
    checks = run((_value,), checks, verified_by)
    return SignedOctets(octets, checks, cast("bytes", verified_by))


def verify_octets(
    octets: bytes,
    signature: bytes,
    *,
    algorithm: str,
    keys: Sequence[HasPublicKey | bytes],
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    before: Sequence[Check] = (),
) -> tuple[Check, ...]:
    """Verify a detached signature over octets (SAML Bindings 3.4.4.1) and answer the checks. Raises `Refused`."""
    checks = run((_detached_algorithm,), before, algorithm, algorithms)
    usable = _usable(keys, algorithm)
    checks = run((_key_known,), checks, usable)
    verified_by = next((spki for spki, key in usable if key.verifies_octets(octets, signature, algorithm)), None)
    return run((_value,), checks, verified_by)


@rule("signature.present", "SAML Core 5.4.2")
def _present(element: etree._Element) -> Seen:
    """The element is signed."""
    ok = is_signed(element)
    return ok, f"a signed {xml.local_name(element)}", "a signature" if ok else "none"


@rule("signature.algorithm", "SDP-ALG01; SAML Bindings 3.4.4.1")
def _detached_algorithm(algorithm: str, algorithms: Algorithms) -> Seen:
    """SigAlg is one that we allow."""
    ok = algorithm in algorithms.signature
    return ok, f"one of {in_words(algorithms.signature)}", told(algorithm[:100], ok=ok)


@rule("signature.content", "SAML Core 5.4.2; XML Signature 3.2.1, 8.1.3")
def _content(candidate: Candidate, octets: bytes) -> Seen:
    """The octets that will be read have the digest that was signed: nothing was changed afterwards."""
    ok = hmac.compare_digest(_DIGESTS[candidate.digest_algorithm](octets).digest(), candidate.digest)
    return ok, "the content that was signed", "as expected" if ok else "other content"


@rule("signature.key", "SAML Metadata 2.4.1.1; SDP-MD06, SDP-MD07")
def _key_known(usable: Sequence[tuple[bytes, PublicKey]]) -> Seen:
    """The partner's metadata has a signing key of the algorithm's kind that is strong enough."""
    expected = "a signing key in the partner's metadata: RSA of 2048 bits or EC of 256 bits or more"
    return bool(usable), expected, f"{len(usable)} such keys"


@rule("signature.value", "SDP-IDP05; IIP-MD07; XML Signature 3.2.2")
def _value(verified_by: bytes | None) -> Seen:
    """The signature verifies with one of those keys, and with no key from the message."""
    ok = verified_by is not None
    return ok, "a signature by a key trusted for it", "as expected" if ok else "not verified by any"


def _usable(keys: Sequence[HasPublicKey | bytes], algorithm: str) -> list[tuple[bytes, PublicKey]]:
    kind = METHODS[algorithm].kind
    usable = []
    for key in keys:
        spki = key if isinstance(key, bytes) else key.public_key
        loaded = load_public_key(spki)
        if loaded is not None and loaded.kind == kind:
            usable.append((spki, loaded))
            if len(usable) == MAX_KEYS:
                break
    return usable


def _verifying_key(candidate: Candidate, usable: Sequence[tuple[bytes, PublicKey]]) -> bytes | None:
    octets = _signed_info(candidate)
    for spki, key in usable:
        if key.verifies(octets, candidate.value, candidate.signature_algorithm):
            return spki
    return None


def _signed_info(candidate: Candidate) -> bytes:
    """The canonical form of SignedInfo, which is what the signature value is over (XML Signature 3.2.2)."""
    signed_info = cast("etree._Element", candidate.signed_info)
    prefixes = inclusive_prefixes(candidate.canonicalization_method)
    return xml.canonical(xml.lift(signed_info) if prefixes else signed_info, prefixes)


def _signed_octets(candidate: Candidate) -> bytes:
    """The canonical form of the element without its signature; the tree is left as it was."""
    element, signature = candidate.element, candidate.signature
    position = element.index(signature)
    tail = signature.tail
    before = element[position - 1] if position else None
    saved = element.text if before is None else before.tail
    element.remove(signature)
    _set_text_before(element, before, (saved or "") + (tail or ""))
    try:
        prefixes = inclusive_prefixes(candidate.last_transform)
        # A prefix in the inclusive list may be declared further up: the element is then lifted out as a document of its
        # own, with all namespaces in scope.
        lifted = xml.lift(element) if prefixes and element.getparent() is not None else element
        return xml.canonical(lifted, prefixes)
    finally:
        _set_text_before(element, before, saved)
        element.insert(position, signature)
        signature.tail = tail


def _set_text_before(element: etree._Element, before: etree._Element | None, text: str | None) -> None:
    if before is None:
        element.text = text
    else:
        before.tail = text
