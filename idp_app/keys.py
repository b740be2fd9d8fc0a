"""This site's own secrets on disk: the ring of its key pairs (`federation.keys`), and one root secret for all the rest.

The root secret, `secret.key`, is never used itself: each purpose has a key derived from it, so that what one purpose
reveals says nothing about another. Losing it changes every identifier that partners know: back it up.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.errors import ConfigurationError
from federation.keys import ring
from federation.keys.files import KeyFiles
from federation.keys.ring import Ring
from federation.storage.secrets import SecretBox, generate_key, read_key

ROOT_KEY: Final = "secret.key"


@dataclass(frozen=True, repr=False)
class Keys(ring.Keys):
    """The ring's keys of one moment, and the root secret."""

    root_secret: bytes

    def derive(self, purpose: str) -> bytes:
        """32 octets for one purpose (HMAC-SHA256 of its name under the root secret)."""
        return hmac.digest(self.root_secret, purpose.encode(), hashlib.sha256)

    def secret_box(self) -> SecretBox:
        """The box for secrets that must be read again, such as a partner's token."""
        return SecretBox(self.derive("secret-box"))


class KeyStore:
    """The ring with the root secret; every look at it gives what is true now."""

    def __init__(self, files: KeyFiles) -> None:
        self.ring = Ring(files)
        loaded = self.ring.current()
        try:
            self._root = read_key(files.secret(ROOT_KEY).decode("ascii", errors="replace"))
        except ConfigurationError as error:
            if ROOT_KEY in error.message:
                raise
            raise ConfigurationError(f"the keys in {files.directory} cannot be used: {error}") from None
        self._current = (loaded, self._with_root(loaded))

    def current(self) -> Keys:
        """The keys as they are now. Raises `ConfigurationError`."""
        loaded = self.ring.current()
        base, keys = self._current
        if base is not loaded:
            keys = self._with_root(loaded)
            self._current = (loaded, keys)
        return keys

    def _with_root(self, loaded: ring.Keys) -> Keys:
        values = {each.name: getattr(loaded, each.name) for each in fields(loaded)}
        return Keys(**values, root_secret=self._root)


def create_missing(directory: Path, *, common_name: str, now: datetime, secrets: Sequence[str] = ()) -> tuple[str, ...]:
    """Make what is not there yet, readable by the current user only, and answer the names of the files made.

    An existing file is never touched. Raises `ConfigurationError` when the directory cannot be written, or holds only
    one half of a key pair: a new half would not fit it.
    """
    files = KeyFiles.of(directory, secrets)
    made = ring.create_missing(files, common_name=common_name, now=now)
    try:
        if not (directory / ROOT_KEY).exists():
            files.write_secret(ROOT_KEY, generate_key().encode() + b"\n")
            made = (*made, ROOT_KEY)
    except OSError as error:
        raise ConfigurationError(f"keys cannot be made in {directory}: {error.strerror}") from None
    return made


def load(directory: Path, secrets: Sequence[str] = ()) -> Keys:
    """The keys now. Raises `ConfigurationError` that names the file that is missing, too open, or not a key."""
    return KeyStore(KeyFiles.of(directory, secrets)).current()
