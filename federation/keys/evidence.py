"""Noting what shows that a partner knows our keys.

A message that was encrypted to one counts only once it was verified, because anybody can encrypt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from federation.errors import ConfigurationError
from federation.keys import index as indexes
from federation.keys.desk import ENCRYPTED, FETCHED
from federation.keys.ring import Keys, Ring
from federation.saml.algorithms import KEY_TRANSPORT_ALGORITHMS
from federation.saml.encryption import DecryptionKey
from federation.saml.encryption_shape import WrappedKey


@dataclass
class Watch:
    """The decryption keys for one message, and which of them opened something.

    RSA PKCS #1 v1.5 opens with any key, so it shows nothing: OAEP alone counts.
    """

    ring: Ring
    keys: Keys
    opened: set[str] = field(default_factory=set)

    @property
    def decryption(self) -> tuple[DecryptionKey, ...]:
        """The keys, watched."""
        return tuple(self._watched(each) for each in self.keys.decryption)

    def note(self, entity_id: str, now: datetime) -> None:
        """The message was verified and came from this partner. Writes at most once for each key published."""
        index = self.keys.index
        dates = [each.published_at for each in index.records if each.key_id in self.opened and each.published_at]
        if not dates:
            return
        as_of = max(dates)
        _note(self.ring, index, entity_id, as_of, ENCRYPTED, now)

    def _watched(self, key: DecryptionKey) -> DecryptionKey:
        return DecryptionKey(public_key=key.public_key, unwrap=self._unwrap(key))

    def _unwrap(self, key: DecryptionKey) -> Callable[[WrappedKey], bytes]:
        def unwrap(wrapped: WrappedKey) -> bytes:
            content_key = key.unwrap(wrapped)
            if wrapped.transport in KEY_TRANSPORT_ALGORITHMS:
                self.opened.add(hashlib.sha256(key.public_key).hexdigest())
            return content_key

        return unwrap


def note_fetch(ring: Ring, keys: Keys, entity_id: str, now: datetime) -> None:
    """Metadata made of these keys was fetched from the address of this partner. Writes at most once for each key."""
    dates = [each.published_at for each in keys.index.records if each.in_metadata and each.published_at]
    if dates:
        _note(ring, keys.index, entity_id, max(dates), FETCHED, now)


def _note(ring: Ring, index: indexes.Index, entity_id: str, as_of: datetime, how: str, now: datetime) -> None:
    known = index.known.get(entity_id)
    if known is not None and known.as_of >= as_of:
        return
    try:
        ring.change(lambda index: indexes.know(index, entity_id, as_of, how, now))
    except ConfigurationError:
        return  # evidence is a help, never a reason to turn anybody away
