"""Count where verdicts differ: by kind of message and by our rule."""

from __future__ import annotations

import json
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from tests.differential import parties
from tests.differential.kinds import Message

RECORDED = Path(__file__).with_name("recorded.json")


@dataclass(slots=True)
class Comparison:
    """What became of the messages.

    `differences` counts, by kind and our rule (or `accepted`), the messages on which somebody disagreed; `who` counts
    by kind, our rule and party.
    """

    messages: int = 0
    accepted: Counter[str] = field(default_factory=Counter)
    differences: dict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    who: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def as_json(self) -> Mapping[str, Mapping[str, int]]:
        """The differences, to be recorded: never who differed."""
        return {kind: dict(sorted(rules.items())) for kind, rules in sorted(self.differences.items())}

    def table(self) -> list[str]:
        """A line for each kind of difference, with who differed."""
        lines = []
        for kind, rules in self.as_json().items():
            for rule, count in rules.items():
                named = ", ".join(
                    f"{party} {number}" for (k, r, party), number in sorted(self.who.items()) if (k, r) == (kind, rule)
                )
                lines.append(f"{kind:38} ours: {rule:32} {count:5} differ ({named})")
        return lines


def compare(messages: Iterable[Message], now: datetime) -> Comparison:
    """Ask all parties about all messages."""
    ours = parties.ours(now)
    found = Comparison()
    with tempfile.TemporaryDirectory() as folder:
        others = parties.others(Path(folder))
        for message in messages:
            rule = ours[message.profile](message.octets)
            found.messages += 1
            found.accepted[message.kind] += rule == parties.ACCEPTED
            verdict = parties.ACCEPTED if rule == parties.ACCEPTED else parties.REFUSED
            asked = {name: judges[message.profile] for name, judges in others.items() if message.profile in judges}
            different = [name for name, judge in asked.items() if judge(message.octets) != verdict]
            if different:
                found.differences[message.kind][rule] += 1
                found.who.update((message.kind, rule, name) for name in different)
    return found


def recorded() -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """What the repository says: for each part, kind and rule of ours, how many messages differ."""
    found: Mapping[str, Mapping[str, Mapping[str, int]]] = json.loads(RECORDED.read_text())
    return found
