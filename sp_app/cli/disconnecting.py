"""The command that ends a connection."""

from __future__ import annotations

import getpass

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json
from federation.errors import ConfigurationError
from sp_app.cli.site import request_in


@click.command
@click.argument("entity_id", metavar="ENTITYID")
@click.option(
    "--accounts",
    type=click.Choice(["keep", "suspend", "delete"]),
    required=True,
    help="What becomes of the accounts for which no other identity provider vouches.",
)
@click.option(
    "--confirm", "typed", metavar="ENTITYID", help="The entityID once more, or the name; asked for if left out."
)
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
@click.option("--json", "json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def disconnect(config: ConfigFile, entity_id: str, accounts: str, typed: str | None, dry_run: bool, json: bool) -> None:
    """End the connection to an identity provider: no sign-in and no provisioning from this moment on.

    Its sessions end and its tokens stop. The history of its metadata and the audit trail stay.
    """
    from pyramid.response import Response

    from federation.registry.ending import Ending, require_typed
    from federation.registry.host import Occasion
    from sp_app.services import connections, disconnecting
    from sp_app.views import endings

    ending = Ending(accounts)
    with request_in(config) as request:
        session, store, now = request.sp.session, request.sp.accounts, request.federation.now
        connection = connections.by_entity_id(session, entity_id)
        if connection is None:
            raise ConfigurationError(f"there is no connection to {entity_id}")
        outlook = disconnecting.look(session, store, connection, now)
        would = outlook.sentence(ending)
        if not dry_run:
            if typed is None:
                click.echo(
                    f"{connection.name}: {would}, sessions that end: {outlook.sessions}, shared accounts that stay as "
                    f"they are: {outlook.shared}, administrators among them: {outlook.administrators}.",
                    err=True,
                )
                typed = str(click.prompt("Type its entityID to confirm", err=True))
            require_typed(typed, entity_id=connection.entity_id, name=connection.name)
            occasion = Occasion(now, f"{getpass.getuser()} (command line)", "")
            outlook, ended = disconnecting.disconnect(session, store, connection, ending, occasion)
            endings.tell(request, Response(), ended)
        told = {
            "name": connection.name,
            "entity_id": connection.entity_id,
            "state": connection.state,
            "choice": accounts,
            "accounts": outlook.accounts,
            "active": outlook.active,
            "administrators": outlook.administrators,
            "shared": outlook.shared,
            "sessions": outlook.sessions,
            "tokens": outlook.tokens,
        }
    if json:
        as_json(told)
    elif dry_run:
        click.echo(f"{would}.")
    else:
        click.echo(f"{told['name']} is {told['state']}: {would}.")
