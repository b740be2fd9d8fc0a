"""The ciphers behind XML Encryption: content by AES, its key by RSA (XML Encryption 1.1, 5.2, 5.5).

What cannot be opened is `None` or a `ValueError` and nothing more: which of the two steps failed, and how, stays here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from federation.saml.names import Algorithm

KEY_SIZES: Final[Mapping[str, int]] = {
    Algorithm.AES128_GCM: 16,
    Algorithm.AES256_GCM: 32,
    Algorithm.AES128_CBC: 16,
    Algorithm.AES192_CBC: 24,
    Algorithm.AES256_CBC: 32,
}
"""Octets of the content key, for every content method that we know."""

_NONCE: Final = 12
_BLOCK: Final = 16
_GCM: Final = frozenset({Algorithm.AES128_GCM, Algorithm.AES256_GCM})
_HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    Algorithm.SHA1: hashes.SHA1(),  # noqa: S303 - OAEP needs no collision resistance
    Algorithm.SHA256: hashes.SHA256(),
    Algorithm.MGF1_SHA1: hashes.SHA1(),  # noqa: S303 - a mask function, no signature
    Algorithm.MGF1_SHA256: hashes.SHA256(),
}


def seal(method: str, key: bytes, content: bytes, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """Encrypt content: nonce or initialisation vector in front, as XML Encryption writes it."""
    if method in _GCM:
        nonce = random(_NONCE)
        return nonce + AESGCM(key).encrypt(nonce, content, None)
    vector, missing = random(_BLOCK), _BLOCK - len(content) % _BLOCK
    encryptor = Cipher(AES(key), CBC(vector)).encryptor()
    padded = content + random(missing - 1) + bytes([missing])
    return vector + encryptor.update(padded) + encryptor.finalize()


def unseal(method: str, key: bytes, sealed: bytes) -> bytes | None:
    """Decrypt content. None when it is not for this key, or broken: with CBC what comes out may also be nonsense."""
    if method in _GCM:
        try:
            return AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], None)
        except (InvalidTag, ValueError):
            return None
    if len(sealed) < 2 * _BLOCK or len(sealed) % _BLOCK:
        return None
    decryptor = Cipher(AES(key), CBC(sealed[:_BLOCK])).decryptor()
    padded = decryptor.update(sealed[_BLOCK:]) + decryptor.finalize()
    return padded[: -padded[-1]] if 1 <= padded[-1] <= _BLOCK else None


def wrap(public: rsa.RSAPublicKey, key: bytes, transport: str, digest: str, mask: str) -> bytes:
    """Encrypt a content key."""
    return public.encrypt(key, _padding(transport, digest, mask))


def unwrap(
    private: rsa.RSAPrivateKey, wrapped: bytes, transport: str, digest: str, mask: str, label: bytes = b""
) -> bytes:
    """Decrypt a content key. Raises `ValueError` when it is not for this key; with PKCS #1 v1.5 it may be nonsense."""
    chosen = _labelled(transport, digest, mask, label) if label else _padding(transport, digest, mask)
    return private.decrypt(wrapped, chosen)


@cache
def _padding(transport: str, digest: str, mask: str) -> padding.AsymmetricPadding:
    return _labelled(transport, digest, mask, b"")


def _labelled(transport: str, digest: str, mask: str, label: bytes) -> padding.AsymmetricPadding:
    if transport == Algorithm.RSA_1_5:
        return padding.PKCS1v15()
    return padding.OAEP(mgf=padding.MGF1(_HASHES[mask]), algorithm=_HASHES[digest], label=label or None)
