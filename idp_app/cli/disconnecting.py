"""The command that ends a connection."""

from __future__ import annotations

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json
from idp_app.cli.common import pass_config, work


@click.command()
@click.argument("name")
@click.option(
    "--accounts",
    type=click.Choice(["keep", "suspend", "delete"]),
    required=True,
    help="What becomes of the accounts there. To keep them while they are being suspended or deleted gives up.",
)
@click.option(
    "--confirm", "typed", metavar="ENTITYID", help="The connection's entityID, or its name; asked for if left out."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@pass_config
def disconnect(config: ConfigFile, name: str, accounts: str, typed: str | None, dry_run: bool, json_: bool) -> None:
    """End a connection: no assertion from this moment on.

    To suspend or delete the accounts there takes the worker, and however long the site does; the connection is
    "disconnecting" meanwhile (`federation idp connections NAME` shows how far it is). Then its audiences, its SCIM
    address and its token are forgotten. The history of its metadata and the audit trail stay.
    """
    from federation.registry.ending import Ending, require_typed
    from idp_app.services import connections, disconnecting

    ending = Ending(accounts)
    with work(config) as (_, session, act):
        connection = connections.find(session, name)
        outlook = disconnecting.look(session, connection, act.now)
        outlook.require(ending)
        would = outlook.sentence(ending)
        if not dry_run:
            if typed is None:
                click.echo(f"{would}. In the last 30 days {outlook.people} signed in there.", err=True)
                typed = str(click.prompt("Type its entityID to confirm", err=True))
            require_typed(typed, entity_id=connection.entity_id, name=connection.name)
            disconnecting.begin(session, connection, ending, act)
        told = {
            "name": connection.name,
            "entity_id": connection.entity_id,
            "state": connection.state.value,
            "choice": accounts,
            "possible": [each.value for each in outlook.choices],
            "accounts": outlook.accounts,
            "active": outlook.active,
            "groups": outlook.groups,
            "people_lately": outlook.people,
        }
    if json_:
        as_json(told)
    elif dry_run:
        click.echo(f"{would}.")
    else:
        click.echo(f"{told['name']} is {told['state']}: {would}.")


COMMANDS = (disconnect,)
