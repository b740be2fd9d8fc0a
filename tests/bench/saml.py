"""Issuing and accepting a login, beside bare RSA-2048 (`cryptography`) with keys of the same size."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from tests import factories
from tests.bench.measure import Entry, Operation

SIGNED_INFO_LENGTH = 800
"""Octets, about what a canonical SignedInfo has."""


def entries() -> Iterator[Entry]:
    """The lines on SAML."""
    sign, verify, decrypt_and_verify = _bare()
    default = factories.response_xml()
    plain = factories.response_xml(encrypt_to=None, sign_response=False)
    expected = factories.expectations()
    yield Entry(
        "issue: response signed, assertion encrypted",
        factories.response_xml,
        "RSA signature",
        sign,
        budget=3.5,
    )
    yield Entry(
        "issue: assertion signed",
        lambda: factories.response_xml(encrypt_to=None, sign_response=False),
        "RSA signature",
        sign,
        budget=2.5,
    )
    yield Entry(
        "accept: response signed, assertion encrypted",
        lambda: factories.sso_response.accept(factories.posted(default), expected),
        "RSA decryption and verification",
        decrypt_and_verify,
        budget=3.0,
    )
    yield Entry(
        "accept: assertion signed",
        lambda: factories.sso_response.accept(factories.posted(plain), expected),
        "RSA verification",
        verify,
        budget=None,
    )


def _bare() -> tuple[Operation, Operation, Operation]:
    key = serialization.load_pem_private_key(factories.key_pair("idp")[0], password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    public = key.public_key()
    octets = b"x" * SIGNED_INFO_LENGTH
    signature = key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
    wrapped = public.encrypt(b"k" * 32, oaep)

    def sign() -> None:
        key.sign(octets, padding.PKCS1v15(), hashes.SHA256())

    def verify() -> None:
        public.verify(signature, octets, padding.PKCS1v15(), hashes.SHA256())

    def decrypt_and_verify() -> None:
        key.decrypt(wrapped, oaep)
        verify()

    return sign, verify, decrypt_and_verify
