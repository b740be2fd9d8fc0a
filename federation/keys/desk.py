"""What an administrator does with the ring: the same for both apps, their commands, consoles and workers.

Who has "seen" a key is evidence, never a guess. Anybody may fetch our metadata, so that alone is none. What is:

- a partner's verified message was encrypted to one of our keys: it has read metadata since that key was published;
- our metadata was fetched, or asked for by Metadata Query, at the address that was made for this one partner;
- an administrator says so, after having asked;
- the key has been in the metadata for so long that every copy without it has expired (validUntil).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from federation.errors import PolicyRefusal
from federation.keys import expiry
from federation.keys import index as indexes
from federation.keys.expiry import Finding, Level, Partner
from federation.keys.files import KEY
from federation.keys.index import ENCRYPTION, IN_USE, PREPARED, PUBLISHED, RETIRED, SEEN, Index, Record
from federation.keys.ring import Ring

ENCRYPTED: Final = "it encrypted a message to one of our keys"
FETCHED: Final = "it fetched our metadata from its own address"
Recorder = Callable[[str, dict[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Row:
    """A key as it is shown. `state` may be "seen"; `until` is when its certificate expires; `step` what comes next."""

    record: Record
    state: str
    until: datetime | None
    sealed: bool
    laggards: tuple[Partner, ...]
    step: str


@dataclass(frozen=True, slots=True)
class Status:
    """The ring at a glance."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    partners: int
    canaries: tuple[str, ...]

    @property
    def level(self) -> Level:
        """The worst finding's."""
        return max((each.level for each in self.findings), default=Level.GOOD)


@dataclass(frozen=True)
class Desk:
    """The ring, and what it needs to know of the app and the occasion.

    `validity` is that of our metadata, `record` writes the audit trail, `secrets` are further private files. `partners`
    are connected; `others` are not, but people came from or went to them lately: their keys are watched as well.
    """

    ring: Ring
    partners: Sequence[Partner]
    now: datetime
    validity: timedelta
    common_name: str
    metadata_url: str
    record: Recorder
    secrets: tuple[str, ...] = ()
    others: Sequence[Partner] = ()

    def prepare(self, use: str) -> Record:
        """Make a key. Nobody else knows of it yet."""
        made = self.ring.prepare(use, common_name=self.common_name, now=self.now)
        self.record("keys.prepared", {"key": made.name, "fingerprint": made.fingerprint})
        return made

    def publish(self, name: str) -> Index:
        """Show a prepared key in our metadata; an encryption key opens messages from now on."""
        index = self.ring.change(lambda index: indexes.publish(index, name, self.now))
        self.record("keys.published", {"key": name})
        return index

    def promote(self, name: str, *, anyway: bool = False) -> Index:
        """Use a published key. Raises `PolicyRefusal` while a partner may not know it, unless `anyway`."""

        def change(index: Index) -> Index:
            lagging = self.laggards(index, index.get(name))
            if lagging and not anyway and index.get(name).state == PUBLISHED:
                names = ", ".join(each.name for each in lagging[:5]) + (", …" if len(lagging) > 5 else "")
                raise PolicyRefusal(
                    "keys.not_seen",
                    f"nothing shows yet that these partners know the key {name}: {names}; confirm it for those you "
                    "asked, wait until every copy of our metadata without it has expired, or promote it anyway",
                )
            return indexes.promote(index, name, self.now)

        index = self.ring.change(change)
        self.record("keys.promoted", {"key": name, "anyway": anyway})
        return index

    def plan(self, name: str, *, on: datetime | None, share: int | None) -> Index:
        """Leave the promotion to the worker."""
        if share is not None and not 1 <= share <= 100:
            raise PolicyRefusal("keys.share", "a share is a percentage from 1 to 100")
        index = self.ring.change(lambda index: indexes.plan(index, name, on=on, share=share))
        self.record("keys.planned", {"key": name, "on": on and on.isoformat(), "share": share})
        return index

    def retire(self, name: str, *, at_once: bool = False) -> Index:
        """End a key: never loaded again, and its files deleted."""
        wait = timedelta() if at_once else self.validity
        index = self.ring.change(lambda index: indexes.retire(index, name, self.now, wait=wait))
        self.ring.sweep()
        self.record("keys.retired", {"key": name, "at_once": at_once})
        return index

    def confirm(self, entity_id: str, who: str) -> Index:
        """An administrator says that a partner has our present metadata."""
        if entity_id not in {each.entity_id for each in self.partners}:
            raise PolicyRefusal("keys.partner", f"there is no connection to {entity_id}")
        index = self.ring.change(
            lambda index: indexes.know(index, entity_id, self.now, f"confirmed by {who}", self.now)
        )
        self.record("keys.confirmed", {"entity_id": entity_id})
        return index

    def choose_canaries(self, names: Sequence[str]) -> Index:
        """Who gets responses signed by the next key before everybody does. None at all ends that."""
        chosen = tuple(dict.fromkeys(names))
        index = self.ring.change(lambda index: replace(index, canaries=chosen))
        self.record("keys.canaries", {"people": list(chosen)})
        return index

    def seal(self) -> list[str]:
        """Encrypt every private file with the secret of the settings."""
        changed = self.ring.seal(*self.secrets)
        self.record("keys.sealed", {"files": changed})
        return changed

    def advance(self) -> list[str]:
        """Promote what is due, by its date or because enough partners know it; answer the names."""
        index, promoted = self.ring.index(), []
        for record in index.records:
            if record.is_next and self._is_due(index, record):
                self.promote(record.name, anyway=True)
                promoted.append(record.name)
        return promoted

    def _is_due(self, index: Index, record: Record) -> bool:
        if record.promote_on is not None and record.promote_on <= self.now:
            return True
        if record.promote_share is None:
            return False
        knowing = len(self.partners) - len(self.laggards(index, record))
        return knowing * 100 >= record.promote_share * len(self.partners)

    def laggards(self, index: Index, record: Record) -> tuple[Partner, ...]:
        """Partners of whom nothing shows that they know a key."""
        if record.published_at is not None and record.published_at + self.validity <= self.now:
            return ()
        return tuple(each for each in self.partners if not indexes.knows(index, each.entity_id, record))

    def text_to(self, partner: Partner, record: Record) -> str:
        """What to write to a partner that lags."""
        return (
            f"Hello,\n\nwe are about to use a new {record.use} key for single sign-on. "
            "It is in our metadata already:\n\n"
            f"  {partner.address or self.metadata_url}\n"
            + (f"  or by Metadata Query below {partner.query_base}\n" if partner.query_base else "")
            + f"  SHA-256 of the new certificate: {record.fingerprint}\n\n"
            f"Please have {partner.name} ({partner.entity_id}) load this metadata again, keep the present key beside "
            "the new one, and tell us when that is done."
            + (f" We change over on {record.promote_on:%Y-%m-%d %H:%M} UTC." if record.promote_on else "")
            + "\n"
        )

    def status(self) -> Status:
        """Every key and everything to look after."""
        index = self.ring.index()
        rows = tuple(self._row(index, each) for each in index.records)
        return Status(rows, tuple(self._findings(rows)), len(self.partners), index.canaries)

    def _row(self, index: Index, record: Record) -> Row:
        if record.state == RETIRED:
            return Row(record, RETIRED, None, False, (), "nothing: its file is deleted")
        lagging = self.laggards(index, record) if record.is_next else ()
        state = SEEN if record.is_next and not lagging else record.state
        until = expiry.expiry_of(self.ring.files.certificate(record.name))
        return Row(record, state, until, self.ring.files.is_sealed(record.name + KEY), lagging, _step(record, lagging))

    def _findings(self, rows: Sequence[Row]) -> list[Finding]:
        found: list[Finding | None] = []
        for row in rows:
            if row.state == RETIRED:
                continue
            name = row.record.name
            certificate = self.ring.files.certificate(name)
            found += [expiry.warn(name, f"The certificate of our key {name}", certificate, self.now)]
        plain = [row.record.name + KEY for row in rows if row.state != RETIRED and not row.sealed]
        plain += [name for name in self.secrets if not self.ring.files.is_sealed(name)]
        if plain:
            listed = ", ".join(plain)
            found.append(
                Finding(Level.WARNING, listed, f"Unencrypted on disk: {listed}. Set keys_secret, then run: keys seal.")
            )
        return sorted(
            [
                *(each for each in found if each is not None),
                *expiry.warnings_about([*self.partners, *self.others], self.now),
            ],
            key=lambda each: (-each.level, each.days if each.days is not None else 1000),
        )


def _step(record: Record, lagging: Sequence[Partner]) -> str:
    if record.state == PREPARED:
        return "publish it"
    if record.state == IN_USE:
        return "prepare its successor some months before it expires"
    if record.superseded_at is not None:
        return "retire it" + (", once nobody encrypts to it any more" if record.use == ENCRYPTION else "")
    planned = [f"on {record.promote_on:%Y-%m-%d %H:%M} UTC"] if record.promote_on else []
    planned += [f"when {record.promote_share} % know it"] if record.promote_share else []
    if planned:
        return f"it is promoted {' or '.join(planned)}"
    if record.published_at is None:
        return "promote it, or retire it when nobody encrypts to it any more"
    return "wait for those who lag, then promote it" if lagging else "promote it"
