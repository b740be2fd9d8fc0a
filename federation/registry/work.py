"""Refreshing in a process of its own: an aggregate takes memory and time that no other process should give.

    python -m federation.registry.work < JOB

The job is one JSON object: `host` is the app's Host as MODULE:NAME, besides `database_url`, `limits` and `reference`.
It comes on standard input, because a database address holds a password. One JSON line answers each source.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

from federation.registry.host import Host, Limits
from federation.registry.refreshing import CLAIM, Refresher, Report
from federation.storage import engine as engines
from federation.storage.session import factory

ACTOR: Final = "worker"


def run_elsewhere(host: str, *, database_url: str, limits: Limits, reference: str) -> Sequence[Report]:
    """Refresh what is due in another process, and wait for it. `host` is MODULE:NAME.

    A process that dies, or takes longer than a claim lasts, leaves everything as it was: its sources are late.
    """
    job = {"host": host, "database_url": database_url, "limits": limits.to_json(), "reference": reference}
    command = [sys.executable, "-m", "federation.registry.work"]
    try:
        done = subprocess.run(
            command, input=json.dumps(job).encode(), stdout=subprocess.PIPE, timeout=CLAIM.total_seconds(), check=True
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        return [Report("every source", f"the process that refreshes ended badly ({type(error).__name__})", ok=False)]
    return [Report(**json.loads(line)) for line in done.stdout.splitlines()]


def main(job: dict[str, Any]) -> None:
    """Do one job."""
    module, _, name = job["host"].partition(":")
    host: Host = getattr(import_module(module), name)
    engine = engines.create(job["database_url"])
    try:
        refresher = Refresher(
            host,
            factory(engine),
            Limits.from_json(job["limits"]),
            clock=lambda: datetime.now(UTC),
            actor=ACTOR,
            reference=job["reference"],
        )
        for report in refresher.run_due():
            sys.stdout.write(f"{json.dumps(asdict(report))}\n")
    finally:
        engine.dispose()


if __name__ == "__main__":
    main(json.load(sys.stdin))
