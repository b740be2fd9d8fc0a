"""Key files: written whole or not at all, readable by one user, and sealed where the site has a secret for that.

A pair is `NAME.key.pem` and `NAME.crt.pem`. A sealed file holds `SecretBox`'s text in place of the key; which of both
it is, its first octets say.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.errors import ConfigurationError, Malformed
from federation.saml import certificates
from federation.storage.secrets import Sealed, SecretBox, read_key

KEY: Final = ".key.pem"
CERTIFICATE: Final = ".crt.pem"
_SEALED: Final = b"1."
"""What sealed text begins with; neither a PEM file nor base64 does."""


@dataclass(frozen=True, repr=False)
class KeyFiles:
    """One directory of keys, and the box they are sealed with, if any."""

    directory: Path
    box: SecretBox | None = None

    @classmethod
    def of(cls, directory: Path, secrets: Sequence[str] = ()) -> KeyFiles:
        """The directory, sealed with the first of these secrets (32 octets in base64); the others still open.

        Raises `ConfigurationError`.
        """
        return cls(directory, SecretBox(*map(read_key, secrets)) if secrets else None)

    def names(self) -> list[str]:
        """The names of the pairs of which the private half is there."""
        return sorted(path.name.removesuffix(KEY) for path in self.directory.glob(f"*{KEY}"))

    def private(self, name: str) -> bytes:
        """The private key of a pair, as unencrypted PEM. Raises `ConfigurationError`."""
        return self.secret(name + KEY)

    def certificate(self, name: str) -> bytes:
        """The certificate of a pair, as DER. Raises `ConfigurationError`."""
        content = self._read(self.directory / (name + CERTIFICATE))
        try:
            return certificates.load_certificate(content)
        except Malformed:
            raise ConfigurationError(
                f"the keys in {self.directory} cannot be used: {name}{CERTIFICATE} is no certificate"
            ) from None

    def secret(self, file_name: str) -> bytes:
        """What a private file holds, unsealed. Raises `ConfigurationError` also where others may open it."""
        path = self.directory / file_name
        content = self._read(path)
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigurationError(f"the key file {path} is open to other users: chmod 600 it")
        if not content.startswith(_SEALED):
            return content
        if self.box is None:
            raise ConfigurationError(f"the key file {path} is sealed, and the setting keys_secret is empty")
        text = content.decode("ascii", errors="replace").strip()
        return self.box.decrypt(Sealed(text), context=_context(file_name)).encode()

    def is_sealed(self, file_name: str) -> bool:
        """Whether a private file is sealed with the secret that seals at present."""
        content = self._read(self.directory / file_name)
        if not content.startswith(_SEALED) or self.box is None:
            return False
        return self.box.is_current(Sealed(content.decode("ascii", errors="replace").strip()))

    def seal(self, file_name: str) -> bool:
        """Seal a private file that is not, or was sealed with an older secret; answer whether anything was done."""
        if self.box is None:
            raise ConfigurationError("there is nothing to seal with: the setting keys_secret is empty")
        if self.is_sealed(file_name):
            return False
        content = self.secret(file_name)
        self.write(file_name, self._sealed(file_name, content), replace=True)
        return True

    def make_directory(self) -> None:
        """Make the directory, for its user alone."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def make_pair(self, name: str, *, common_name: str, now: datetime, bits: int = 3072) -> list[str]:
        """Make a pair unless it is there, and answer the names of the files made.

        Raises `ConfigurationError` where only one half is there: a new half would not fit it.
        """
        match [(self.directory / (name + ending)).exists() for ending in (KEY, CERTIFICATE)]:
            case [True, True]:
                return []
            case [False, False]:
                private_pem, certificate_pem = certificates.generate(common_name, now=now, bits=bits)
                self.write_secret(name + KEY, private_pem)
                self.write(name + CERTIFICATE, certificate_pem)
                return [name + KEY, name + CERTIFICATE]
        raise ConfigurationError(f"{self.directory} holds only one of {name}{KEY} and {name}{CERTIFICATE}")

    def write_secret(self, file_name: str, content: bytes) -> None:
        """Write a new private file, sealed where there is a box."""
        self.write(file_name, self._sealed(file_name, content) if self.box is not None else content)

    def write(self, file_name: str, content: bytes, *, replace: bool = False) -> None:
        """Write beside and put into place: a file is there whole or not at all.

        Without `replace` an existing one is never touched (`FileExistsError`).
        """
        path = self.directory / file_name
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if replace:
                draft.replace(path)
            else:
                path.hardlink_to(draft)
        finally:
            draft.unlink(missing_ok=True)

    def delete_pair(self, name: str) -> None:
        """Delete a pair, the private half first."""
        for ending in (KEY, CERTIFICATE):
            (self.directory / (name + ending)).unlink(missing_ok=True)

    def _sealed(self, file_name: str, content: bytes) -> bytes:
        assert self.box is not None
        return self.box.encrypt(content.decode("ascii"), context=_context(file_name)).text.encode() + b"\n"

    @staticmethod
    def _read(path: Path) -> bytes:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            raise ConfigurationError(f"the key file {path} is missing: run the upgrade command first") from None
        except OSError as error:
            raise ConfigurationError(f"the key file {path} cannot be read: {error.strerror}") from None


def _context(file_name: str) -> str:
    return f"key-file:{file_name}"
