"""Signed documents that roll: made afresh in each period, and the same for everybody within it.

Several workers and processes sign the same octets, so entity tags and caches agree; and a fetch costs no signature.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from threading import Lock
from typing import Final, Generic, TypeVar

from federation.saml import signature
from federation.saml.codec import metadata as codec
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.publishing import DEFAULT_CACHE_DURATION, publish

PERIOD: Final = timedelta(hours=1)
"""A document is signed afresh so often; within a period it stays the same and conditional requests cost nothing."""
GZIP: Final = "gzip"

_EPOCH: Final = datetime.fromtimestamp(0, UTC)
_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


@dataclass(frozen=True)
class Document:
    """A signed document to send, its strong entity tag, when it was signed, and until when it holds."""

    body: bytes = field(repr=False)
    etag: str
    last_modified: datetime
    valid_until: datetime

    @cached_property
    def compressed(self) -> bytes:
        """The body with the content coding gzip, the same octets from every process."""
        return gzip.compress(self.body, mtime=0)


def beginning(now: datetime, period: timedelta = PERIOD) -> datetime:
    """When the current period began."""
    return max(_EPOCH, now - (now - _EPOCH) % period)


def document_id(content: bytes, issued: datetime) -> str:
    """An XML ID for a document of some content in one period: another one in the next."""
    return f"_{hashlib.sha256(content + issued.isoformat().encode()).hexdigest()[:40]}"


def entity_tag(body: bytes, coding: str = "") -> str:
    """The strong entity tag of a body; each content coding, such as gzip, has one of its own (RFC 9110 8.8.3.3)."""
    suffix = f"-{coding}" if coding else ""
    return f'"{hashlib.sha256(body).hexdigest()[:40]}{suffix}"'


def is_current(if_none_match: str, etag: str) -> bool:
    """Whether an If-None-Match header names the tag, by weak comparison: then the answer is 304 (RFC 9110 13.1.2)."""
    return if_none_match.strip() == "*" or etag in _TAG.findall(if_none_match)


def own(
    entity: Entity, *, signing_key: signature.SigningKey, now: datetime, validity: timedelta, period: timedelta = PERIOD
) -> Document:
    """Our own metadata as a document of the current period: validUntil and cacheDuration roll with it."""
    issued = beginning(now, period)
    body = publish(
        entity,
        signing_key=signing_key,
        document_id=document_id(codec.entity_descriptor(entity), issued),
        now=issued,
        validity=validity,
        cache_duration=min(DEFAULT_CACHE_DURATION, validity / 4),
    )
    return Document(body, entity_tag(body), issued, issued + validity)


D = TypeVar("D", Document, "Document | None")


class Shelf(Generic[D]):
    """Keeps the documents of the current period, each under a name with what it was made of.

    Threads share it. One of them makes a document, the others wait for it instead of signing it too.

    A document was last modified when it was made here, not when its period began: what it says may have changed since,
    and whoever asks by date alone must hear of it. So the date grows by a second at least, which is all it can tell.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._kept: dict[str, tuple[object, datetime, D]] = {}

    def current(self, name: str, made_of: object, now: datetime, make: Callable[[], D]) -> D:
        """The document of a name: what is kept if it was made of the same in this period, else a new one."""
        with self._lock:
            kept = self._kept.get(name)
            if kept is None or kept[0] != made_of or kept[1] != beginning(now):
                before = kept[2] if kept is not None else None
                kept = self._kept[name] = (made_of, beginning(now), _modified(make(), now, before))
            return kept[2]


def _modified(made: D, now: datetime, before: Document | None) -> D:
    if made is None:
        return made
    least = now if before is None else max(now, before.last_modified + timedelta(seconds=1))
    return replace(made, last_modified=least)
