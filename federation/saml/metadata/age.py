"""How old a document is, against replay: an old one is still signed and may still be valid, and brings nothing back.

Whoever can hold back what a publisher says now can show what it said last week: with a key that was withdrawn since, or
an entity that was taken out. What a document itself says of its age is signed with it: when it was published (MDRPI),
and until when it is valid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from federation.saml.checks import Seen, rule
from federation.saml.metadata.difference import Effect, difference
from federation.saml.metadata.entity import Entity
from federation.saml.times import format_instant

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Age:
    """What a document says of its age: `published` is the creationInstant of its PublicationInfo (MDRPI 2.2)."""

    published: datetime | None
    valid_until: datetime | None

    def is_older_than(self, other: Age) -> bool:
        """Whether this one was made before the other: by their creationInstants, or else by which is valid for longer.

        A publisher that shortens its validity and states no creationInstant looks like this, too.
        """
        if self.published is not None and other.published is not None and self.published != other.published:
            return self.published < other.published
        if other.valid_until is None:
            return False
        return self.valid_until is None or self.valid_until < other.valid_until

    def __str__(self) -> str:
        published = "" if self.published is None else f"published {format_instant(self.published)}, "
        until = "without end" if self.valid_until is None else f"until {format_instant(self.valid_until)}"
        return f"{published}valid {until}"


@rule("metadata.age", "SAML Metadata 2.3.1; MDRPI 2.2; IIP-MD04")
def nothing_comes_back(age: Age, newest: Age, regained: Sequence[str]) -> Seen:
    """A document that is older than the newest one taken in may take back, and brings nothing back."""
    if not age.is_older_than(newest):
        return True, f"not older than {newest}", str(age)
    more = f", and {len(regained) - _SHOWN} more" if len(regained) > _SHOWN else ""
    brought = f"an older one ({age}): {' '.join(regained[:_SHOWN])}{more}" if regained else str(age)
    return not regained, f"nothing that a newer document no longer has (the newest: {newest})", brought


def regained(now: Entity, older: Entity) -> tuple[str, ...]:
    """What an older document would bring back of an entity, in sentences."""
    return tuple(change.sentence for change in difference(now, older) if change.effect is Effect.WIDENS)
