"""A federation's aggregate of 10,000 entities and 66 MB: verified, linted and indexed, beside the bare work.

Each reading is a process of its own. What counts is its processor time, which other work on the machine changes least,
and its peak memory.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.bench import aggregate, registry
from tests.bench.measure import Entry, Operation

ROUNDS = 3


@cache
def _folder() -> TemporaryDirectory[str]:
    """A folder with the aggregate, made when it is first needed and deleted when the interpreter ends."""
    folder = TemporaryDirectory()
    aggregate.write(Path(folder.name), now=datetime.now(UTC))
    registry.make_empty(Path(folder.name))
    return folder


def _reading(work: str) -> Callable[[], int]:
    """An operation that reads the aggregate in a process and answers that one's peak memory in octets."""

    def read() -> int:
        folder = Path(_folder().name)
        command = [sys.executable, "-m", "tests.bench.aggregate_work", work]
        command += [str(folder / "aggregate.xml"), str(folder / "signer.der"), str(folder)]
        return int(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)

    return read


def _processor_time(operation: Operation) -> float:
    """Seconds that the processes of an operation kept a processor busy."""
    _folder()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    operation()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _answer(operation: Operation) -> float:
    """What the operation itself answers."""
    answer = operation()
    assert isinstance(answer, int)
    return answer


def _seconds(value: float) -> str:
    return f"{value:.1f} s"


def _megabytes(value: float) -> str:
    return f"{value / 1_000_000:.0f} MB"


def entries() -> Sequence[Entry]:
    """Time and memory of our reading beside the bare work, and beside two loaders; pysaml2's verifies nothing here."""
    bare = "lxml parse, xmlsec verification"
    return (
        Entry(
            "aggregate: verify, lint, index", _reading("ours"), bare, _reading("bare"), 5, ROUNDS, _processor_time,
            _seconds,
        ),
        Entry("aggregate: peak memory", _reading("ours"), bare, _reading("bare"), 2, 1, _answer, _megabytes),
        *(
            Entry(f"{what}", _reading("ours"), f"{name}'s loader", _reading(work), budget, 1, gauge, text)
            for work, name, times in (("pysaml2", "pysaml2", 1), ("pyff", "pyFF", 2))
            for what, budget, gauge, text in (
                ("aggregate: verify, lint, index", times, _processor_time, _seconds),
                ("aggregate: peak memory", 1, _answer, _megabytes),
            )
        ),
    )  # fmt: skip
