"""Set up and look after an identity provider: people, audiences, connections, the federation switch."""

from __future__ import annotations

import click

from federation.cli.configuration import ConfigFile, configuration_option
from idp_app.cli import (
    audiences,
    connections,
    disconnecting,
    invitations,
    keys,
    metadata,
    metrics,
    people,
    provisioning,
    site,
)


@click.group()
@configuration_option(default_section="main")
@click.pass_context
def idp(context: click.Context, config: ConfigFile) -> None:
    """Set up and look after an identity provider."""
    context.obj = config


for command in (
    *site.COMMANDS,
    *people.COMMANDS,
    *audiences.COMMANDS,
    *connections.COMMANDS,
    *disconnecting.COMMANDS,
    *invitations.COMMANDS,
    *provisioning.COMMANDS,
    *metadata.COMMANDS,
    *keys.COMMANDS,
    *metrics.COMMANDS,
):
    idp.add_command(command)
