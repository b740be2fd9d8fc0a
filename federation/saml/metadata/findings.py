"""Findings: what is wrong with, or missing from, a metadata document, one sentence each."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How bad it is: an error makes a document unacceptable for one partner, the other two only inform."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one document.

    `rule` is a dotted short name that is stable across releases, `reference` the profile ids or clauses, `place` the
    entity and element it is about. `message` never echoes text from the document unquoted or at length.
    """

    rule: str
    level: Level
    message: str
    reference: str = ""
    place: str = ""


class Findings:
    """A list that collects findings about one entity while it is read."""

    def __init__(self, entity_id: str) -> None:
        self.entity_id = entity_id
        self._found: list[Finding] = []

    def add(self, rule: str, level: Level, message: str, reference: str = "", *, place: str = "") -> None:
        """Note one finding; the place is the entityID followed by the element's name."""
        where = f"{self.entity_id} {place}".strip()
        self._found.append(Finding(rule, level, message, reference, where))

    def all(self) -> tuple[Finding, ...]:
        """Everything found, in document order."""
        return tuple(self._found)


def quoted(text: str, limit: int = 80) -> str:
    """Text from a document, shortened and with anything unprintable escaped, for use inside a message."""
    return repr(text if len(text) <= limit else text[: limit - 1] + "…")
