"""Commands about audiences."""

from __future__ import annotations

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from idp_app.cli.common import pass_config, work


@click.group()
def audience() -> None:
    """Sets of people whom a connection may serve."""


@audience.command("create")
@click.argument("name")
@click.option("--description", default="", help="What the audience is for.")
@pass_config
def create(config: ConfigFile, name: str, description: str) -> None:
    """Make an audience."""
    from idp_app.services import audiences

    with work(config) as (_, session, act):
        made, is_new = audiences.create(session, name, act, description=description)
    click.echo(f"Audience {made.name} {'made.' if is_new else 'is there already.'}")


@audience.command("list")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def list_(config: ConfigFile, json_: bool) -> None:
    """List the audiences with their number of members."""
    from idp_app.services import audiences

    with work(config) as (_, session, _act):
        found = [(each.audience.name, each.members) for each in audiences.every(session)]
    if json_:
        as_json([{"name": name, "members": members} for name, members in found])
    else:
        table(["Audience", "Members"], found)


@audience.command("add")
@click.argument("name")
@click.argument("usernames", nargs=-1, required=True)
@pass_config
def add(config: ConfigFile, name: str, usernames: tuple[str, ...]) -> None:
    """Put people into an audience."""
    from idp_app.services import audiences, people

    with work(config) as (_, session, act):
        chosen = [people.find(session, username) for username in usernames]
        count = audiences.add(session, audiences.find(session, name), chosen, act)
    click.echo(f"{count} added to {name}.")


@audience.command("remove")
@click.argument("name")
@click.argument("usernames", nargs=-1, required=True)
@pass_config
def remove(config: ConfigFile, name: str, usernames: tuple[str, ...]) -> None:
    """Take people out of an audience."""
    from idp_app.services import audiences, people

    with work(config) as (_, session, act):
        chosen = [people.find(session, username) for username in usernames]
        count = audiences.remove(session, audiences.find(session, name), chosen, act)
    click.echo(f"{count} removed from {name}.")


COMMANDS = (audience,)
