"""Commands about invitations."""

from __future__ import annotations

from datetime import timedelta

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from idp_app.cli.common import pass_config, work


@click.group()
def invite() -> None:
    """Connect a service provider by a link that its administrator opens."""


@invite.command("create")
@click.argument("name")
@click.option("--audience", "audience_names", multiple=True, required=True, help="Whom it may serve; may be repeated.")
@click.option("--release", required=True, metavar="PRESET", help="What it is told, as with connect.")
@click.option("--days", type=click.IntRange(1, 30), default=7, show_default=True, help="How long the link is good.")
@pass_config
def create(config: ConfigFile, name: str, audience_names: tuple[str, ...], release: str, days: int) -> None:
    """Make an invitation for the site NAME, and print its link: this once.

    Send the link to the site's administrator over a channel that you trust. It is good for one site, once.
    """
    from idp_app.services import audiences, invitations

    with work(config) as (installation, session, act):
        chosen = [audiences.find(session, each) for each in audience_names]
        _, link = invitations.create(
            session, act, installation, name=name, audiences=chosen, release=release, lifetime=timedelta(days=days)
        )
    click.echo(str(link))


@invite.command("list")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def list_(config: ConfigFile, json_: bool) -> None:
    """List the invitations: how far each is, and who has taken it up."""
    from idp_app.services import invitations

    with work(config) as (_, session, act):
        found = [
            {
                "id": each.id,
                "name": each.name,
                "state": invitations.state(each, act.now),
                "expires": each.expires,
                "entity_id": each.entity_id,
                "display_name": each.display_name,
                "fingerprint": each.fingerprint,
            }
            for each in invitations.every(session)
        ]
    if json_:
        as_json(found)
        return
    columns = ("name", "state", "expires", "entity_id", "fingerprint")
    table(["Name", "State", "Expires", "Taken up by", "Key (SHA-256)"], [[x[c] or "" for c in columns] for x in found])


@invite.command("confirm")
@click.argument("name")
@click.option("--fingerprint", metavar="SHA256", help="The key that you compared, instead of being asked.")
@pass_config
def confirm(config: ConfigFile, name: str, fingerprint: str | None) -> None:
    """Confirm that the site which took up the invitation NAME is the one that was meant.

    The connection is made when the site's administrator has confirmed too.
    """
    from federation.errors import PolicyRefusal
    from federation.saml.certificates import normalise_fingerprint
    from idp_app.services import invitations

    with work(config) as (_, session, act):
        invitation = invitations.find(session, name)
        invitations.require_usable(invitation, act.now)
        shown, key = (invitation.display_name, invitation.entity_id), invitation.fingerprint
    if key is not None and fingerprint is None:
        click.echo(f"{shown[0]} ({shown[1]}) took up the invitation. The SHA-256 of its key:\n  {key}")
        click.confirm("Is this the site that you invited?", abort=True, err=True)
    elif key is not None and fingerprint is not None and normalise_fingerprint(fingerprint) != key:
        raise PolicyRefusal("invitation.fingerprint", f"nothing was confirmed: the site's key is {key}")
    with work(config) as (installation, session, act):
        invitation = invitations.find(session, name)
        if invitation.fingerprint != key:
            raise PolicyRefusal("invitation.fingerprint", "nothing was confirmed: the site's key has changed")
        connection = invitations.confirm(session, invitation, act, installation)
        done = (
            f"Connected {connection.name} ({connection.entity_id})."
            if connection is not None
            else f"Confirmed. {invitation.name} is connected when its administrator has confirmed too."
        )
    click.echo(done)


@invite.command("void")
@click.argument("name")
@pass_config
def void(config: ConfigFile, name: str) -> None:
    """Take the invitation NAME back: its link opens nothing any more."""
    from idp_app.services import invitations

    with work(config) as (_, session, act):
        changed = invitations.void(session, invitations.find(session, name), act)
    click.echo(f"The invitation {name} is void{'.' if changed else ' already.'}")


COMMANDS = (invite,)
