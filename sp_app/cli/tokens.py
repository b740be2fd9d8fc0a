"""Bearer tokens for provisioning by SCIM."""

from __future__ import annotations

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import table
from federation.errors import ConfigurationError
from sp_app.cli.site import now, unit_of_work


@click.group("scim-token")
def scim_token() -> None:
    """Tokens by which an identity provider may provision accounts here."""


@scim_token.command
@click.argument("name")
@click.option(
    "--connection", "entity_id", metavar="ENTITYID", help="For which identity provider, if there are several."
)
@click.pass_obj
def create(config: ConfigFile, name: str, entity_id: str | None) -> None:
    """Make a token called NAME. It is printed once and cannot be shown again."""
    from sp_app.services import connections, scim_tokens

    with unit_of_work(config) as session:
        candidates = [each for each in connections.every(session) if entity_id in (None, each.entity_id)]
        if not candidates:
            raise ConfigurationError("there is no such connection: connect the identity provider first")
        if len(candidates) > 1:
            raise ConfigurationError("there are several connections: name one with --connection ENTITYID")
        token = scim_tokens.create(session, candidates[0], name=name, now=now())
    click.echo(token)


@scim_token.command("list")
@click.pass_obj
def list_tokens(config: ConfigFile) -> None:
    """List the tokens, never their values."""
    from sp_app.services import scim_tokens

    with unit_of_work(config) as session:
        rows = [
            [token.name, connection.name, f"{token.created_at:%Y-%m-%d}", "revoked" if token.revoked_at else "valid"]
            for token, connection in scim_tokens.every(session)
        ]
    table(["Name", "Identity provider", "Created", "State"], rows)


@scim_token.command
@click.argument("name")
@click.pass_obj
def revoke(config: ConfigFile, name: str) -> None:
    """Revoke the tokens called NAME, at once."""
    from sp_app.services import scim_tokens

    with unit_of_work(config) as session:
        revoked = scim_tokens.revoke(session, name, now())
    if not revoked:
        raise ConfigurationError(f"there is no valid token called {name!r}")
    click.echo(f"Revoked {revoked}.")
