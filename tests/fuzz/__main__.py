"""Run the targets, some at a time, each for a while; exit 1 when one found something: `python -m tests.fuzz --help`."""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz.targets import TARGETS

HERE = Path(__file__).parent
FOUND = HERE.parent.parent / "build" / "fuzz"
LENGTH = 16_384
SECONDS_OF_ONE_INPUT = 10
SEED = 1
"""Where libFuzzer's chance begins, unless told: a change is judged by what it changed, and not by luck. 0 is luck."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one target: how many inputs it had, for how long, and what libFuzzer said."""

    name: str
    runs: int
    seconds: float
    failed: bool
    output: str


def fuzz(name: str, seconds: int, seed: int = SEED) -> Outcome:
    """Fuzz one target in a process of its own."""
    folder = FOUND / name.replace(":", ".")
    grown = folder / "corpus"
    grown.mkdir(parents=True, exist_ok=True)
    kept = HERE / "corpus" / name
    arguments = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-timeout={SECONDS_OF_ONE_INPUT}",
        f"-max_len={LENGTH}",
        "-rss_limit_mb=1024",
        "-print_final_stats=1",
        f"-artifact_prefix={folder}/",
        f"-dict={HERE / 'words.dict'}",
        str(grown),
        *([str(kept)] if kept.is_dir() else []),
    ]
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.one", name, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
        timeout=seconds * 3 + 120,
        env=os.environ | {"PYTHONHASHSEED": "0"},
    )
    found = re.search(r"stat::number_of_executed_units:\s+(\d+)", done.stdout)
    runs = int(found[1]) if found else 0
    failed = done.returncode != 0 or runs == 0
    return Outcome(name, runs, time.monotonic() - began, failed, done.stdout)


def main() -> int:
    """Fuzz what was asked for and print a line for each; answer the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", nargs="*", help=f"one of {', '.join(TARGETS)}; all without any")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--jobs", type=int, default=2, help="how many at a time (2)")
    parser.add_argument("--seed", type=int, default=SEED, help="where chance begins (1); 0 for another run each time")
    arguments = parser.parse_args()
    names = arguments.target or list(TARGETS)
    with ThreadPoolExecutor(arguments.jobs) as pool:
        outcomes = []
        for outcome in pool.map(lambda name: fuzz(name, arguments.seconds, arguments.seed), names):
            outcomes.append(outcome)
            verdict = "FOUND SOMETHING" if outcome.failed else "nothing"
            print(f"{outcome.name:20} {outcome.runs:9} inputs in {outcome.seconds:4.0f} s: {verdict}", flush=True)
    failed = [outcome for outcome in outcomes if outcome.failed]
    for outcome in failed:
        print(
            f"\n== {outcome.name}: the input is in {FOUND / outcome.name.replace(':', '.')}\n{outcome.output[-4000:]}"
        )
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
