"""This site's own keys: files in one directory that only the site's user can read.

    signing.key.pem, signing.crt.pem          sign our requests and our metadata
    encryption.key.pem, encryption.crt.pem    identity providers encrypt to this one
    encryption-NAME.key.pem, …-NAME.crt.pem   any number of further ones: the one to come, and the one that was

Every encryption pair is published and tried in turn (IIP-SP08, IIP-SP16), so a new one can be known to all before the
old one goes.

The certificates only hold the keys: nobody checks who issued them or when they expire (SAML Metadata IOP 2.5.1).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from federation.errors import ConfigurationError
from federation.saml import certificates
from federation.saml.encryption import DecryptionKey
from federation.saml.signature import SigningKey

PURPOSES: Final = ("signing", "encryption")


@dataclass(frozen=True, slots=True, repr=False)
class Keys:
    """The keys in use, loaded once. Certificates are DER; the encryption ones stand in the order of their keys."""

    signing: SigningKey
    decryption: tuple[DecryptionKey, ...]
    signing_certificate: bytes
    encryption_certificates: tuple[bytes, ...]

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate that holds the signing key: what the other side confirms."""
        return certificates.fingerprint(self.signing_certificate)


def load(directory: Path) -> Keys:
    """Read the keys. Raises `ConfigurationError` when one is missing, unreadable, or readable by other users."""
    signing_key, signing_certificate = _read_pair(directory, "signing")
    further = sorted(path.name.removesuffix(".key.pem") for path in directory.glob("encryption-*.key.pem"))
    pairs = [_read_pair(directory, name) for name in ("encryption", *further)]
    return Keys(
        signing=SigningKey.from_pem(signing_key, signing_certificate),
        decryption=tuple(DecryptionKey.from_pem(private) for private, _ in pairs),
        signing_certificate=certificates.load_certificate(signing_certificate),
        encryption_certificates=tuple(certificates.load_certificate(public) for _, public in pairs),
    )


def make_missing(directory: Path, *, common_name: str, now: datetime) -> tuple[str, ...]:
    """Make the pairs that are not there yet and answer their purposes. Never touches a file that exists."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = []
    for purpose in PURPOSES:
        key_file, certificate_file = _files(directory, purpose)
        if key_file.exists():
            continue
        private, certificate = certificates.generate(common_name, now=now)
        _write(certificate_file, certificate, mode=0o644)
        _write(key_file, private, mode=0o600)
        made.append(purpose)
    return tuple(made)


def _read_pair(directory: Path, purpose: str) -> tuple[bytes, bytes]:
    key_file, certificate_file = _files(directory, purpose)
    try:
        if stat.S_IMODE(key_file.stat().st_mode) & 0o077:
            raise ConfigurationError(f"{key_file} can be read by other users: it should have mode 0600")
        return key_file.read_bytes(), certificate_file.read_bytes()
    except FileNotFoundError as error:
        raise ConfigurationError(f"{error.filename} is missing: run the upgrade command first") from None
    except OSError as error:
        raise ConfigurationError(f"{error.filename} cannot be read: {error.strerror}") from None


def _files(directory: Path, purpose: str) -> tuple[Path, Path]:
    return directory / f"{purpose}.key.pem", directory / f"{purpose}.crt.pem"


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a new file whole: it appears under its name only when it is complete."""
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.replace(path)
