"""The command that tells a monitoring system how a site does, the same for both apps."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from federation.errors import ConfigurationError


def metrics_command(gather: Callable[[Any], bytes]) -> click.Command:
    """The command. `gather`, given the object of the click context, answers the text."""

    @click.command()
    @click.option(
        "--file",
        "path",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Write it to this file, whole or not at all, for a textfile collector.",
    )
    @click.pass_obj
    def metrics(obj: Any, path: Path | None) -> None:
        """Print numbers for monitoring in the text format of Prometheus: keys, sources, what waits."""
        text = gather(obj)
        if path is None:
            click.echo(text.decode(), nl=False)
            return
        draft = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            draft.write_bytes(text)
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from None

    return metrics
