"""What the commands share. Nothing heavy is imported before a command runs: `federation idp --help` must be quick."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from federation.cli.configuration import ConfigFile

pass_config = click.make_pass_decorator(ConfigFile)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from idp_app.installation import Installation
    from idp_app.services.act import Act
    from idp_app.settings import IdPSettings


def read_settings(config: ConfigFile) -> IdPSettings:
    """The settings of the configuration. Raises `ConfigurationError`."""
    from idp_app import settings

    return settings.read(config.settings())


def open_installation(config: ConfigFile) -> Installation:
    """Keys and database of the configuration. Raises `ConfigurationError`."""
    from idp_app.installation import Installation

    return Installation.open(read_settings(config))


@contextmanager
def work(config: ConfigFile) -> Iterator[tuple[Installation, Session, Act]]:
    """One transaction for one command: committed at its end, taken back on any error."""
    from federation.storage.session import unit_of_work

    installation = open_installation(config)
    try:
        with unit_of_work(installation.sessions) as session:
            yield installation, session, act(installation)
    finally:
        installation.engine.dispose()


def act(installation: Installation) -> Act:
    """The occasion: now, by the user of this machine."""
    from federation.web.reference import new_reference
    from idp_app.services.act import Act

    return Act(installation.clock(), f"command line ({getpass.getuser()})", new_reference())


def read_secret(source: str | None, prompt: str) -> str:
    """A password or token: from a file, from standard input (`-`), or asked for twice without an echo."""
    if source is None:
        secret: str = click.prompt(prompt, hide_input=True, confirmation_prompt=True, err=True)
        return secret
    text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
    return text.rstrip("\r\n")
