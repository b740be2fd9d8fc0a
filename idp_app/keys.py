"""This site's own secrets on disk: the signing key with its certificate, and one root secret for everything else.

Three files lie in one directory. The root secret is never used itself: each purpose has a key derived from it, so that
what one purpose reveals says nothing about another. Losing it changes every identifier that partners know: back it up.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.errors import ConfigurationError, FederationError
from federation.saml import certificates
from federation.saml.signature import SigningKey
from federation.storage.secrets import SecretBox, generate_key, read_key

SIGNING_KEY: Final = "signing.key.pem"
SIGNING_CERTIFICATE: Final = "signing.crt.pem"
ROOT_KEY: Final = "secret.key"


@dataclass(frozen=True, repr=False)
class Keys:
    """What was read from the directory. `certificate` is DER."""

    signing: SigningKey
    certificate: bytes
    root_secret: bytes

    def derive(self, purpose: str) -> bytes:
        """32 octets for one purpose (HMAC-SHA256 of its name under the root secret)."""
        return hmac.digest(self.root_secret, purpose.encode(), hashlib.sha256)

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint of the signing certificate: what partners pin."""
        return certificates.fingerprint(self.certificate)

    def secret_box(self) -> SecretBox:
        """The box for secrets that must be read again, such as a partner's token."""
        return SecretBox(self.derive("secret-box"))


def create_missing(directory: Path, *, common_name: str, now: datetime) -> tuple[str, ...]:
    """Make what is not there yet, readable by the current user only, and answer the names of the files made.

    An existing file is never touched. Raises `ConfigurationError` when the directory cannot be written, or holds only
    one half of the key pair: a new half would not fit it.
    """
    made = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        pair = (directory / SIGNING_KEY, directory / SIGNING_CERTIFICATE)
        match [path.exists() for path in pair]:
            case [False, False]:
                private_pem, certificate_pem = certificates.generate(common_name, now=now)
                _write_private(pair[0], private_pem)
                _write_private(pair[1], certificate_pem)
                made += [SIGNING_KEY, SIGNING_CERTIFICATE]
            case [True, False] | [False, True]:
                raise ConfigurationError(f"{directory} holds only one of {SIGNING_KEY} and {SIGNING_CERTIFICATE}")
        if not (directory / ROOT_KEY).exists():
            _write_private(directory / ROOT_KEY, generate_key().encode() + b"\n")
            made.append(ROOT_KEY)
    except OSError as error:
        raise ConfigurationError(f"keys cannot be made in {directory}: {error.strerror}") from None
    return tuple(made)


def load(directory: Path) -> Keys:
    """Read the keys. Raises `ConfigurationError` that names the file that is missing, too open, or not a key."""
    private_pem = _read_private(directory / SIGNING_KEY)
    certificate_pem = _read(directory / SIGNING_CERTIFICATE)
    root = _read_private(directory / ROOT_KEY)
    try:
        return Keys(
            signing=SigningKey.from_pem(private_pem, certificate_pem),
            certificate=certificates.load_certificate(certificate_pem),
            root_secret=read_key(root.decode("ascii", errors="replace")),
        )
    except (FederationError, ValueError) as error:
        raise ConfigurationError(f"the keys in {directory} cannot be used: {error}") from None


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError(f"the key file {path} is missing: run the upgrade command first") from None
    except OSError as error:
        raise ConfigurationError(f"the key file {path} cannot be read: {error.strerror}") from None


def _read_private(path: Path) -> bytes:
    content = _read(path)
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise ConfigurationError(f"the key file {path} is open to other users: chmod 600 it")
    return content


def _write_private(path: Path, content: bytes) -> None:
    """Write beside and link into place: a file is there whole or not at all, and never replaces another."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(draft)
    finally:
        draft.unlink()
