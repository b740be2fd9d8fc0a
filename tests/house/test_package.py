"""The package holds what the repository does: modules, templates, styles, migrations, marks of typing."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.house.repository import ROOT, files

PACKAGES = ("federation", "idp_app", "sp_app")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Names in a wheel built from a copy of the tracked files; no network."""
    directory = tmp_path_factory.mktemp("package")
    source = directory / "source"
    for path in files():
        if path.parts[0] in PACKAGES or len(path.parts) == 1:
            (source / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / path, source / path)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", directory, source], check=True, capture_output=True, cwd=directory)
    (built,) = directory.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_everything_that_belongs_to_the_packages_is_in_the_wheel(wheel):
    wanted = {str(path) for path in files() if path.parts[0] in PACKAGES}
    assert wanted - wheel == set()


def test_nothing_else_is_in_the_wheel(wheel):
    assert {Path(name).parts[0] for name in wheel if "dist-info" not in name} == set(PACKAGES)


@pytest.mark.parametrize("group", ["console_scripts", "federation.commands", "paste.app_factory"])
def test_every_entry_point_leads_somewhere(group):
    ours = [each for each in entry_points(group=group) if each.dist is not None and each.dist.name == "saml-federation"]
    assert ours
    assert all(callable(each.load()) for each in ours)
