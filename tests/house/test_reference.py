"""What is written about settings and commands is what the code says."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from federation.cli.configuration import ConfigFile
from federation.web.settings import read
from tests.house import reference
from tests.house.repository import ROOT

SECTIONS = [
    ("development.ini", "main", "idp"),
    ("development.ini", "sp", "sp"),
    ("production.ini", "main", "idp"),
    ("production.ini", "sp", "sp"),
]


@pytest.mark.parametrize("page", reference.PAGES)
def test_the_reference_is_what_the_code_says(page):
    assert (reference.REFERENCE / page).read_text(encoding="utf-8") == reference.PAGES[page](), "run `make docs`"


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    """What the service units give to production.ini."""
    for site in ("IDP", "SP"):
        monkeypatch.setenv(f"FEDERATION_{site}_DATABASE", f"sqlite:////var/lib/{site}.sqlite")


def shown(file: str, section: str, prefix: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Settings of a section that are set, and those shown by a comment with their default."""
    (body,) = re.findall(rf"(?ms)^\[app:{section}\]$(.*?)(?=^\[)", (ROOT / file).read_text(encoding="utf-8"))
    commented = re.findall(rf"(?m)^# ({prefix}\.\w+) = ?(.*)$", body)
    return ConfigFile(ROOT / file, section).settings(), dict(commented)


@pytest.mark.parametrize(("file", "section", "prefix"), SECTIONS)
def test_an_ini_sets_or_shows_every_setting_and_no_other(file, section, prefix):
    active, commented = shown(file, section, prefix)
    names = [name for name in active if name.startswith(f"{prefix}.")]
    assert sorted([*names, *commented]) == sorted(f"{prefix}.{name}" for name in reference.MODELS[prefix].model_fields)


@pytest.mark.parametrize(("file", "section", "prefix"), SECTIONS)
def test_a_default_that_an_ini_shows_is_the_default(file, section, prefix):
    active, commented = shown(file, section, prefix)
    model = reference.MODELS[prefix]
    assert read(f"{prefix}.", {**active, **commented}, model) == read(f"{prefix}.", active, model)


@pytest.mark.parametrize(("file", "section", "prefix"), SECTIONS)
def test_an_ini_comments_every_setting(file, section, prefix):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    setting = re.compile(rf"(?:# )?{prefix}\.\w+ =")
    first = {line.split()[-1]: number for number, line in enumerate(lines) if line.startswith("[app:")}
    start = first[f"[app:{section}]"]
    end = next(number for number in range(start + 1, len(lines)) if lines[number].startswith("["))
    bare = [
        line
        for above, line in zip(lines[start:], lines[start + 1 : end], strict=False)
        if setting.match(line) and not above.startswith("#")
    ]
    assert bare == []


@pytest.mark.parametrize("model", reference.MODELS.values())
def test_every_setting_says_what_it_means(model):
    assert [
        name
        for name, field in model.model_fields.items()
        if not (field.description or "").endswith((".", "(development)."))
    ] == []
