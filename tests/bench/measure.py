"""Measuring two things side by side, so that whatever else the machine does hits both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Operation = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: an operation, what it is held against, and how many times as long it may take.

    Without a budget the ratio is only shown. `rounds` pairs are measured.
    """

    name: str
    operation: Operation
    beside: str
    baseline: Operation
    budget: float | None
    rounds: int = 400


@dataclass(frozen=True, slots=True)
class Result:
    """Medians in seconds, and their ratio."""

    entry: Entry
    seconds: float
    baseline_seconds: float

    @property
    def ratio(self) -> float:
        return self.seconds / self.baseline_seconds

    @property
    def kept(self) -> bool:
        return self.entry.budget is None or self.ratio <= self.entry.budget


def run(entry: Entry) -> Result:
    """Measure operation and baseline in turn, after a few rounds that do not count."""
    own: list[float] = []
    baseline: list[float] = []
    for number in range(entry.rounds + entry.rounds // 10):
        first, second = _timed(entry.baseline), _timed(entry.operation)
        if number >= entry.rounds // 10:
            baseline.append(first)
            own.append(second)
    return Result(entry, median(own), median(baseline))


def _timed(operation: Operation) -> float:
    start = time.perf_counter()
    operation()
    return time.perf_counter() - start
