"""Keys and certificates as metadata carries them: a certificate only holds a key, its dates and names say nothing."""

from __future__ import annotations

import hashlib
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from federation.errors import Malformed

_INTEGER, _SEQUENCE, _VERSION = 0x02, 0x30, 0xA0  # ASN.1 tags of a certificate (RFC 5280 4.1)
_OBJECT_IDENTIFIER, _UTC_TIME, _GENERALIZED_TIME = 0x06, 0x17, 0x18
_BROKEN_HASHES = frozenset(
    {
        "2a864886f70d010102",  # md2WithRSAEncryption
        "2a864886f70d010104",  # md5WithRSAEncryption
        "2a864886f70d010105",  # sha1WithRSAEncryption
        "2a8648ce3d0401",  # ecdsa-with-SHA1
        "2a8648ce380403",  # dsa-with-sha1
    }
)
_DATE = re.compile(r"[0-9]{14}Z", re.ASCII)
_FINGERPRINT = re.compile(r"[0-9A-F]{64}", re.ASCII)


def generate(common_name: str, *, now: datetime, bits: int = 3072, years: int = 10) -> tuple[bytes, bytes]:
    """A new RSA key and a self-signed certificate that holds it: private key (PEM, PKCS #8) and certificate (PEM)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=365 * years))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private, certificate.public_bytes(serialization.Encoding.PEM)


def load_certificate(pem_or_der: bytes) -> bytes:
    """The certificate as DER. Raises `Malformed` (rule `certificates.certificate`)."""
    try:
        if pem_or_der.lstrip().startswith(b"-----"):
            certificate = x509.load_pem_x509_certificate(pem_or_der)
        else:
            certificate = x509.load_der_x509_certificate(pem_or_der)
    except (ValueError, x509.InvalidVersion):
        raise Malformed("certificates.certificate", "not an X.509 certificate") from None
    return certificate.public_bytes(serialization.Encoding.DER)


def public_key_of(der: bytes) -> bytes:
    """The DER SubjectPublicKeyInfo of the key in a DER certificate. Raises `Malformed` (rule `certificates.key`).

    Only the field that holds the key is looked at: expired, oddly signed, version 1 or negatively numbered certificates
    are as good as any (IIP-MD12).
    """
    try:
        key = serialization.load_der_public_key(_parts(der)[2])
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        raise Malformed("certificates.key", "the certificate holds no key that can be read") from None


@lru_cache(maxsize=1024)
def _parts(der: bytes) -> tuple[bytes, bytes, bytes]:
    """The algorithm, the dates and the SubjectPublicKeyInfo of a certificate (RFC 5280 4.1), the last one as it stands.

    Remembered for a while, because whoever asks for one usually asks for the others next. Raises `ValueError`.
    """
    certificate, rest = _element(der, _SEQUENCE)
    if rest:
        raise ValueError
    fields, _ = _element(certificate, _SEQUENCE)
    if fields[:1] == bytes([_VERSION]):
        _, fields = _element(fields, _VERSION)
    _, fields = _element(fields, _INTEGER)
    algorithm, fields = _element(fields, _SEQUENCE)
    _, fields = _element(fields, _SEQUENCE)
    dates, fields = _element(fields, _SEQUENCE)
    _, fields = _element(fields, _SEQUENCE)
    _, rest = _element(fields, _SEQUENCE)
    return algorithm, dates, fields[: len(fields) - len(rest)]


class Container(NamedTuple):
    """What a certificate says about itself, for advice alone: until when, and whether with a broken hash."""

    not_after: datetime
    weakly_signed: bool


def container_of(der: bytes) -> Container:
    """What the certificate says about itself. Raises `Malformed` (rule `certificates.container`)."""
    try:
        algorithm, dates, _ = _parts(der)
        _, not_after = _element(dates, dates[0])
        identifier, _ = _element(algorithm, _OBJECT_IDENTIFIER)
        return Container(_instant(not_after), identifier.hex() in _BROKEN_HASHES)
    except (ValueError, IndexError):
        raise Malformed("certificates.container", "the certificate is oddly made") from None


def _instant(der: bytes) -> datetime:
    """UTCTime or GeneralizedTime in UTC with seconds (RFC 5280 4.1.2.5). Raises `ValueError`."""
    if der[:1] == bytes([_UTC_TIME]):
        text = _element(der, _UTC_TIME)[0].decode("ascii")
        text = ("19" if text >= "50" else "20") + text
    else:
        text = _element(der, _GENERALIZED_TIME)[0].decode("ascii")
    if not _DATE.fullmatch(text):
        raise ValueError
    return datetime.fromisoformat(f"{text[:8]}T{text[8:]}")


def _element(octets: bytes, tag: int) -> tuple[bytes, bytes]:
    """The content of the DER element that stands first, and what follows it. Raises `ValueError`."""
    if len(octets) < 2 or octets[0] != tag:
        raise ValueError
    start, length = 2, octets[1]
    if length >= 0x80:
        start += length - 0x80
        if not 3 <= start <= 6:
            raise ValueError
        length = int.from_bytes(octets[2:start], "big")
    if len(octets) < start + length:
        raise ValueError
    return octets[start : start + length], octets[start + length :]


def fingerprint(certificate_der: bytes) -> str:
    """The SHA-256 of the certificate: 64 upper-case hexadecimal digits in pairs, separated by colons."""
    return hashlib.sha256(certificate_der).digest().hex(":").upper()


def normalise_fingerprint(text: str) -> str:
    """A fingerprint as a person types it (any case, colons, spaces or neither) in the form `fingerprint` gives.

    Raises `Malformed` (rule `certificates.fingerprint`) when it is not 64 hexadecimal digits.
    """
    digits = re.sub(r"[:\s]", "", text).upper()
    if not _FINGERPRINT.fullmatch(digits):
        raise Malformed("certificates.fingerprint", "not a SHA-256 fingerprint of 64 hexadecimal digits")
    return ":".join(digits[start : start + 2] for start in range(0, 64, 2))
