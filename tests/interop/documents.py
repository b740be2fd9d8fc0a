"""What a test reads in the documents that partners exchange."""

from __future__ import annotations

import base64
import hashlib
import re

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

NS = {
    "ds": "http://www.w3.org/2000/09/xmldsig#",
    "md": "urn:oasis:names:tc:SAML:2.0:metadata",
    "saml": "urn:oasis:names:tc:SAML:2.0:assertion",
    "samlp": "urn:oasis:names:tc:SAML:2.0:protocol",
    "xenc": "http://www.w3.org/2001/04/xmlenc#",
}
FINGERPRINT = re.compile(r"\b(?:[0-9A-F]{2}:){31}[0-9A-F]{2}\b")
"""A SHA-256 fingerprint as people read it."""


def signing_certificate(metadata: bytes) -> x509.Certificate:
    """The certificate beside the signature of a metadata document."""
    return _certificates(metadata, "ds:Signature/ds:KeyInfo//ds:X509Certificate")[0]


def role_certificates(metadata: bytes) -> list[x509.Certificate]:
    """The certificates of a document's SP role."""
    return _certificates(metadata, "md:SPSSODescriptor/md:KeyDescriptor//ds:X509Certificate")


def fingerprint(certificate: x509.Certificate) -> str:
    """The SHA-256 fingerprint of a certificate."""
    return sha256(certificate.public_bytes(Encoding.DER))


def sha256(octets: bytes) -> str:
    """A SHA-256 digest as people read it."""
    return hashlib.sha256(octets).digest().hex(":").upper()


def _certificates(metadata: bytes, path: str) -> list[x509.Certificate]:
    texts = etree.fromstring(metadata).xpath(f"{path}/text()", namespaces=NS)
    assert isinstance(texts, list)
    return [x509.load_der_x509_certificate(base64.b64decode(str(text))) for text in texts]
