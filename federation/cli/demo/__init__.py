"""Run the demo: an identity provider, two sites and the provisioning worker, set up as real sites are.

Nothing here knows an app. The demo types the public commands that an administrator types, in the order of the tutorial,
and looks after the processes that `pserve` and the workers are.
"""

from __future__ import annotations

from pathlib import Path

import click

from federation.cli.configuration import DEFAULT_FILE

ENVIRONMENT = "FEDERATION_DEMO"


@click.group()
def demo() -> None:
    """Run the demo federation on this machine."""


@demo.command(context_settings={"auto_envvar_prefix": ENVIRONMENT, "show_default": True})
@click.option(
    "-c", "--config", type=click.Path(path_type=Path), default=DEFAULT_FILE, help="Configuration of the sites."
)
@click.option("--var", type=click.Path(path_type=Path), help="Keep databases, keys and metadata below this directory.")
@click.option("--idp-port", type=click.IntRange(1, 65535), help="Port of the identity provider.")
@click.option("--intranet-port", type=click.IntRange(1, 65535), help="Port of Intranet.")
@click.option("--learning-port", type=click.IntRange(1, 65535), help="Port of Learning.")
@click.option("--idp-url", help="Address of the identity provider, where something stands before it.")
@click.option("--intranet-url", help="Address of Intranet, likewise.")
@click.option("--learning-url", help="Address of Learning, likewise.")
def run(config: Path, var: Path | None, **changes: int | str | None) -> None:
    """Start everything, and stop it all on Ctrl-C.

    The first start makes keys and databases, imports the demo people and connects the sites; later ones find that done.
    Other ports or addresses than the configuration's get a directory of their own.
    """
    from federation.cli.demo.run import run as run_demo
    from federation.cli.demo.sites import prepare

    run_demo(
        prepare(config.absolute(), var, {name: str(value) for name, value in changes.items() if value is not None})
    )
