"""What the ring says of each key, and how that may change. Pure: values and a time in, values out.

A change that makes no sense is a `PolicyRefusal` (rule `keys.state`) that says what to do first.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from federation.errors import ConfigurationError, PolicyRefusal

PREPARED: Final = "prepared"
PUBLISHED: Final = "published"
SEEN: Final = "seen"
IN_USE: Final = "in use"
RETIRED: Final = "retired"
SIGNING: Final = "signing"
ENCRYPTION: Final = "encryption"
USES: Final = (SIGNING, ENCRYPTION)
_DATES: Final = ("created", "published_at", "in_use_at", "superseded_at", "retired_at", "promote_on")


@dataclass(frozen=True, slots=True)
class Record:
    """One key. `key_id` is the SHA-256 of its public key: a retired one is known again under any name.

    `promote_on` and `promote_share` (percent of the partners) say when the worker promotes it.
    """

    name: str
    use: str
    state: str
    key_id: str
    fingerprint: str = ""
    created: datetime | None = None
    published_at: datetime | None = None
    in_use_at: datetime | None = None
    superseded_at: datetime | None = None
    retired_at: datetime | None = None
    promote_on: datetime | None = None
    promote_share: int | None = None

    @property
    def in_metadata(self) -> bool:
        """Whether partners find it in our metadata: an encryption key that was taken over from is there no more."""
        return self.state == IN_USE or (self.state == PUBLISHED and (self.use == SIGNING or self.superseded_at is None))

    @property
    def is_next(self) -> bool:
        """Published and not used yet."""
        return self.state == PUBLISHED and self.superseded_at is None


@dataclass(frozen=True, slots=True)
class Knowledge:
    """A partner has read our metadata as it was at `as_of`: by which evidence, and noted when."""

    as_of: datetime
    how: str
    noted: datetime


@dataclass(frozen=True, slots=True)
class Index:
    """The ring as it is kept: its keys, what partners know, and the people who get the next key's signature first."""

    records: tuple[Record, ...] = ()
    known: Mapping[str, Knowledge] = field(default_factory=dict)
    canaries: tuple[str, ...] = ()

    def get(self, name: str) -> Record:
        """The key of that name. Raises `PolicyRefusal`."""
        found = next((each for each in self.records if each.name == name), None)
        if found is None:
            raise PolicyRefusal("keys.unknown", f"there is no key {name!r}")
        return found

    def of(self, use: str, *states: str) -> tuple[Record, ...]:
        """The keys for one use in these states."""
        return tuple(each for each in self.records if each.use == use and each.state in states)

    def current(self, use: str) -> Record:
        """The one in use. Raises `ConfigurationError`."""
        found = self.of(use, IN_USE)
        if not found:
            raise ConfigurationError(
                f"no {use} key is in use: the key file {use}.key.pem is missing: run the upgrade command first"
            )
        return found[0]

    def put(self, changed: Record) -> Index:
        """With this record in place of the one of its name, or at the end."""
        kept = [changed if each.name == changed.name else each for each in self.records]
        return replace(self, records=tuple(kept if self.has(changed.name) else [*kept, changed]))

    def has(self, name: str) -> bool:
        """Whether there is or was a key of that name."""
        return any(each.name == name for each in self.records)

    def is_retired(self, key_id: str) -> bool:
        """Whether this very key was retired once."""
        return any(each.state == RETIRED and each.key_id == key_id for each in self.records)


def publish(index: Index, name: str, now: datetime) -> Index:
    """Into the metadata."""
    record = index.get(name)
    if record.state != PREPARED:
        raise _refusal(record, "only a prepared key can be published")
    return index.put(replace(record, state=PUBLISHED, published_at=now))


def promote(index: Index, name: str, now: datetime) -> Index:
    """Into use; the one that was stays published until it is retired."""
    record = index.get(name)
    if record.state != PUBLISHED:
        raise _refusal(record, "publish it first" if record.state == PREPARED else "only a published key is promoted")
    former = index.current(record.use)
    index = index.put(replace(former, state=PUBLISHED, superseded_at=now))
    used = replace(record, state=IN_USE, in_use_at=now, superseded_at=None, promote_on=None, promote_share=None)
    return index.put(used)


def plan(index: Index, name: str, *, on: datetime | None, share: int | None) -> Index:
    """Have the worker promote it: at a time, or when this percentage of the partners knows it, whichever is first."""
    record = index.get(name)
    if not record.is_next:
        raise _refusal(record, "only a published key that is not in use yet waits for its promotion")
    return index.put(replace(record, promote_on=on, promote_share=share))


def retire(index: Index, name: str, now: datetime, *, wait: timedelta) -> Index:
    """Out of everything. A key that partners may still encrypt to waits for `wait` since another took over."""
    record = index.get(name)
    if record.state == RETIRED:
        raise _refusal(record, "that is done already")
    if record.state == IN_USE:
        raise _refusal(record, "promote another one first")
    if (
        record.use == ENCRYPTION
        and record.state == PUBLISHED
        and record.superseded_at is None
        and record.published_at is None
        and wait
    ):
        raise _refusal(record, "nobody noted since when partners encrypt to it; retire it at once if none does")
    used_until = record.superseded_at if record.superseded_at is not None else record.published_at
    if record.use == ENCRYPTION and used_until is not None and now < used_until + wait:
        raise _refusal(
            record,
            f"until {used_until + wait:%Y-%m-%d %H:%M} UTC a partner may hold a copy of our metadata by which it "
            "encrypts to this key; retire it then, or at once if none does",
        )
    return index.put(replace(record, state=RETIRED, retired_at=now, promote_on=None, promote_share=None))


def know(index: Index, entity_id: str, as_of: datetime, how: str, now: datetime) -> Index:
    """Note that a partner has read our metadata as of an instant; what was known before and reaches further stays."""
    before = index.known.get(entity_id)
    if before is not None and before.as_of >= as_of:
        return index
    return replace(index, known={**index.known, entity_id: Knowledge(as_of, how, now)})


def knows(index: Index, entity_id: str, record: Record) -> bool:
    """Whether there is evidence that a partner has read our metadata since this key is in it."""
    known = index.known.get(entity_id)
    if record.published_at is None:
        return record.in_metadata
    return known is not None and known.as_of >= record.published_at


def _refusal(record: Record, reason: str) -> PolicyRefusal:
    return PolicyRefusal("keys.state", f"the key {record.name} is {record.state}: {reason}")


def to_json(index: Index) -> bytes:
    """As the file keeps it."""
    document = {
        "version": 1,
        "keys": [{key: value for key, value in asdict(each).items() if value is not None} for each in index.records],
        "known": {entity_id: asdict(each) for entity_id, each in sorted(index.known.items())},
        "canaries": list(index.canaries),
    }
    return json.dumps(document, indent=1, default=datetime.isoformat).encode() + b"\n"


def from_json(content: bytes) -> Index:
    """What `to_json` wrote. Raises `ConfigurationError`."""
    try:
        document = json.loads(content)
        if document["version"] != 1:
            raise ConfigurationError("the index of the keys was written by a newer release")
        return Index(
            tuple(_record(each) for each in document["keys"]),
            {
                entity_id: Knowledge(
                    datetime.fromisoformat(each["as_of"]), each["how"], datetime.fromisoformat(each["noted"])
                )
                for entity_id, each in document["known"].items()
            },
            tuple(document["canaries"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ConfigurationError("the index of the keys (ring.json) is damaged: restore it from the backup") from None


def _record(values: Mapping[str, Any]) -> Record:
    read: dict[str, Any] = {
        key: datetime.fromisoformat(value) if key in _DATES else value for key, value in values.items()
    }
    return Record(**read)
