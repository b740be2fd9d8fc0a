"""The command answers at once: its help takes at most ten times what Python itself takes to do nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BUDGET = 10
RUNS = 7


def quickest(*arguments: str) -> float:
    """Seconds of the quickest of some runs: the others had company on this machine."""
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return min(times)


def test_help_is_quick():
    command = Path(sys.executable).with_name("federation")
    assert quickest(str(command), "--help") <= BUDGET * quickest(sys.executable, "-c", "pass")
