"""How long a person waits for the command, beside a Python that does nothing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.bench.measure import Entry, Operation

COMMAND = Path(sys.executable).with_name("federation")


def entries() -> Iterator[Entry]:
    """The lines on starting."""
    yield Entry(
        "federation --help",
        _running(str(COMMAND), "--help"),
        "python -c pass",
        _running(sys.executable, "-c", "pass"),
        budget=10.0,
        rounds=10,
    )


def _running(*command: str) -> Operation:
    def run() -> None:
        subprocess.run(command, check=True, capture_output=True)

    return run
