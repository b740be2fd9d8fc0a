"""The ring of a site's keys: its index beside the files, and the keys loaded by it.

Every process looks at the index before it uses a key, so a change counts everywhere at once and without a restart. A
change is made under a lock and written whole. Pairs that the index does not know are as they were before there was one:
`signing` and `encryption` are in use, `encryption-NAME` are published; any other pair is only prepared.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from federation.errors import ConfigurationError, FederationError
from federation.keys import index as indexes
from federation.keys.files import KEY, KeyFiles
from federation.keys.index import ENCRYPTION, IN_USE, PREPARED, PUBLISHED, SIGNING, USES, Index, Record
from federation.saml import certificates
from federation.saml.encryption import DecryptionKey
from federation.saml.signature import SigningKey

INDEX: Final = "ring.json"
_LOCK: Final = ".ring.lock"
_NEVER: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, repr=False)
class Keys:
    """The keys of one moment. Certificates are DER, the one in use first.

    `signing` signs messages. `signing_keys` are all that metadata shows, by name; `following` is the one to come.
    """

    index: Index
    signing: SigningKey
    signing_keys: Mapping[str, SigningKey]
    following: SigningKey | None
    metadata_signing: SigningKey
    decryption: tuple[DecryptionKey, ...]
    signing_certificates: tuple[bytes, ...]
    encryption_certificates: tuple[bytes, ...]
    metadata_certificate: bytes

    def signer(self, name: str = "", person: str = "") -> SigningKey:
        """The key for a connection that names one, or for a person: the one to come, where that is to be tried first.

        A connection whose key was retired gets the one in use.
        """
        if self.following is not None and person and person in self.index.canaries:
            return self.following
        return self.signing_keys.get(name, self.signing)

    @property
    def certificate(self) -> bytes:
        """That of the signing key in use."""
        return self.signing_certificates[0]

    @property
    def fingerprint(self) -> str:
        """The SHA-256 fingerprint of the certificate whose key signs our metadata: what partners pin.

        That key stays the same until it is retired, so that their refresh goes on while the other is already in use.
        """
        return certificates.fingerprint(self.metadata_certificate)

    @property
    def mark(self) -> bytes:
        """Stands for what metadata made of these keys says."""
        held = b"".join((self.metadata_certificate, *self.signing_certificates, *self.encryption_certificates))
        return hashlib.sha256(held).digest()


@dataclass
class Ring:
    """The keys of a directory. May be shared between threads."""

    files: KeyFiles
    _loaded: tuple[object, Keys] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self._index_path = str(self.files.directory / INDEX)

    def current(self) -> Keys:
        """The keys by the index as it is now. Raises `ConfigurationError` that names the file at fault."""
        for _attempt in range(3):
            mark = self._mark()
            if self._loaded is not None and self._loaded[0] == mark:
                return self._loaded[1]
            try:
                keys = _load(self.files, self.index())
            except ConfigurationError:
                if self._mark() != mark:
                    continue  # another process retired a key meanwhile
                raise
            self._loaded = (mark, keys)
            return keys
        raise ConfigurationError(f"the keys in {self.files.directory} change all the time")

    def index(self) -> Index:
        """What is said of each key, with those that only the directory knows."""
        path = self.files.directory / INDEX
        try:
            kept = indexes.from_json(path.read_bytes())
        except FileNotFoundError:
            kept = Index()
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be read: {error.strerror}") from None
        for name in self.files.names():
            if not kept.has(name) and (found := self._found(name)) is not None and not kept.is_retired(found.key_id):
                kept = kept.put(found)
        return kept

    def change(self, how: Callable[[Index], Index]) -> Index:
        """Change the index, alone among all processes, and answer what it was changed to."""
        with self._alone():
            before = self.index()
            after = how(before)
            if after != before:
                self.files.write(INDEX, indexes.to_json(after), replace=True)
            return after

    def prepare(self, use: str, *, common_name: str, now: datetime) -> Record:
        """Make a new pair that nobody else knows of yet."""
        with self._alone():
            index = self.index()
            base = f"{use}-{now:%Y-%m-%d}"
            names = (base, *(f"{base}-{number}" for number in range(2, 100)))
            name = next(each for each in names if not index.has(each))
            self.files.make_pair(name, common_name=common_name, now=now)
            made = self._described(name, use, PREPARED, now)
            self.files.write(INDEX, indexes.to_json(index.put(made)), replace=True)
            return made

    def sweep(self) -> None:
        """Delete what is left of retired keys: files of their names, and the same keys under another."""
        index = self.index()
        for name in self.files.names():
            record = next((each for each in index.records if each.name == name), None)
            if (record is not None and record.state == indexes.RETIRED) or self._is_retired(index, name):
                self.files.delete_pair(name)

    def seal(self, *others: str) -> list[str]:
        """Seal every private key, and these other secrets of the directory; answer the names of the files changed."""
        with self._alone():
            names = [*(name + KEY for name in self.files.names()), *others]
            return [name for name in names if self.files.seal(name)]

    def _is_retired(self, index: Index, name: str) -> bool:
        try:
            return index.is_retired(_key_id(self.files.certificate(name)))
        except FederationError:
            return False

    def _found(self, name: str) -> Record | None:
        """A pair that the index does not know."""
        use = next((use for use in USES if name == use or name.startswith(f"{use}-")), None)
        if use is None:
            return None
        state = IN_USE if name == use else PUBLISHED if use == ENCRYPTION else PREPARED
        return self._described(name, use, state, None)

    def _described(self, name: str, use: str, state: str, created: datetime | None) -> Record:
        certificate = self.files.certificate(name)
        return Record(name, use, state, _key_id(certificate), certificates.fingerprint(certificate), created)

    def _mark(self) -> object:
        try:
            found = os.stat(self._index_path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise ConfigurationError(f"the keys in {self.files.directory} cannot be read: {error.strerror}") from None
        return found.st_mtime_ns, found.st_ino, found.st_size

    @contextmanager
    def _alone(self) -> Iterator[None]:
        try:
            descriptor = os.open(self.files.directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError(f"{self.files.directory} cannot be written: {error.strerror}") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        except OSError as error:
            raise ConfigurationError(f"{self.files.directory} cannot be written: {error.strerror}") from None
        finally:
            os.close(descriptor)


def create_missing(files: KeyFiles, *, common_name: str, now: datetime) -> tuple[str, ...]:
    """Make what a new site needs, and answer the names of the files made. An existing file is never touched.

    Raises `ConfigurationError` when the directory cannot be written, or holds only one half of a pair.
    """
    try:
        files.make_directory()
        if (files.directory / INDEX).exists():
            return ()  # from here on the ring says which keys there are
        made = [files.make_pair(use, common_name=common_name, now=now) for use in USES]
        return tuple(name for pair in made for name in pair)
    except OSError as error:
        raise ConfigurationError(f"keys cannot be made in {files.directory}: {error.strerror}") from None


def _load(files: KeyFiles, index: Index) -> Keys:
    signing = index.current(SIGNING)
    shown = [signing, *index.of(SIGNING, PUBLISHED)]
    signers = {each.name: _signer(files, each) for each in shown}
    former = [each for each in shown if each.superseded_at is not None]
    vouching = min(former, key=lambda each: each.superseded_at or _NEVER, default=signing)
    following = next((each for each in shown if each.is_next), None)
    opening = [index.current(ENCRYPTION), *index.of(ENCRYPTION, PUBLISHED)]
    return Keys(
        index=index,
        signing=signers[signing.name],
        signing_keys=signers,
        following=None if following is None else signers[following.name],
        metadata_signing=signers[vouching.name],
        decryption=tuple(_opener(files, each) for each in opening),
        signing_certificates=tuple(files.certificate(each.name) for each in shown),
        encryption_certificates=tuple(files.certificate(each.name) for each in opening if each.in_metadata),
        metadata_certificate=files.certificate(vouching.name),
    )


def _signer(files: KeyFiles, record: Record) -> SigningKey:
    private, certificate = files.private(record.name), files.certificate(record.name)
    try:
        key = SigningKey.from_pem(private, certificate)
    except ConfigurationError as error:
        raise _unusable(files, str(error)) from None
    if hashlib.sha256(key.public_key).hexdigest() != record.key_id:
        raise _unusable(files, f"{record.name}{KEY} holds another key than {INDEX} says")
    return key


def _opener(files: KeyFiles, record: Record) -> DecryptionKey:
    private = files.private(record.name)
    try:
        key = DecryptionKey.from_pem(private)
    except ConfigurationError as error:
        raise _unusable(files, str(error)) from None
    if hashlib.sha256(key.public_key).hexdigest() != record.key_id:
        raise _unusable(files, f"{record.name}{KEY} holds another key than its certificate or {INDEX} says")
    return key


def _unusable(files: KeyFiles, reason: str) -> ConfigurationError:
    return ConfigurationError(f"the keys in {files.directory} cannot be used: {reason}")


def _key_id(certificate: bytes) -> str:
    return hashlib.sha256(certificates.public_key_of(certificate)).hexdigest()
