"""The reference pages that are written from the code: `make docs` writes them, a test compares.

python -m tests.house.reference
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from datetime import timedelta
from importlib.metadata import entry_points

import click
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from federation.attributes.catalogue import CATALOGUE
from federation.attributes.presets import PRESETS, UNCONDITIONAL_SUFFIX
from federation.cli.main import GROUP, federation
from idp_app.settings import IdPSettings
from sp_app.settings import SPSettings
from tests.house.repository import ROOT

REFERENCE = ROOT / "docs" / "reference"
MODELS: dict[str, type[BaseModel]] = {"idp": IdPSettings, "sp": SPSettings}

SETTINGS = """# Settings

Written from the code by `make docs`. Each app reads the settings of its own prefix from its section of the ini file,
once, when it starts; a name nobody knows and a value that cannot be are all reported together, and the app does not
start. `development.ini` shows each in its place.

- A duration is written as `8 hours`, `15 minutes` or `1 day, 12 hours`.
- Several values are separated by spaces.
- `env:NAME` takes a value from the environment, `file:PATH` from a file (relative to the ini file): secrets are given
  so, and never echoed.
"""
TITLES = {
    "idp": "The identity provider: `[app:main]`",
    "sp": "A service provider: `[app:sp]`, or the host application's",
}

COMMANDS = """# Commands

Written from the code by `make docs`. Exit code 0 means done, 1 refused or failed (one sentence on standard error says
why), 2 misused. Results are on standard output, everything else on standard error. `-c FILE#SECTION` names the
configuration and the application in it; the environment variable `FEDERATION_CONFIG` does the same.
"""


ATTRIBUTES = """# Attributes and release presets

Written from the code by `make docs`. The key is what settings, policies and the CSV of people say; on the wire an
attribute has the name beside it (an OID URI, with the FriendlyName as a help for readers).

An attribute leaves the identity provider only if the connection's policy names it, and the site's metadata asks for it.
A preset with `SUFFIX` appended waives the second half, for software whose metadata asks for nothing.
"""


def attributes() -> str:
    """The page of the catalogue and the presets."""
    parts = [
        ATTRIBUTES.replace("SUFFIX", UNCONDITIONAL_SUFFIX),
        "\n| key | means | FriendlyName | name |\n| --- | --- | --- | --- |\n",
    ]
    parts += [
        f"| `{each.key}` | {each.label} | {each.friendly_name} | `{each.name}` |\n" for each in CATALOGUE.values()
    ]
    parts.append("\n## Presets\n\n| preset | what it allows | for |\n| --- | --- | --- |\n")
    for preset in PRESETS.values():
        parts.append(f"| `{preset.name}` | {', '.join(preset.keys) or 'nothing'} | {preset.description} |\n")
    return "".join(parts)


def settings() -> str:
    """The page of all settings."""
    parts = [SETTINGS]
    for prefix, model in MODELS.items():
        parts.append(f"\n## {TITLES[prefix]}\n\n| setting | default | meaning |\n| --- | --- | --- |\n")
        for name in sorted(model.model_fields, key=lambda name: name not in model.__annotations__):
            field = model.model_fields[name]
            default = "required" if field.default is PydanticUndefined else written(field.default)
            parts.append(f"| `{prefix}.{name}` | {default} | {cell(field.description or '')} |\n")
    return "".join(parts)


def written(value: object) -> str:
    """A default as the ini file would have it."""
    if value in ("", ()):
        return "empty"
    if isinstance(value, timedelta):
        seconds = int(value.total_seconds())
        size, unit = next((size, unit) for size, unit in UNITS if seconds % size == 0)
        count = seconds // size
        return f"`{count} {unit}{'' if count == 1 else 's'}`"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{' '.join(value) if isinstance(value, tuple) else value}`"


UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))


def commands() -> str:
    """The page of all commands: each group, each command, its arguments and options."""
    parts = [COMMANDS]
    for entry_point in sorted(entry_points(group=GROUP)):
        context = click.Context(federation, info_name="federation")
        for path, command, inner in walk(entry_point.load(), context, entry_point.name):
            usage = " ".join(command.collect_usage_pieces(inner))
            parts.append(f"\n{'#' * min(len(path), 4)} {' '.join(['federation', *path[1:]])}\n\n")
            parts.append(f"    {' '.join(['federation', *path[1:], usage])}\n\n{help_text(command)}\n")
            records = [each.get_help_record(inner) for each in command.params if isinstance(each, click.Option)]
            rows = [record for record in records if record is not None]
            if rows:
                parts.append("\n| option | meaning |\n| --- | --- |\n")
                parts.extend(f"| `{cell(names)}` | {cell(meaning)} |\n" for names, meaning in rows)
    return "".join(parts)


def walk(
    command: click.Command, parent: click.Context, name: str, path: tuple[str, ...] = ("",)
) -> Iterator[tuple[tuple[str, ...], click.Command, click.Context]]:
    """The command and all below it."""
    context = click.Context(command, parent=parent, info_name=name)
    path = (*path, name)
    yield path, command, context
    if isinstance(command, click.Group):
        for each in sorted(command.commands):
            yield from walk(command.commands[each], context, each, path)


def help_text(command: click.Command) -> str:
    """A command's own words, without the marks that tell click how to break lines."""
    return inspect.cleandoc(command.help or command.short_help or "").replace("\b\n", "").replace("\f", "").strip()


def cell(text: str) -> str:
    """Text inside a table."""
    return " ".join(text.split()).replace("|", "\\|")


PAGES = {"settings.md": settings, "commands.md": commands, "attributes.md": attributes}

if __name__ == "__main__":
    REFERENCE.mkdir(exist_ok=True)
    for page, write in PAGES.items():
        (REFERENCE / page).write_text(write(), encoding="utf-8")
