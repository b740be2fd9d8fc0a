"""What commands print: results on stdout as plain text or JSON, progress on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

import click


class Advance(Protocol):
    """Call it with how many steps have been done since the last call."""

    def __call__(self, steps: int = 1) -> None: ...


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns: plain text, so that it can be read, copied, cut and grepped alike."""
    cells = [[str(cell) for cell in row] for row in (headings, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for number, row in enumerate(cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            click.echo("  ".join("-" * width for width in widths))


def as_json(value: object) -> None:
    """Print one JSON document, keys in the order given; dates and other values as their text."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False, default=str))


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
