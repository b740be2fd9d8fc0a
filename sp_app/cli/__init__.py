"""Commands of a service provider: keys and database, the switch, connections, tokens, accounts.

Every command works on one site, `-c FILE#SECTION`: our own demo site's section, or that of an application that embeds
us.
"""

from __future__ import annotations

import click

from federation.cli.configuration import ConfigFile, configuration_option
from sp_app.cli import accounts, connections, disconnecting, invitations, keys, metadata, metrics, tokens, upkeep


@click.group(help="Commands of a service provider.")
@configuration_option(default_section="sp")
@click.pass_context
def sp(context: click.Context, config: ConfigFile) -> None:
    """The group; its object is the configuration that the commands work on."""
    context.obj = config


for _command in (
    upkeep.upgrade,
    upkeep.enable,
    upkeep.disable,
    upkeep.status,
    upkeep.explain,
    upkeep.worker,
    connections.publish,
    connections.fingerprint,
    connections.connect,
    connections.connect_from,
    invitations.accept_invitation,
    connections.options_,
    connections.pause,
    connections.resume,
    disconnecting.disconnect,
    metadata.group,
    keys.group,
    metrics.command,
    tokens.scim_token,
    accounts.accounts,
    accounts.make_administrator,
    accounts.remove_administrator,
):
    sp.add_command(_command)
