"""What commands print: results on stdout as plain text or JSON, progress on stderr.

Much of it was said by somebody else, in a message that nobody has verified. A terminal obeys some characters instead of
showing them, so what cannot be printed is shown as an escape.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import click


class Advance(Protocol):
    """Call it with how many steps have been done since the last call."""

    def __call__(self, steps: int = 1) -> None: ...


_NO_LINE_END = re.compile(r"[^\n]+")


def plain(text: str) -> str:
    """The text with every character that a terminal would obey, or hide, as an escape."""
    return text if text.isprintable() else "".join(map(_escaped, text))


def plain_lines(text: str) -> str:
    """The same of a text that may have several lines."""
    return _NO_LINE_END.sub(lambda line: plain(line[0]), text)


def _escaped(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns: plain text, so that it can be read, copied, cut and grepped alike."""
    cells = [[plain(str(cell)) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for number, row in enumerate(cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            click.echo("  ".join("-" * width for width in widths))


def as_json(value: object) -> None:
    """Print one JSON document, keys in the order given; dates and other values as their text."""
    text = json.dumps(value, indent=2, ensure_ascii=False, default=str)
    click.echo(_NO_LINE_END.sub(lambda line: "".join(map(_escaped_in_json, line[0])), text))


def _escaped_in_json(character: str) -> str:
    return character if character.isprintable() else json.dumps(character)[1:-1]


@contextmanager
def progress(description: str, total: int | None) -> Iterator[Advance]:
    """Show how far a long piece of work is: a bar on a terminal, otherwise one line when it begins and one at its end.

    `total` is the number of steps, `None` while nobody knows.
    """
    if not sys.stderr.isatty():
        done = 0

        def count(steps: int = 1) -> None:
            nonlocal done
            done += steps

        click.echo(f"{description} ...", err=True)
        yield count
        click.echo(f"{description}: {done}{'' if total is None else f' of {total}'} done", err=True)
        return

    # rich takes longer to import than most commands take to run.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(description, total=total)

        def advance(steps: int = 1) -> None:
            bar.advance(task, steps)

        yield advance
