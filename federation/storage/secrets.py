"""AES-GCM for secrets that must be read again: the bearer token of a partner, not a password (that one is hashed).

Each value is bound to its place by `context` (say `"connection:4f1c:provisioning_token"`), so a value copied to another
row or column does not open. Each value names the key that sealed it, so keys can be rotated: the first seals, all open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from federation.errors import ConfigurationError

_VERSION: Final = "1"
_NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, repr=False)
class Sealed:
    """A sealed value as stored: `version.key-id.base64url(nonce + ciphertext + tag)`. Its repr hides even that."""

    text: str

    def __repr__(self) -> str:
        return "Sealed(…)"


class SecretBox:
    """Seals and opens with 256-bit keys. The first key seals; every key given opens what it sealed once."""

    def __init__(self, key: bytes, *older_keys: bytes) -> None:
        keys = (key, *older_keys)
        if any(len(each) != KEY_BYTES for each in keys):
            raise ConfigurationError(f"the secret key must be {KEY_BYTES} bytes long")
        self._keys = {_key_id(each): AESGCM(each) for each in keys}
        self._key_id = _key_id(key)

    def __repr__(self) -> str:
        return f"SecretBox({', '.join(self._keys)})"

    def encrypt(self, plain: str, *, context: str) -> Sealed:
        """Seal a text for one place."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = self._keys[self._key_id].encrypt(nonce, plain.encode(), self._bound(self._key_id, context))
        return Sealed(f"{_VERSION}.{self._key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode('ascii')}")

    def decrypt(self, sealed: Sealed, *, context: str) -> str:
        """Open a text that was sealed for this place. Raises ConfigurationError when that fails."""
        try:
            version, key_id, encoded = sealed.text.split(".")
            octets = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (ValueError, binascii.Error):
            raise ConfigurationError(f"the stored secret for {context} is damaged") from None
        box = self._keys.get(key_id) if version == _VERSION else None
        if box is None:
            raise ConfigurationError(f"the stored secret for {context} was sealed with another key ({key_id})")
        try:
            return box.decrypt(octets[:_NONCE_BYTES], octets[_NONCE_BYTES:], self._bound(key_id, context)).decode()
        except (InvalidTag, ValueError):
            raise ConfigurationError(f"the stored secret for {context} is damaged or belongs elsewhere") from None

    def is_current(self, sealed: Sealed) -> bool:
        """Whether the value was sealed with the first key: what is not should be sealed afresh after a rotation."""
        return sealed.text.startswith(f"{_VERSION}.{self._key_id}.")

    @staticmethod
    def _bound(key_id: str, context: str) -> bytes:
        return f"{_VERSION}.{key_id}.{context}".encode()


def generate_key() -> str:
    """A new key in base64, as `read_key` takes it: what a key file holds."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode("ascii")


def read_key(text: str) -> bytes:
    """Read a key from base64. Raises ConfigurationError; the sentence does not echo the text."""
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigurationError(f"a secret key is {KEY_BYTES} random bytes in base64")
    return key


def _key_id(key: bytes) -> str:
    return hashlib.sha256(b"saml-federation key id" + key).hexdigest()[:8]
