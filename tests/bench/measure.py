"""Measuring two things side by side, so that whatever else the machine does hits both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

Operation = Callable[[], object]


def timed(operation: Operation) -> float:
    """Seconds that an operation takes."""
    start = time.perf_counter()
    operation()
    return time.perf_counter() - start


def time_text(seconds: float) -> str:
    """Seconds in a unit that suits them."""
    return f"{seconds * 1000:.2f} ms" if seconds >= 0.001 else f"{seconds * 1_000_000:.0f} µs"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the table: an operation, what it is held against, and how many times as long it may take.

    Without a budget the ratio is only shown. `rounds` pairs are measured, by `gauge`: the time they take unless it says
    otherwise. `text` writes what it measured.
    """

    name: str
    operation: Operation
    beside: str
    baseline: Operation
    budget: float | None
    rounds: int = 400
    gauge: Callable[[Operation], float] = timed
    text: Callable[[float], str] = time_text


@dataclass(frozen=True, slots=True)
class Absent:
    """A line that cannot be measured here, and what is missing."""

    name: str
    missing: str


@dataclass(frozen=True, slots=True)
class Result:
    """Medians of what was measured, and their ratio."""

    entry: Entry
    measured: float
    baseline: float

    @property
    def ratio(self) -> float:
        return self.measured / self.baseline

    @property
    def kept(self) -> bool:
        return self.entry.budget is None or self.ratio <= self.entry.budget


def run(entry: Entry) -> Result:
    """Measure operation and baseline in turn, after a few rounds that do not count."""
    own: list[float] = []
    baseline: list[float] = []
    for number in range(entry.rounds + entry.rounds // 10):
        first, second = entry.gauge(entry.baseline), entry.gauge(entry.operation)
        if number >= entry.rounds // 10:
            baseline.append(first)
            own.append(second)
    return Result(entry, median(own), median(baseline))
