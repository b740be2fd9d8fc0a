"""Taking up an identity provider's invitation."""

from __future__ import annotations

import getpass
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import click

from federation.cli.configuration import ConfigFile
from sp_app.cli.site import now, provider_in, unit_of_work

if TYPE_CHECKING:
    from sp_app.services.invitations import Invitations


@click.command("accept-invitation")
@click.argument("link", required=False)
@click.option("--yes", is_flag=True, help="Do not ask: the identity provider is the one that the link names.")
@click.pass_obj
def accept_invitation(config: ConfigFile, link: str | None, yes: bool) -> None:
    """Connect to the identity provider whose administrator sent LINK.

    Its metadata is fetched and must be signed by the key that the link names; this site's own metadata and SCIM address
    are sent to it. Its name and key are shown, and you are asked. The connection is made when both administrators have
    confirmed: the worker asks, or the same command once more. Without LINK, every invitation that waits is asked about.
    """
    from sp_app.services import connections, invitations

    if link is None:
        for sentence in check_waiting(config):
            click.echo(sentence)
        return
    work = _invitations(config)
    begun = work.begin(link)
    with unit_of_work(config) as session:
        invitation = invitations.get(session, begun)
        name = invitation.name
        click.echo(f"{name} ({invitation.entity_id}). The SHA-256 of its key:\n  {invitation.fingerprint}")
    click.echo(f"Its administrator is shown this site's key:\n  {work.provider.keys.fingerprint}")
    if not yes:
        click.confirm("Is this the identity provider that you want to trust?", abort=True, err=True)
    made = work.agree(begun)
    if made is None:
        click.echo(f"Confirmed. {name} is connected when its administrator has confirmed too.")
        return
    with unit_of_work(config) as session:
        connection = connections.get(session, made)
        click.echo(f"Connected {connection.name} ({connection.entity_id}).")


def check_waiting(config: ConfigFile) -> Sequence[str]:
    """Ask about the invitations that wait for the other side; a sentence about each that has led somewhere."""
    from sp_app.services import invitations

    with unit_of_work(config) as session:
        if not any(each.agreed_at is not None for each in invitations.every(session)):
            return ()
    return _invitations(config).check_all()


def _invitations(config: ConfigFile) -> Invitations:
    from federation.registry.host import Occasion
    from federation.web.reference import new_reference
    from sp_app.services.invitations import Invitations

    occasion = Occasion(now(), f"{getpass.getuser()} (command line)", new_reference())
    return Invitations(provider_in(config), partial(unit_of_work, config), occasion)
