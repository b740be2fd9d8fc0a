"""Getting a source's document: conditionally, within limits, never from where it must not come."""

from __future__ import annotations

import base64
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from federation.errors import ConfigurationError, FederationError
from federation.http import Answer, Client, Policy
from federation.registry.columns import FILE, SourceColumns
from federation.saml.metadata.aggregate import MAX_AGGREGATE
from federation.saml.metadata.reading import MAX_DOCUMENT

DOCUMENT_TIMEOUT: Final = 30.0
AGGREGATE_TIMEOUT: Final = 300.0
"""Seconds for the whole exchange, redirects included."""
ACCEPT: Final = "application/samlmetadata+xml, application/xml;q=0.8, text/xml;q=0.7, */*;q=0.1"


class Unavailable(FederationError):
    """The source has no document for us now: another status than 200, or a file that cannot be read."""

    rule = "metadata.source"

    def __init__(self, where: str, reason: str) -> None:
        super().__init__(where, reason)
        self.where = where
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document, and what to ask with next time; `document` is None when it is the one we have."""

    document: bytes | None = field(repr=False)
    etag: str | None = None
    last_modified: str | None = None


def is_pinned(source: SourceColumns) -> bool:
    """Whether a signature by a known key is what the source is believed for."""
    return bool(source.signer_fingerprints or source.signer_certificates)


def size_limit(source: SourceColumns) -> int:
    """How many octets a document of this source may have."""
    return MAX_DOCUMENT if source.entity_id is not None else MAX_AGGREGATE


def fetch(source: SourceColumns, policy: Policy, *, ssl_context: ssl.SSLContext | None = None) -> Fetched:
    """The source's document, or the news that it has not changed.

    Raises `Unavailable`, `http.Unreachable` and `http.Forbidden`.
    """
    if source.kind == FILE:
        return Fetched(_read(Path(source.location), size_limit(source)))
    headers = {"Accept": ACCEPT}
    if source.etag is not None:
        headers["If-None-Match"] = source.etag
    if source.last_modified is not None:
        headers["If-Modified-Since"] = source.last_modified
    with client_for(source, policy, ssl_context=ssl_context) as client:
        answer = client.request("GET", source.location, headers=headers)
    if answer.status == 304:
        return Fetched(None, source.etag, source.last_modified)
    return Fetched(_content(answer, source.location), _validator(answer, "etag"), _validator(answer, "last-modified"))


@contextlib.contextmanager
def client_for(
    source: SourceColumns, policy: Policy, *, ssl_context: ssl.SSLContext | None = None, timeout: float | None = None
) -> Iterator[Client]:
    """A client for one exchange with a source. Only what is signed by a pinned key may come from another site."""
    if timeout is None:
        timeout = DOCUMENT_TIMEOUT if source.entity_id is not None else AGGREGATE_TIMEOUT
    with Client(
        policy,
        timeout=timeout,
        max_bytes=size_limit(source),
        ssl_context=ssl_context,
        other_sites=is_pinned(source),
    ) as client:
        yield client


def certificates_of(source: SourceColumns) -> list[bytes]:
    """The pinned certificates, as DER."""
    return [base64.b64decode(each) for each in source.signer_certificates]


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise Unavailable(str(path), error.strerror or "it cannot be read") from None
    if len(content) > limit:
        raise Unavailable(str(path), f"it has more than {limit} bytes")
    return content


def _content(answer: Answer, url: str) -> bytes:
    if answer.status != 200:
        raise Unavailable(url, f"the answer has the status {answer.status}")
    return answer.content


def _validator(answer: Answer, name: str) -> str | None:
    """A validator to send back, unless it is absurd."""
    value = answer.headers.get(name)
    return value if value is not None and len(value) <= 256 and value.isprintable() else None


def require_readable(path: Path) -> None:
    """Raise `ConfigurationError` unless there is a file."""
    if not path.is_file():
        raise ConfigurationError(f"there is no file {path}")
