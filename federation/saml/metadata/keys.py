"""Keys in metadata (SAML Metadata 2.4.1.1, SAML Metadata Interoperability Profile 2.5).

The public key is the whole trust statement. A certificate is only its container: its dates, names and signature decide
nothing (IIP-MD12). What cannot be read is skipped with a finding, and never stands in the way of a good key beside it.
"""

from __future__ import annotations

import binascii
from functools import lru_cache
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from lxml.etree import _Element

from federation.errors import FederationError
from federation.saml import certificates
from federation.saml.metadata.entity import EncryptionMethod, KeyDescriptor
from federation.saml.metadata.findings import Findings, Level
from federation.saml.names import DS, DSIG11, MD, XENC11

RSA: Final = "RSA"
EC: Final = "EC"
MIN_RSA_BITS: Final = 2048
MAX_RSA_BITS: Final = 16384
MIN_EC_BITS: Final = 256
_CURVES: Final = {
    "urn:oid:1.2.840.10045.3.1.7": ec.SECP256R1(),
    "urn:oid:1.3.132.0.34": ec.SECP384R1(),
    "urn:oid:1.3.132.0.35": ec.SECP521R1(),
}
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_X509_DATA: Final = f"{{{DS}}}X509Data"
_X509_CERTIFICATE: Final = f"{{{DS}}}X509Certificate"
_ENCRYPTION_METHOD: Final = f"{{{MD}}}EncryptionMethod"
_KEY_VALUES: Final = (f"{{{DS}}}KeyValue", f"{{{DSIG11}}}DEREncodedKeyValue")
_USES: Final = (None, "signing", "encryption")


class _Unusable(Exception):
    """A key that we do not take, why, in words, and by which requirement."""

    def __init__(self, why: str, reference: str = "SDP-MD05") -> None:
        super().__init__(why)
        self.reference = reference


def read_key(element: _Element, findings: Findings) -> KeyDescriptor | None:
    """Read one KeyDescriptor, or note why it is skipped and answer None."""
    use = element.get("use")
    if use not in _USES:
        findings.add("metadata.key.use", Level.WARNING, "a key with an unknown use was skipped", "IIP-MD11")
        return None
    try:
        certificate, public_key = _key_of(next(element.iterchildren(_KEY_INFO), None), findings)
        _demand_strength(public_key)
    except _Unusable as unusable:
        place = f"KeyDescriptor {use}" if use else "KeyDescriptor"
        message = f"a key was skipped: it {unusable}"
        findings.add("metadata.key.unreadable", Level.WARNING, message, unusable.reference, place=place)
        return None
    return KeyDescriptor(
        use=use,
        public_key=public_key,
        certificate=certificate,
        encryption_methods=tuple(
            EncryptionMethod(uri, _algorithms(method, f"{{{DS}}}DigestMethod"), _algorithms(method, f"{{{XENC11}}}MGF"))
            for method in element.iterchildren(_ENCRYPTION_METHOD)
            if (uri := method.get("Algorithm"))
        ),
    )


def _algorithms(method: _Element, tag: str) -> tuple[str, ...]:
    return tuple(uri for child in method.iterchildren(tag) if (uri := child.get("Algorithm")))


def keys_in(key_info: _Element | None) -> tuple[KeyDescriptor, ...]:
    """Every certificate and bare key that stands readable in a KeyInfo, without a use; none of them is trusted."""
    found = []
    for element in () if key_info is None else key_info.iter(_X509_CERTIFICATE, *_KEY_VALUES):
        try:
            if element.tag in _KEY_VALUES:
                found.append(KeyDescriptor(None, _bare_key(element)))
            else:
                der = _octets(element)
                found.append(KeyDescriptor(None, certificates.public_key_of(der), der))
        except (_Unusable, FederationError):
            continue
    return tuple(found)


def _key_of(key_info: _Element | None, findings: Findings) -> tuple[bytes | None, bytes]:
    """The certificate, if any, and the key. Several representations must be of one key; a chain's first one counts."""
    if key_info is None:
        raise _Unusable("has no KeyInfo")
    encoded = [each for data in key_info.iterchildren(_X509_DATA) for each in data.iterchildren(_X509_CERTIFICATE)]
    bare = [_bare_key(child) for child in key_info.iterchildren(*_KEY_VALUES)]
    if encoded:
        certificate = _octets(encoded[0])
        try:
            public_key = certificates.public_key_of(certificate)
        except FederationError:
            raise _Unusable("is not a readable certificate") from None
        if any(other != public_key for other in bare):
            raise _Unusable("is given twice, as two different keys")
        if len(encoded) > 1:
            message = "a KeyInfo holds several certificates: only the first one counts"
            findings.add("metadata.key.several", Level.INFO, message, "SDP-MD05")
        return certificate, public_key
    if not bare:
        raise _Unusable("is neither a certificate nor a key value")
    if any(other != bare[0] for other in bare):
        raise _Unusable("is given twice, as two different keys")
    return None, bare[0]


def _bare_key(element: _Element) -> bytes:
    """The SubjectPublicKeyInfo (DER) of a KeyValue or DEREncodedKeyValue (XML Signature 4.5.2, 1.1 4.5.9)."""
    try:
        if element.tag == f"{{{DSIG11}}}DEREncodedKeyValue":
            key = load_der_public_key(_octets(element))
        elif (value := element.find(f"{{{DS}}}RSAKeyValue")) is not None:
            modulus, exponent = (
                int.from_bytes(_octets(value.find(f"{{{DS}}}{name}")), "big") for name in ("Modulus", "Exponent")
            )
            key = rsa.RSAPublicNumbers(exponent, modulus).public_key()
        elif (value := element.find(f"{{{DSIG11}}}ECKeyValue")) is not None:
            named = value.find(f"{{{DSIG11}}}NamedCurve")
            curve = _CURVES.get(named.get("URI", "")) if named is not None else None
            if curve is None:
                raise _Unusable("is on a curve that is not supported")
            point = _octets(value.find(f"{{{DSIG11}}}PublicKey"))
            key = ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
        else:
            raise _Unusable("is of a kind that is not supported")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise _Unusable("is not a readable key value") from None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@lru_cache(maxsize=4096)
def kind_and_bits(public_key: bytes) -> tuple[str, int]:
    """The kind of a key (DER SubjectPublicKeyInfo), RSA, EC or another's class name, and its size in bits."""
    key = load_der_public_key(public_key)
    if isinstance(key, rsa.RSAPublicKey):
        return RSA, key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return EC, key.curve.key_size
    return type(key).__name__, 0


def _demand_strength(public_key: bytes) -> None:
    """RSA of 2048 to 16384 bits, EC of at least 256 (SDP-MD06, SDP-MD07); nothing else signs or encrypts here.

    The upper limit is OpenSSL's: beyond it a verification would only cost time and then fail.
    """
    kind, bits = kind_and_bits(public_key)
    if kind == RSA:
        if not MIN_RSA_BITS <= bits <= MAX_RSA_BITS:
            message = f"is an RSA key of {bits} bits, not of {MIN_RSA_BITS} to {MAX_RSA_BITS}"
            raise _Unusable(message, "SDP-MD06")
    elif kind == EC:
        if bits < MIN_EC_BITS:
            raise _Unusable(f"is an EC key of {bits} bits, not of at least {MIN_EC_BITS}", "SDP-MD07")
    else:
        raise _Unusable("is of a kind that is not supported", "SDP-ALG01")


def _octets(element: _Element | None) -> bytes:
    """The octets of a base64 element; blanks and a PEM frame around them do no harm."""
    text = "" if element is None or len(element) else element.text or ""
    if "-----" in text:
        text = "".join(line for line in text.split("\n") if not line.strip().startswith("-----"))
    try:
        octets = binascii.a2b_base64("".join(text.split()), strict_mode=True)
    except ValueError:
        raise _Unusable("is not base64") from None
    if not octets:
        raise _Unusable("is empty")
    return octets
