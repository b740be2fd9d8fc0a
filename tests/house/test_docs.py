"""The documentation is true where a program can tell: links resolve, commands exist, snippets are accepted."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from federation.cli.main import GROUP
from tests.house.repository import ROOT, files, text

PAGES = [path for path in files() if path.suffix == ".md"]
UNITS = [path for path in files() if path.suffix == ".service"]
SITES = {"federation": (), "idp": ("idp",), "sp": ("sp",)}
"""Words that begin a command line in the docs: the command itself, and the aliases that docs/how-to/deploy.md makes."""


def anchors(page: Path) -> set[str]:
    """What can follow `#` in a link to a page, as the usual renderers make it from the headings."""
    headings = re.findall(r"(?m)^#+ (.+)$", text(page) or "")
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_lead_somewhere(page):
    prose = re.sub(r"(?s)```.*?```", "", text(page) or "")
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = unquote(target).partition("#")
        there = (page.parent / path) if path else page
        if not (ROOT / there).exists() or (anchor and anchor not in anchors(there)):
            broken.append(target)
    assert broken == []


@pytest.mark.parametrize("folder", ["decisions", "reference"])
def test_an_overview_names_every_page_beside_it(folder):
    overview = text(Path("docs", folder, "README.md")) or ""
    pages = [path.name for path in PAGES if path.parent == Path("docs", folder) and path.name != "README.md"]
    assert [name for name in pages if f"({name})" not in overview] == []


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Every `federation ...` line in the docs and the service units, as words."""
    for path in PAGES:
        if path.name == "commands.md":  # written from the commands themselves
            continue
        for line in re.findall(r"(?m)^(?: {4}|[$#] )((?:federation|idp|sp) .*)$", text(path) or ""):
            site, *words = shlex.split(line, comments=True)
            yield f"{path}: {line}", [*SITES[site], *words]
    for path in UNITS:
        (line,) = re.findall(r"(?m)^ExecStart=(.*)$", text(path) or "")
        program, *words = line.split()
        if program.endswith("/federation"):
            yield f"{path}: {line}", words


LINES = list(command_lines())


@pytest.mark.parametrize("words", [words for _, words in LINES], ids=[name for name, _ in LINES])
def test_a_command_in_the_docs_exists_and_takes_these_options(words):
    (entry_point,) = entry_points(group=GROUP, name=words[0])
    accepts(entry_point.load(), words[1:])


def accepts(command: click.Command, words: list[str]) -> None:
    """Fail unless the command, with all groups above it, would accept these words. Nothing is run."""
    context = click.Context(command, info_name=command.name)
    options = {name: each for each in command.params for name in (*each.opts, *each.secondary_opts)}
    positional = 0
    while words:
        word, *words = words
        name, equals, _ = word.partition("=")
        if word.startswith("-") and len(word) > 1:
            assert name in options or name == "--help", f"{command.name} has no option {name}"
            option = options.get(name)
            if isinstance(option, click.Option) and not (option.is_flag or option.count or equals):
                words = words[1:]
        elif isinstance(command, click.Group):
            inner = command.get_command(context, word)
            assert inner is not None, f"{command.name} has no command {word}"
            accepts(inner, words)
            return
        else:
            positional += 1
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    assert positional >= sum(1 for each in arguments if each.required), f"{command.name} wants more arguments"
    assert positional <= len(arguments) or any(each.nargs == -1 for each in arguments), (
        f"{command.name} takes fewer arguments"
    )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_make_target_in_the_docs_exists(page):
    targets = set(re.findall(r"(?m)^([a-z-]+):", text(Path("Makefile")) or ""))
    assert (
        set(re.findall(r"(?:`|^ {4}|\$ |# )make (?:-C \S+ )?([a-z][a-z-]*)(?=[`\s])", text(page) or "", re.MULTILINE))
        <= targets
    )


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_file_named_in_the_docs_exists(page):
    named = re.findall(r"`((?:federation|idp_app|sp_app|tests|docs|metadata|\.ci)/[\w./-]+)`", text(page) or "")
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_a_service_unit_runs_a_section_that_production_has(unit):
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", text(unit) or "")
    (section,) = re.findall(r"(?:--app-name=|\.ini#)(\w+)", line)
    production = text(Path("production.ini")) or ""
    assert f"\n[app:{section}]\n" in production
    assert f"\n[server:{section}]\n" in production
