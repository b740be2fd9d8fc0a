"""Keys that sign and keys that verify, and the algorithms each may be used with.

A private key stays behind `SigningKey`, which can only be asked to sign: a key in a file and one in a hardware module
look the same to everything else. A public key comes from metadata alone and is used with algorithms of its own kind.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import lru_cache
from typing import Final, NamedTuple

import xmlsec
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from xmlsec import constants

from federation.errors import ConfigurationError, Malformed
from federation.saml.certificates import load_certificate, public_key_of
from federation.saml.names import Algorithm

MINIMUM_RSA_BITS: Final = 2048
MINIMUM_EC_BITS: Final = 256

RSA: Final = "RSA"
EC: Final = "EC"
_PKCS1: Final = padding.PKCS1v15()


class Method(NamedTuple):
    """A signature algorithm: the kind of key it needs, and its hash."""

    kind: str
    hash: hashes.HashAlgorithm


METHODS: Final = {
    Algorithm.RSA_SHA1: Method(RSA, hashes.SHA1()),  # noqa: S303 - under a legacy preset only
    Algorithm.ECDSA_SHA1: Method(EC, hashes.SHA1()),  # noqa: S303 - under a legacy preset only
    Algorithm.RSA_SHA256: Method(RSA, hashes.SHA256()),
    Algorithm.RSA_SHA384: Method(RSA, hashes.SHA384()),
    Algorithm.RSA_SHA512: Method(RSA, hashes.SHA512()),
    Algorithm.ECDSA_SHA256: Method(EC, hashes.SHA256()),
    Algorithm.ECDSA_SHA384: Method(EC, hashes.SHA384()),
    Algorithm.ECDSA_SHA512: Method(EC, hashes.SHA512()),
}
"""Every signature algorithm that this toolkit can use at all. No symmetric one, no MD5, no DSA; see `algorithms`."""


_TRANSFORMS: Final = {
    Algorithm.RSA_SHA1: constants.TransformRsaSha1,
    Algorithm.ECDSA_SHA1: constants.TransformEcdsaSha1,
    Algorithm.RSA_SHA256: constants.TransformRsaSha256,
    Algorithm.RSA_SHA384: constants.TransformRsaSha384,
    Algorithm.RSA_SHA512: constants.TransformRsaSha512,
    Algorithm.ECDSA_SHA256: constants.TransformEcdsaSha256,
    Algorithm.ECDSA_SHA384: constants.TransformEcdsaSha384,
    Algorithm.ECDSA_SHA512: constants.TransformEcdsaSha512,
}


class SigningKey:
    """A private key that can be asked to sign and never shows itself.

    `sign_octets` gets the octets and the algorithm URI and answers the signature value as XML Signature writes it: for
    RSA the PKCS #1 value, for ECDSA r and s side by side (XML Signature 6.4.3). `certificate` is DER or None,
    `public_key` DER SubjectPublicKeyInfo, `kind` RSA or EC, `bits` its size. `algorithm` and `digest` are the URIs used
    when none is asked for; without a digest it has the size of the algorithm's.
    """

    def __init__(
        self, *, public_key: bytes, sign_octets: Callable[[bytes, str], bytes], certificate: bytes | None = None
    ) -> None:
        key = load_public_key(public_key)
        if key is None:
            raise ConfigurationError(
                f"signing key: neither RSA of {MINIMUM_RSA_BITS} bits nor EC of {MINIMUM_EC_BITS} bits or more"
            )
        if certificate is not None and public_key_of(certificate) != public_key:
            raise ConfigurationError("signing key: the certificate holds another key")
        self.public_key = public_key
        self.certificate = certificate
        self.algorithm: str = Algorithm.RSA_SHA256 if key.kind == RSA else Algorithm.ECDSA_SHA256
        self.digest: str | None = None
        self.kind = key.kind
        self.bits = key.bits
        self._sign_octets = sign_octets
        self._others: dict[tuple[str, str | None], SigningKey] = {}

    @classmethod
    def from_pem(cls, private_pem: bytes, certificate_pem: bytes | None = None) -> SigningKey:
        """A key from an unencrypted PEM private key and, where there is one, the certificate that holds it.

        Raises `ConfigurationError` when it cannot be read, is too weak, or the certificate holds another key.
        """
        try:
            private = serialization.load_pem_private_key(private_pem, password=None)
            certificate = None if certificate_pem is None else load_certificate(certificate_pem)
        except (ValueError, TypeError, UnsupportedAlgorithm, Malformed):
            raise ConfigurationError("signing key: not an unencrypted PEM private key with its certificate") from None
        spki = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        if isinstance(private, rsa.RSAPrivateKey):
            return cls(public_key=spki, sign_octets=_rsa_signer(private), certificate=certificate)
        if isinstance(private, ec.EllipticCurvePrivateKey):
            return cls(public_key=spki, sign_octets=_ec_signer(private), certificate=certificate)
        raise ConfigurationError("signing key: neither RSA nor EC")

    def using(self, algorithm: str, digest: str | None = None) -> SigningKey:
        """The same key with other algorithms, for a partner that takes no others; made once for each pair of them."""
        other = self._others.get((algorithm, digest))
        if other is None:
            other = copy.copy(self)
            other.algorithm, other.digest = algorithm, digest
            self._others[algorithm, digest] = other
        return other

    def sign(self, octets: bytes, algorithm: str | None = None) -> bytes:
        """The signature value over these octets.

        Raises `ConfigurationError` for an algorithm that needs another kind of key.
        """
        chosen = algorithm or self.algorithm
        method = METHODS.get(chosen)
        if method is None or method.kind != self.kind:
            raise ConfigurationError(f"signing key: {chosen} is not an algorithm for a key of kind {self.kind}")
        return self._sign_octets(octets, chosen)

    def __repr__(self) -> str:
        return f"SigningKey({self.kind})"


def _rsa_signer(private: rsa.RSAPrivateKey) -> Callable[[bytes, str], bytes]:
    def sign(octets: bytes, algorithm: str) -> bytes:
        return private.sign(octets, _PKCS1, METHODS[algorithm].hash)

    return sign


def _ec_signer(private: ec.EllipticCurvePrivateKey) -> Callable[[bytes, str], bytes]:
    size = (private.curve.key_size + 7) // 8

    def sign(octets: bytes, algorithm: str) -> bytes:
        r, s = decode_dss_signature(private.sign(octets, ec.ECDSA(METHODS[algorithm].hash)))
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    return sign


class PublicKey(NamedTuple):
    """A partner's key, strong enough to be used: its kind and size, and the key as each verifier holds it, loaded once.

    An XML Signature is for xmlsec (`key`), other octets are for `cryptography` (`verifier`, which raises
    `InvalidSignature`). An algorithm for another kind of key never verifies anything.
    """

    kind: str
    bits: int
    key: xmlsec.Key
    verifier: Callable[[bytes, bytes, Method], None]

    def verifies(self, octets: bytes, signature: bytes, algorithm: str) -> bool:
        """Is this the value of the XML Signature whose SignedInfo, in canonical form, is these octets?

        xmlsec decides, by this key and this algorithm alone.
        """
        if METHODS[algorithm].kind != self.kind:
            return False
        context = xmlsec.SignatureContext()
        context.key = self.key
        try:
            context.verify_binary(octets, _TRANSFORMS[algorithm], signature)
        except xmlsec.Error:
            return False
        return True

    def verifies_octets(self, octets: bytes, signature: bytes, algorithm: str) -> bool:
        """Is this the signature value over these octets, which are no XML: a redirect's query, or a statement of ours?

        The value is written as in XML Signature, and what this answers, `verifies` would answer.
        """
        method = METHODS[algorithm]
        if method.kind != self.kind:
            return False
        try:
            self.verifier(octets, signature, method)
        except InvalidSignature:
            return False
        return True


def _rsa_verifier(public: rsa.RSAPublicKey) -> Callable[[bytes, bytes, Method], None]:
    def verify(octets: bytes, signature: bytes, method: Method) -> None:
        public.verify(signature, octets, _PKCS1, method.hash)

    return verify


def _ec_verifier(public: ec.EllipticCurvePublicKey) -> Callable[[bytes, bytes, Method], None]:
    def verify(octets: bytes, signature: bytes, method: Method) -> None:
        half, odd = divmod(len(signature), 2)
        if odd:
            raise InvalidSignature
        # Some software cuts leading zeros off both halves, or adds some: the two numbers decide, as they do in xmlsec.
        r, s = int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
        public.verify(encode_dss_signature(r, s), octets, ec.ECDSA(method.hash))

    return verify


@lru_cache(maxsize=1024)
def load_public_key(spki: bytes) -> PublicKey | None:
    """The key in a DER SubjectPublicKeyInfo, or None when it is broken, of another kind, or too weak.

    RSA has at least 2048 bits, EC at least 256. Remembered, because each message of a partner needs the same few keys.
    """
    try:
        key = serialization.load_der_public_key(spki)
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= MINIMUM_RSA_BITS:
            kind, verifier = RSA, _rsa_verifier(key)
        elif isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= MINIMUM_EC_BITS:
            kind, verifier = EC, _ec_verifier(key)
        else:
            return None
        return PublicKey(kind, key.key_size, xmlsec.Key.from_memory(spki, constants.KeyDataFormatDer), verifier)
    except (ValueError, UnsupportedAlgorithm, xmlsec.Error):
        return None
