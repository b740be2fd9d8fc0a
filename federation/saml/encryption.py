"""XML Encryption as SAML uses it: AES-GCM for content, RSA-OAEP for its key (XML Encryption 1.1; SAML Core 6).

A connection's legacy preset may allow AES-CBC and RSA PKCS #1 v1.5 besides (`algorithms`), for signed messages alone.

Decryption happens before anything is known to be genuine, so it is the narrowest of all: the structure passes an
allow-list first, values are inline, nothing is fetched or transformed, the content is authenticated by its tag, and
what comes out passes the same hardened parser as every document from outside. Whatever goes wrong after the structure
is accepted gives one and the same refusal.

Anyone can encrypt to us: decryption proves nothing about the sender.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, Protocol, cast

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from federation.errors import ConfigurationError, Malformed
from federation.saml import encryption_ciphers as ciphers
from federation.saml import xml
from federation.saml.algorithms import (
    CBC,
    DATA_ALGORITHMS,
    DEFAULT_ALGORITHMS,
    KEY_TRANSPORT_ALGORITHMS,
    LEGACY_TRANSPORTS,
    Algorithms,
)
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.encryption_shape import (
    CIPHER_DATA,
    CIPHER_VALUE,
    DIGESTS,
    ENCRYPTED_DATA,
    ENCRYPTED_KEY,
    ENCRYPTION_METHOD,
    MASKS,
    MGF,
    RULES,
    Candidate,
    WrappedKey,
)
from federation.saml.names import DS, XENC, Algorithm

__all__ = [
    "DecryptionKey",
    "decrypt",
    "encrypt",
    "examine",
    "suits",
]

MAX_ATTEMPTS: Final = 16
"""At most so many private-key operations are spent on one message."""


class Method(Protocol):
    """One of the encryption methods that a partner's key is listed with: metadata's EncryptionMethod."""

    @property
    def algorithm(self) -> str:
        """Its URI, for content or for key transport."""

    @property
    def digests(self) -> tuple[str, ...]:
        """OAEP digest URIs, in the partner's order; none means that it said nothing."""

    @property
    def masks(self) -> tuple[str, ...]:
        """Mask generation URIs, likewise."""


class Recipient(Protocol):
    """A partner's key and what it accepts: metadata's KeyDescriptor, which lies above this module."""

    @property
    def public_key(self) -> bytes:
        """DER SubjectPublicKeyInfo."""

    @property
    def encryption_methods(self) -> Sequence[Method]:
        """In the partner's order; none means that it said nothing."""


# Decrypting -----------------------------------------------------------------------------------------------------------


class DecryptionKey:
    """A private key that can be asked to unwrap a content key and never shows itself.

    `unwrap` gets the wrapped key with its algorithms, and raises `ValueError` when it cannot open it. `public_key` is
    DER SubjectPublicKeyInfo.
    """

    def __init__(self, *, public_key: bytes, unwrap: Callable[[WrappedKey], bytes]) -> None:
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

        def unwrap(wrapped: WrappedKey) -> bytes:
            return ciphers.unwrap(
                private, wrapped.value, wrapped.transport, wrapped.digest, wrapped.mask, wrapped.label
            )

        return cls(public_key=spki, unwrap=unwrap)

    def __repr__(self) -> str:
        return "DecryptionKey(RSA)"


def decrypt(encrypted: etree._Element, keys: Sequence[DecryptionKey]) -> etree._Element:
    """The element inside an EncryptedAssertion, EncryptedID or EncryptedAttribute, as a new document of its own.

    The keys are tried in turn. Raises `Refused` (rules `encryption.*`).
    """
    return examine(encrypted, keys)[0]


def examine(
    encrypted: etree._Element,
    keys: Sequence[DecryptionKey],
    before: Sequence[Check] = (),
    *,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    covered: bool = False,
) -> tuple[etree._Element, tuple[Check, ...]]:
    """As `decrypt`, and answer the checks made too, after those made `before`.

    `algorithms` are those allowed with this partner. `covered` says that `encrypted` was read from what a verified
    signature covers; where it was not, nothing malleable is opened, whatever is allowed.
    """
    candidate = Candidate(encrypted, algorithms, covered=covered)
    checks = run(RULES, before, candidate)
    parsed = (_parse(plaintext, candidate) for plaintext in _plaintexts(candidate, keys))
    element = next((each for each in parsed if each is not None), None)
    checks = run((_opens,), checks, element is not None)
    return element if element is not None else encrypted, checks


@rule("encryption.opens", "XML Encryption 1.1, 4.4; SAML Core 6.1")
def _opens(opened: bool) -> Seen:
    """One of our keys opens it. Every failure looks the same, so that the answer tells an attacker nothing."""
    return opened, "content that one of our keys opens", "as expected" if opened else "not that"


def _plaintexts(candidate: Candidate, keys: Sequence[DecryptionKey]) -> Iterator[bytes]:
    """What the keys make of the content, one after the other: with CBC a wrong one may make something of it, too."""
    size = ciphers.KEY_SIZES[candidate.algorithm]
    attempts = [(wrapped, key) for wrapped in candidate.wrapped_keys for key in keys][:MAX_ATTEMPTS]
    for wrapped, key in attempts:
        try:
            content_key = key.unwrap(wrapped)
        except ValueError:
            content_key = b""
        if len(content_key) != size:
            # A key that is not for us costs the same work as one that is.
            content_key = os.urandom(size)
        plaintext = ciphers.unseal(candidate.algorithm, content_key, candidate.content)
        if plaintext is not None:
            yield plaintext


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


def suits(key: Recipient, algorithms: Algorithms = DEFAULT_ALGORITHMS) -> bool:
    """Can we encrypt to this key: RSA of 2048 bits or more, and methods that both sides allow?"""
    try:
        _public_key(key)
        _choice(key, algorithms)
    except ConfigurationError:
        return False
    return True


def encrypt(
    content: xml.Element | etree._Element | bytes,
    *,
    key: Recipient,
    recipient: str | None = None,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
    random: Callable[[int], bytes] = os.urandom,
) -> xml.Element:
    """An EncryptedData that holds this element, its EncryptedKey inside its own KeyInfo.

    Content method and key transport: the first that the partner lists and `algorithms` allow, those of a legacy preset
    last; where it lists none, the preset's or our own first. `recipient` is the entityID the key is for. Raises
    `ConfigurationError` when the key is unfit or its metadata allows no method that we may use.
    """
    public = _public_key(key)
    chosen = _choice(key, algorithms)
    octets = content if isinstance(content, bytes) else xml.serialise(content)
    content_key = random(ciphers.KEY_SIZES[chosen.content])
    sealed = ciphers.seal(chosen.content, content_key, octets, random)
    wrapped = ciphers.wrap(public, content_key, chosen.transport, chosen.digest, chosen.mask)

    data = xml.new(ENCRYPTED_DATA, {"Type": f"{XENC}Element"})
    xml.add(data, ENCRYPTION_METHOD, None, {"Algorithm": chosen.content})
    encrypted_key = xml.add(xml.add(data, f"{{{DS}}}KeyInfo"), ENCRYPTED_KEY, None, {"Recipient": recipient})
    transport_method = xml.add(encrypted_key, ENCRYPTION_METHOD, None, {"Algorithm": chosen.transport})
    if chosen.transport in KEY_TRANSPORT_ALGORITHMS:
        xml.add(transport_method, f"{{{DS}}}DigestMethod", None, {"Algorithm": chosen.digest})
    if chosen.transport == Algorithm.RSA_OAEP:
        xml.add(transport_method, MGF, None, {"Algorithm": chosen.mask})
    _add_value(encrypted_key, wrapped)
    _add_value(data, sealed)
    return data


def _add_value(parent: xml.Element, octets: bytes) -> None:
    xml.add(xml.add(parent, CIPHER_DATA), CIPHER_VALUE, base64.b64encode(octets).decode())


def _public_key(key: Recipient) -> rsa.RSAPublicKey:
    try:
        public = serialization.load_der_public_key(key.public_key)
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigurationError("the partner's encryption key cannot be read") from None
    if not isinstance(public, rsa.RSAPublicKey) or public.key_size < 2048:
        raise ConfigurationError("the partner's encryption key is not RSA of 2048 bits or more")
    return public


class _Choice(NamedTuple):
    """Content method, key transport, its digest and its mask generation, as URIs."""

    content: str
    transport: str
    digest: str
    mask: str


def _choice(key: Recipient, algorithms: Algorithms) -> _Choice:
    """What both sides allow (IIP-MD10). Raises `ConfigurationError` when that is nothing."""
    offered = key.encryption_methods
    transports = [method for method in offered if method.algorithm in _TRANSPORTS]
    contents = [
        method.algorithm
        for method in offered
        if method.algorithm not in _TRANSPORTS and _KEY_WRAP not in method.algorithm
    ]
    order = _strict_first(contents, DATA_ALGORITHMS) if contents else [*CBC, *DATA_ALGORITHMS]
    content = next((uri for uri in order if uri in algorithms.data), None)
    transport = _transport(transports, algorithms)
    if content is None or transport is None:
        listed = ", ".join(method.algorithm for method in offered) or "none"
        raise ConfigurationError(f"the partner's metadata allows no encryption method that we may use: {listed}")
    return _Choice(content, *transport)


def _transport(listed: Sequence[Method], algorithms: Algorithms) -> tuple[str, str, str] | None:
    """Key transport with its digest and mask: of the first listed method whose parameters we can use."""
    by_uri: dict[str, Method | None] = {method.algorithm: method for method in reversed(listed)}
    if listed:
        order = _strict_first([method.algorithm for method in listed], KEY_TRANSPORT_ALGORITHMS)
    else:
        order = [*LEGACY_TRANSPORTS, *KEY_TRANSPORT_ALGORITHMS]
    for uri in order:
        if uri not in algorithms.key_transport:
            continue
        method = by_uri.get(uri)
        digests, masks = (method.digests, method.masks) if method is not None else ((), ())
        # XML Encryption 1.1, 5.5.2: the older identifier masks with MGF1 and SHA-1, the newer one does unless told.
        digest = _first(digests, DIGESTS, Algorithm.SHA256 if uri == Algorithm.RSA_OAEP else Algorithm.SHA1)
        mask = _first(masks if uri == Algorithm.RSA_OAEP else (), MASKS, Algorithm.MGF1_SHA1)
        if digest is not None and mask is not None:
            return uri, digest, mask
    return None


def _strict_first(listed: Iterable[str], strict: Sequence[str]) -> list[str]:
    """In the partner's order, and what only a legacy preset could allow after everything else."""
    return sorted(listed, key=lambda uri: uri not in strict)


def _first(listed: Sequence[str], known: Sequence[str], default: str) -> str | None:
    return next((uri for uri in listed if uri in known), None) if listed else default


_TRANSPORTS: Final = frozenset({*KEY_TRANSPORT_ALGORITHMS, *LEGACY_TRANSPORTS})
"""What metadata may name for key transport, allowed or not; everything else it names is for content."""
_KEY_WRAP: Final = "#kw-"
"""Wrapping a content key with another symmetric key: nothing for a partner's public key."""
