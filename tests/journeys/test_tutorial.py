"""Every command of the tutorial, in its order, in a directory like a checkout; and the pages it says to open."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.demo_sites import COMMAND, ROOT, demo_sites
from tests.journeys.plain_browser import PlainBrowser

pytestmark = pytest.mark.slow
WITHIN = 20.0
"""Seconds that a change may take to reach a site on a busy machine."""
PAGE = ROOT / "docs" / "tutorial" / "first-federation.md"


def steps() -> list[tuple[str, str]]:
    """Each command line of the page and what it says that is printed (`...` stands for anything)."""
    blocks = re.findall(r"(?ms)^```console\n(.*?)^```", PAGE.read_text(encoding="utf-8"))
    found = [step.partition("\n") for block in blocks for step in re.split(r"(?m)^\$ ", block) if step]
    return [(command, printed) for command, _, printed in found if not command.startswith("alias ")]


def test_the_tutorial_is_true(tmp_path: Path) -> None:
    for folder in ("docs/tutorial", "metadata/samples"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    with demo_sites(tmp_path) as sites:
        for command, printed in steps():
            shown = eventually(lambda command=command: run(command, tmp_path), printed)
            assert as_printed(shown, printed), f"$ {command}\n{shown}"
        with PlainBrowser() as alice:
            alice.open(f"{sites.intranet}/private")
            alice.sign_in("alice")
            assert "Engineering" in alice.text
            alice.open(f"{sites.learning}/private")
            alice.send()
            assert "Alice Archer" in alice.text
            assert "Engineering" not in alice.text


def run(command: str, directory: Path) -> str:
    environment = {**os.environ, "PATH": f"{COMMAND.parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert "Traceback" not in done.stdout
    return done.stdout


def eventually(look: Callable[[], str], printed: str) -> str:
    """What a command prints; asked again while the worker may still be on its way (a step may be repeated)."""
    deadline = time.monotonic() + WITHIN
    while True:
        shown = look()
        if as_printed(shown, printed) or time.monotonic() > deadline:
            return shown
        time.sleep(1)


def as_printed(shown: str, printed: str) -> bool:
    return doctest.OutputChecker().check_output(printed, shown, doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
