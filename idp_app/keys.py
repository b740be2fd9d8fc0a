"""This site's own secrets on disk: its key pairs with their certificates, and one root secret for everything else.

    signing.key.pem, signing.crt.pem            sign our messages and our metadata
    encryption.key.pem, encryption.crt.pem      partners encrypt to this one
    encryption-NAME.key.pem, ...-NAME.crt.pem   any number of further ones: the one to come, and the one that was
    secret.key                                  the root secret

Every encryption pair is published and tried in turn (IIP-IDP19): a new one can be known to all partners before the old
one goes. The root secret is never used itself: each purpose has a key derived from it, so that what one purpose reveals
says nothing about another. Losing it changes every identifier that partners know: back it up.
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
from federation.saml.encryption import DecryptionKey
from federation.saml.signature import SigningKey
from federation.storage.secrets import SecretBox, generate_key, read_key

SIGNING_KEY: Final = "signing.key.pem"
SIGNING_CERTIFICATE: Final = "signing.crt.pem"
ENCRYPTION_KEY: Final = "encryption.key.pem"
ENCRYPTION_CERTIFICATE: Final = "encryption.crt.pem"
FURTHER_ENCRYPTION_KEYS: Final = "encryption-*.key.pem"
ROOT_KEY: Final = "secret.key"

_PAIRS: Final = ((SIGNING_KEY, SIGNING_CERTIFICATE), (ENCRYPTION_KEY, ENCRYPTION_CERTIFICATE))


@dataclass(frozen=True, repr=False)
class Keys:
    """What was read from the directory. Certificates are DER; the encryption ones stand in the order of their keys."""

    signing: SigningKey
    certificate: bytes
    decryption: tuple[DecryptionKey, ...]
    encryption_certificates: tuple[bytes, ...]
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
    one half of a key pair: a new half would not fit it.
    """
    made = []
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for pair in _PAIRS:
            made += _make_pair(directory, *pair, common_name=common_name, now=now)
        if not (directory / ROOT_KEY).exists():
            _write_private(directory / ROOT_KEY, generate_key().encode() + b"\n")
            made.append(ROOT_KEY)
    except OSError as error:
        raise ConfigurationError(f"keys cannot be made in {directory}: {error.strerror}") from None
    return tuple(made)


def _make_pair(directory: Path, key: str, certificate: str, *, common_name: str, now: datetime) -> list[str]:
    match [(directory / name).exists() for name in (key, certificate)]:
        case [True, True]:
            return []
        case [False, False]:
            private_pem, certificate_pem = certificates.generate(common_name, now=now)
            _write_private(directory / key, private_pem)
            _write_private(directory / certificate, certificate_pem)
            return [key, certificate]
    raise ConfigurationError(f"{directory} holds only one of {key} and {certificate}")


def load(directory: Path) -> Keys:
    """Read the keys. Raises `ConfigurationError` that names the file that is missing, too open, or not a key."""
    private_pem = _read_private(directory / SIGNING_KEY)
    certificate_pem = _read(directory / SIGNING_CERTIFICATE)
    encryption = [directory / ENCRYPTION_KEY, *sorted(directory.glob(FURTHER_ENCRYPTION_KEYS))]
    encryption_pems = [(_read_private(path), _read(_certificate_of(path))) for path in encryption]
    root = _read_private(directory / ROOT_KEY)
    try:
        return Keys(
            signing=SigningKey.from_pem(private_pem, certificate_pem),
            certificate=certificates.load_certificate(certificate_pem),
            decryption=tuple(DecryptionKey.from_pem(private) for private, _ in encryption_pems),
            encryption_certificates=tuple(certificates.load_certificate(public) for _, public in encryption_pems),
            root_secret=read_key(root.decode("ascii", errors="replace")),
        )
    except (FederationError, ValueError) as error:
        raise ConfigurationError(f"the keys in {directory} cannot be used: {error}") from None


def _certificate_of(key: Path) -> Path:
    return key.with_name(key.name.removesuffix(".key.pem") + ".crt.pem")


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
