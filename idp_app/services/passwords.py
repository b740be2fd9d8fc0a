"""Passwords, hashed with argon2id (RFC 9106)."""

from __future__ import annotations

import secrets
import unicodedata
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from idp_app.errors import InvalidInput
from idp_app.settings import IdPSettings

MIN_LENGTH: Final = 8
MAX_LENGTH: Final = 1024
"""A bound on the work that a request can cause; no person's passphrase reaches it."""


class Passwords:
    """Hashes and verifies with the parameters of the settings. Safe to share between threads."""

    def __init__(self, settings: IdPSettings) -> None:
        self._hasher = PasswordHasher(
            time_cost=settings.password_time_cost,
            memory_cost=settings.password_memory_kib,
            parallelism=settings.password_parallelism,
            type=Type.ID,
        )
        # For people who do not exist or have no password: verifying costs the same time and never succeeds.
        self._nobody = self._hasher.hash(secrets.token_urlsafe(32))

    def hash(self, password: str) -> str:
        """The encoded hash of a new password. Raises `InvalidInput` for one that is too short or too long."""
        password = _normal(password)
        if len(password) < MIN_LENGTH:
            raise InvalidInput("password", f"must have at least {MIN_LENGTH} characters")
        if len(password) > MAX_LENGTH:
            raise InvalidInput("password", f"must have at most {MAX_LENGTH} characters")
        return self._hasher.hash(password)

    def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password fits the hash. Without a hash it takes as long and the answer is no."""
        try:
            self._hasher.verify(encoded or self._nobody, _normal(password)[:MAX_LENGTH])
        except (VerificationError, InvalidHashError):
            return False
        return encoded is not None

    def is_outdated(self, encoded: str) -> bool:
        """Whether the hash was made with other parameters than today's: hash the password again at this sign-in."""
        return self._hasher.check_needs_rehash(encoded)


def _normal(password: str) -> str:
    """One form for what keyboards produce differently (RFC 8265 4.2); lone surrogates fit nothing."""
    return unicodedata.normalize("NFC", password).encode(errors="replace").decode()
