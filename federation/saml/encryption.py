"""XML Encryption as SAML uses it: AES-GCM for content, RSA-OAEP for its key (XML Encryption 1.1; SAML Core 6).

Decryption happens before anything is known to be genuine, so it is the narrowest of all: the structure passes an
allow-list first, values are inline, nothing is fetched or transformed, the content is authenticated by its tag, and
what comes out passes the same hardened parser as every document from outside. Whatever goes wrong after the structure
is accepted gives one and the same refusal.

Anyone can encrypt to us: decryption proves nothing about the sender.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Final, Protocol, cast

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml import xml
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.encryption_shape import (
    CIPHER_DATA,
    CIPHER_VALUE,
    DATA_ALGORITHMS,
    DIGESTS,
    ENCRYPTED_DATA,
    ENCRYPTED_KEY,
    ENCRYPTION_METHOD,
    KEY_TRANSPORT_ALGORITHMS,
    MGF,
    RULES,
    Candidate,
)
from federation.saml.names import DS, XENC, Algorithm

__all__ = [
    "DATA_ALGORITHMS",
    "DIGESTS",
    "KEY_TRANSPORT_ALGORITHMS",
    "DecryptionKey",
    "decrypt",
    "encrypt",
    "examine",
    "suits",
]

MAX_ATTEMPTS: Final = 16
"""At most so many private-key operations are spent on one message."""

_KEY_SIZES: Final = {Algorithm.AES128_GCM: 16, Algorithm.AES256_GCM: 32}
_NONCE: Final = 12
_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    Algorithm.SHA1: hashes.SHA1(),  # noqa: S303 - OAEP needs no collision resistance
    Algorithm.SHA256: hashes.SHA256(),
    Algorithm.MGF1_SHA1: hashes.SHA1(),  # noqa: S303 - a mask function, no signature
    Algorithm.MGF1_SHA256: hashes.SHA256(),
}


class Recipient(Protocol):
    """A partner's key and what it accepts: metadata's KeyDescriptor, which lies above this module."""

    @property
    def public_key(self) -> bytes:
        """DER SubjectPublicKeyInfo."""

    @property
    def encryption_methods(self) -> tuple[str, ...]:
        """Algorithm URIs in the partner's order; none means that it said nothing."""

    @property
    def digest_methods(self) -> tuple[str, ...]:
        """Digest URIs named inside the partner's OAEP methods."""


# Decrypting -----------------------------------------------------------------------------------------------------------


class DecryptionKey:
    """A private key that can be asked to unwrap a content key and never shows itself.

    `unwrap` gets the wrapped octets, the OAEP digest URI and the mask generation URI, and raises `ValueError` when the
    octets are not for it. `public_key` is DER SubjectPublicKeyInfo.
    """

    def __init__(self, *, public_key: bytes, unwrap: Callable[[bytes, str, str], bytes]) -> None:
        self.public_key = public_key
        self.unwrap = unwrap

    @classmethod
    def from_pem(cls, private_pem: bytes) -> DecryptionKey:
        """A key from an unencrypted PEM RSA private key of 2048 bits or more. Raises `ConfigurationError`."""
        try:
            private = serialization.load_pem_private_key(private_pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise ConfigurationError("decryption key: not an unencrypted PEM private key") from None
        if not isinstance(private, rsa.RSAPrivateKey) or private.key_size < 2048:
            raise ConfigurationError("decryption key: not RSA of 2048 bits or more")
        spki = private.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )

        def unwrap(wrapped: bytes, digest: str, mask: str) -> bytes:
            return private.decrypt(wrapped, _oaep(digest, mask))

        return cls(public_key=spki, unwrap=unwrap)

    def __repr__(self) -> str:
        return "DecryptionKey(RSA)"


@cache
def _oaep(digest: str, mask: str) -> padding.OAEP:
    return padding.OAEP(mgf=padding.MGF1(_HASHES[mask]), algorithm=_HASHES[digest], label=None)


def decrypt(encrypted: etree._Element, keys: Sequence[DecryptionKey]) -> etree._Element:
    """The element inside an EncryptedAssertion, EncryptedID or EncryptedAttribute, as a new document of its own.

    The keys are tried in turn. Raises `Refused` (rules `encryption.*`).
    """
    return examine(encrypted, keys)[0]


def examine(
    encrypted: etree._Element, keys: Sequence[DecryptionKey], before: Sequence[Check] = ()
) -> tuple[etree._Element, tuple[Check, ...]]:
    """As `decrypt`, and answer the checks made too, after those made `before`."""
    candidate = Candidate(encrypted)
    checks = run(RULES, before, candidate)
    plaintext = _plaintext(candidate, keys)
    element = None if plaintext is None else _parse(plaintext, candidate)
    checks = run((_opens,), checks, element is not None)
    return element if element is not None else encrypted, checks


@rule("encryption.opens", "XML Encryption 1.1, 4.4; SAML Core 6.1")
def _opens(opened: bool) -> Seen:
    """One of our keys opens it. Every failure looks the same, so that the answer tells an attacker nothing."""
    return Seen(opened, "content that one of our keys opens", "as expected" if opened else "not that")


def _plaintext(candidate: Candidate, keys: Sequence[DecryptionKey]) -> bytes | None:
    size = _KEY_SIZES[candidate.algorithm]
    sealed = candidate.content
    attempts = [(wrapped, key) for wrapped in candidate.wrapped_keys for key in keys][:MAX_ATTEMPTS]
    for wrapped, key in attempts:
        try:
            content_key = key.unwrap(wrapped.value, wrapped.digest, wrapped.mask)
        except ValueError:
            content_key = b""
        if len(content_key) != size:
            # A key that is not for us costs the same work as one that is.
            content_key = os.urandom(size)
        try:
            return AESGCM(content_key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            continue
    return None


def _parse(plaintext: bytes, candidate: Candidate) -> etree._Element | None:
    """The plaintext as a document; where it leans on namespaces of its surroundings, read inside them.

    XML Encryption 4.4 has the plaintext replace EncryptedData, so prefixes declared further up are in scope, and some
    senders count on it.
    """
    try:
        return xml.parse(plaintext)
    except Malformed:
        pass
    surroundings = etree.Element("surroundings", nsmap=cast("dict[str, str]", candidate.data.nsmap))
    start, end = xml.serialise(surroundings)[:-2] + b">", b"</surroundings>"
    try:
        wrapper = xml.parse(start + plaintext + end, max_bytes=xml.MAX_BYTES + len(start) + len(end))
    except Malformed:
        return None
    if len(wrapper) != 1 or (wrapper.text or "").strip(xml.SPACE) or (wrapper[0].tail or "").strip(xml.SPACE):
        return None
    return xml.lift(wrapper[0])


# Encrypting -----------------------------------------------------------------------------------------------------------


def suits(key: Recipient) -> bool:
    """Can we encrypt to this key: RSA of 2048 bits or more, and a method that both sides allow?"""
    try:
        _public_key(key)
        _methods(key)
    except ConfigurationError:
        return False
    return True


def encrypt(
    content: etree._Element | bytes,
    *,
    key: Recipient,
    recipient: str | None = None,
    random: Callable[[int], bytes] = os.urandom,
) -> etree._Element:
    """An EncryptedData that holds this element, its EncryptedKey inside its own KeyInfo.

    Content method: the first of the partner's that we allow, AES-256-GCM when it names none. Key transport: RSA-OAEP
    as the partner's metadata allows. `recipient` is the entityID the key is for. Raises `ConfigurationError` when the
    key is unfit or its metadata allows no method that we do.
    """
    public = _public_key(key)
    method, transport, digest, mask = _methods(key)
    octets = content if isinstance(content, bytes) else xml.serialise(content)
    content_key, nonce = random(_KEY_SIZES[method]), random(_NONCE)
    sealed = nonce + AESGCM(content_key).encrypt(nonce, octets, None)
    wrapped = public.encrypt(content_key, _oaep(digest, mask))

    data = xml.new(ENCRYPTED_DATA, {"xenc": XENC, "ds": DS}, {"Type": f"{XENC}Element"})
    xml.add(data, ENCRYPTION_METHOD, None, {"Algorithm": method})
    encrypted_key = xml.add(xml.add(data, f"{{{DS}}}KeyInfo"), ENCRYPTED_KEY, None, {"Recipient": recipient})
    transport_method = xml.add(encrypted_key, ENCRYPTION_METHOD, None, {"Algorithm": transport})
    xml.add(transport_method, f"{{{DS}}}DigestMethod", None, {"Algorithm": digest})
    if transport == Algorithm.RSA_OAEP:
        xml.add(transport_method, MGF, None, {"Algorithm": mask})
    _add_value(encrypted_key, wrapped)
    _add_value(data, sealed)
    return data


def _add_value(parent: etree._Element, octets: bytes) -> None:
    xml.add(xml.add(parent, CIPHER_DATA), CIPHER_VALUE, base64.b64encode(octets).decode())


def _public_key(key: Recipient) -> rsa.RSAPublicKey:
    try:
        public = serialization.load_der_public_key(key.public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("the partner's encryption key cannot be read") from None
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < 2048:
        raise ConfigurationError("the partner's encryption key is not RSA of 2048 bits or more")
    return public


def _methods(key: Recipient) -> tuple[str, str, str, str]:
    """Content method, key transport, its digest and its mask generation, as the partner's metadata allows."""
    offered = key.encryption_methods
    contents = [uri for uri in offered if uri in DATA_ALGORITHMS]
    transports = [uri for uri in offered if uri in KEY_TRANSPORT_ALGORITHMS]
    named_contents = [uri for uri in offered if uri not in _TRANSPORTS]
    named_transports = [uri for uri in offered if uri in _TRANSPORTS]
    if (named_contents and not contents) or (named_transports and not transports):
        raise ConfigurationError(f"the partner's metadata allows no encryption method that we do: {', '.join(offered)}")
    method = contents[0] if contents else Algorithm.AES256_GCM
    transport = transports[0] if transports else Algorithm.RSA_OAEP_MGF1P
    if transport == Algorithm.RSA_OAEP_MGF1P:
        return method, transport, Algorithm.SHA1, Algorithm.MGF1_SHA1
    if Algorithm.SHA256 in key.digest_methods or not key.digest_methods:
        return method, transport, Algorithm.SHA256, Algorithm.MGF1_SHA256
    return method, transport, Algorithm.SHA1, Algorithm.MGF1_SHA1


_TRANSPORTS: Final = frozenset({*KEY_TRANSPORT_ALGORITHMS, f"{XENC}rsa-1_5"})
"""What metadata may name for key transport, allowed or not; everything else it names is for content."""
