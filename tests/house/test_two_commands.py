"""`make` on a machine that is not ready says in one sentence what is missing, and writes nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOT
from tests.live import program

PRETEND = """#!/bin/sh
# A Python that differs from the real one in what the prelude says.
[ "$1" = -c ] || exit 99
exec {real} -c "$(printf '%s\\nexec(%s)' '{prelude}' 'sys.argv.pop(1)')" "$2"
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout as a newcomer has it, as far as `make` looks."""
    directory = tmp_path / "a checkout"
    directory.mkdir()
    for name in ("Makefile", "setup.py", "pyproject.toml", "requirements.lock", "requirements-test.lock"):
        shutil.copy(ROOT / name, directory)
    return directory


def make(checkout: Path, *arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    tools = f"{path}:{Path(program('make')).parent}"
    return subprocess.run(
        [program("make"), *arguments],
        cwd=checkout,
        env={"PATH": tools, "HOME": str(checkout), "SHELL": "/bin/sh"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def a_python(directory: Path, prelude: str) -> Path:
    script = directory / "python3"
    script.write_text(PRETEND.format(real=sys.executable, prelude=f"import sys; {prelude}"))
    script.chmod(0o755)
    return script


@pytest.mark.parametrize("target", ["run", "test"])
@pytest.mark.parametrize(
    ("prelude", "sentence"),
    [
        ("sys.version_info = (3, 9, 2)", "Python 3.11 or newer is needed; this one is 3.9."),
        (
            'sys.modules["ensurepip"] = None',
            "Python's venv is missing: install it (on Debian and Ubuntu: apt install python3-venv).",
        ),
        (
            'sys.modules["venv"] = None',
            "Python's venv is missing: install it (on Debian and Ubuntu: apt install python3-venv).",
        ),
    ],
)
def test_a_python_that_will_not_do_is_told_in_one_sentence(checkout, tmp_path, target, prelude, sentence):
    python = a_python(tmp_path, prelude)
    done = make(checkout, target, f"PYTHON={python}", path=tmp_path)
    assert done.returncode == 2
    assert [line for line in done.stderr.splitlines() if not line.startswith("make")] == [
        line for line in done.stderr.splitlines() if sentence in line
    ]
    assert sentence in done.stderr
    assert not (checkout / ".venv").exists()


def test_a_missing_python_is_told_in_one_sentence(checkout, tmp_path):
    done = make(checkout, "run", f"PYTHON={tmp_path}/python9", path=tmp_path)
    assert done.returncode == 2
    assert f"{tmp_path}/python9 is missing: install Python 3.11 or newer." in done.stderr


def test_make_alone_lists_what_there_is(checkout):
    done = make(checkout, path=Path(os.environ["PATH"].split(":")[0]))
    assert done.returncode == 0
    targets = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("  make ")]
    assert {"run", "test", "lint", "lock", "bench", "bench-check", "clean", "help"} <= set(targets)
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"\n.PHONY: {target}\n" in makefile for target in targets)
