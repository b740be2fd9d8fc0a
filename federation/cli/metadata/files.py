"""What `federation metadata` reads and writes: documents, certificates and keys in files, an instant in an option."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from federation.errors import FederationError

if TYPE_CHECKING:
    from federation.saml.metadata.aggregate import Member
    from federation.saml.metadata.entity import Entity
    from federation.saml.metadata.origin import Pins
    from federation.saml.signature import SigningKey


def octets(file: Path) -> bytes:
    """The file's content, or one octet more than the limit, so that the rule about size is the one that refuses."""
    from federation.saml.metadata.aggregate import MAX_AGGREGATE

    with file.open("rb") as stream:
        return stream.read(MAX_AGGREGATE + 1)


def now(text: str | None) -> datetime:
    from federation.saml.times import parse_instant

    if text is None:
        return datetime.now(UTC)
    try:
        return parse_instant(text)
    except FederationError:
        raise click.BadParameter(f"{text!r} is not an instant like 2026-03-01T12:00:00Z.", param_hint="--now") from None


def pins(signers: Sequence[str]) -> Pins:
    from federation.saml.certificates import load_certificate
    from federation.saml.metadata.origin import Pins

    files, fingerprints = [], []
    for each in signers:
        if Path(each).is_file():
            files.append(each)
        else:
            fingerprints.append(each)
    try:
        return Pins.of(
            certificates_der=[load_certificate(Path(each).read_bytes()) for each in files], fingerprints=fingerprints
        )
    except FederationError:
        message = "neither a file with a certificate, nor the SHA-256 fingerprint of one."
        raise click.BadParameter(f"{', '.join(signers)}: {message}", param_hint="--signer") from None


def signing_key(key_file: Path, certificate_file: Path) -> SigningKey:
    from federation.saml.signature import SigningKey

    return SigningKey.from_pem(key_file.read_bytes(), certificate_file.read_bytes())


def entities(file: Path) -> Iterator[Entity]:
    """The entities of a document, as they are."""
    from federation.saml import xml
    from federation.saml.metadata.aggregate import MAX_AGGREGATE
    from federation.saml.metadata.reading import read_entities

    for reading in read_entities(xml.parse(octets(file), max_bytes=MAX_AGGREGATE)):
        yield reading.entity


def members(
    documents: Sequence[Path],
    *,
    now: datetime,
    own_entity_id: str | None,
    allow_http_loopback: bool,
    **limits: Any,
) -> Iterator[Member]:
    """The members of all documents; a folder stands for the *.xml in it. Fails with the name of the file at fault."""
    from federation.saml.metadata import aggregate

    first: dict[str, Path] = {}
    for file in (file for each in documents for file in (sorted(each.glob("*.xml")) if each.is_dir() else [each])):
        try:
            verified = aggregate.verify(octets(file), now=now, **limits)
            for member in aggregate.members(
                verified.octets, own_entity_id=own_entity_id, allow_http_loopback=allow_http_loopback, now=now
            ):
                entity_id = member.entity.entity_id
                if entity_id in first:
                    raise click.ClickException(f"{file}: {entity_id} is in {first[entity_id]} already.")
                first[entity_id] = file
                yield member
        except FederationError as error:
            raise click.ClickException(f"{file}: {error.message}") from None


def write(file: Path, octets: bytes) -> None:
    """Write a file as a whole: whoever reads it sees the old or the new document, never half of one."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(octets)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def write_folder(folder: Path, documents: Iterable[tuple[Member, bytes]]) -> int:
    """Write a file for each entity, delete those of entities that are gone, and answer how many were deleted."""
    from federation.saml.metadata.query import sha1_identifier

    folder.mkdir(parents=True, exist_ok=True)
    current = set()
    for member, document in documents:
        current.add(sha1_identifier(member.entity.entity_id))
        write(folder / sha1_identifier(member.entity.entity_id), document)
    gone = [each for each in folder.iterdir() if re.fullmatch(r"\{sha1\}[0-9a-f]{40}", each.name)]
    gone = [each for each in gone if each.name not in current]
    for each in gone:
        each.unlink()
    return len(gone)
