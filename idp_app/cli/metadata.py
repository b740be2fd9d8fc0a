"""Commands about sources and versions of service providers' metadata."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from federation.cli.configuration import ConfigFile
from federation.registry.commands import metadata_group
from idp_app.cli.common import act, open_installation

if TYPE_CHECKING:
    from federation.registry.desk import Desk


@contextmanager
def open_desk(config: ConfigFile) -> Iterator[Desk]:
    """The registry of this site, by the user of this machine."""
    from idp_app.services import metadata

    installation = open_installation(config)
    try:
        yield metadata.desk(installation, act(installation).actor)
    finally:
        installation.engine.dispose()


def _defaults(desk: Desk, given: dict[str, Any]) -> dict[str, Any]:
    """What every service provider of a federation's source is told, whom it serves, and how it is spoken to."""
    from federation.attributes.policy import ReleasePolicy
    from federation.storage.session import unit_of_work
    from idp_app.options import NO_OPTIONS
    from idp_app.services import audiences, metadata

    with unit_of_work(desk.sessions) as session:
        chosen = [audiences.find(session, each) for each in given["audiences"]]
        options = NO_OPTIONS.changed(given["presets"], given["options"])
        return dict(metadata.defaults(chosen, ReleasePolicy.from_preset(given["release"]), options))


group = metadata_group(
    open_desk,
    options=(
        click.option("--audience", "audiences", multiple=True, help="Whom a federation's sites may serve; repeatable."),
        click.option(
            "--release",
            default="name-only",
            show_default=True,
            metavar="PRESET",
            help="What a federation's sites are told, for instance directory.",
        ),
        click.option(
            "--preset",
            "presets",
            multiple=True,
            metavar="PRESET",
            help="A named weakness that a federation's sites need, as with connect; may be repeated.",
        ),
        click.option(
            "--option",
            "options",
            multiple=True,
            metavar="NAME=VALUE",
            help="How a federation's sites are spoken to, as with connect; may be repeated.",
        ),
    ),
    defaults=_defaults,
)

COMMANDS = (group,)
