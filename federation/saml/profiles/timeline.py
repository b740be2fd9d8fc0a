"""What happened under one reference number, from first to last: the one object that pages and commands show.

An application reads it from its audit trail; what is in there is masked and expires with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One entry of the audit trail.

    `messages` are outlines (`profiles.outline`), `checks` as stored: `{"rule", "reference", "expected", "received",
    "ok"}`. `rule` names what was broken, `repair` says what to do about it where the cause is known.
    """

    at: datetime
    kind: str
    reference: str
    sentence: str
    partner: str | None = None
    person: str | None = None
    rule: str | None = None
    repair: str | None = None
    messages: Sequence[Mapping[str, Any]] = ()
    checks: Sequence[Mapping[str, Any]] = ()

    @property
    def refused(self) -> bool:
        """Whether this is where it ended."""
        return self.rule is not None

    @property
    def failed(self) -> Sequence[Mapping[str, Any]]:
        """The checks that failed."""
        return [check for check in self.checks if not check["ok"]]

    def as_json(self) -> dict[str, Any]:
        """The same as a JSON object."""
        return {
            "at": self.at.isoformat(),
            "kind": self.kind,
            "reference": self.reference,
            "message": self.sentence,
            "partner": self.partner,
            "person": self.person,
            "error": None if self.rule is None else {"rule": self.rule, "message": self.sentence},
            "repair": self.repair,
            "messages": list(self.messages),
            "checks": list(self.checks),
        }
