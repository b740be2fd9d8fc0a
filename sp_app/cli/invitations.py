"""Taking up an identity provider's invitation."""

from __future__ import annotations

import getpass
from collections.abc import Sequence

import click

from federation.cli.configuration import ConfigFile
from sp_app.cli.site import now, provider_in, unit_of_work


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
    from federation.web.reference import new_reference
    from sp_app.services import invitations

    provider, actor, reference = provider_in(config), f"{getpass.getuser()} (command line)", new_reference()
    if link is None:
        for sentence in check_waiting(config):
            click.echo(sentence)
        return
    with unit_of_work(config) as session:
        invitation = invitations.begin(session, provider, link, actor=actor, now=now(), reference=reference)
        shown = f"{invitation.name} ({invitation.entity_id}). The SHA-256 of its key:\n  {invitation.fingerprint}"
        own = provider.keys.fingerprint
    click.echo(f"{shown}\nIts administrator is shown this site's key:\n  {own}")
    if not yes:
        click.confirm("Is this the identity provider that you want to trust?", abort=True, err=True)
    with unit_of_work(config) as session:
        invitation = invitations.begin(session, provider, link, actor=actor, now=now(), reference=reference)
        connection = invitations.agree(session, provider, invitation, actor=actor, now=now(), reference=reference)
        done = (
            f"Connected {connection.name} ({connection.entity_id})."
            if connection is not None
            else f"Confirmed. {invitation.name} is connected when its administrator has confirmed too."
        )
    click.echo(done)


def check_waiting(config: ConfigFile) -> Sequence[str]:
    """Ask about the invitations that wait for the other side; a sentence about each that has led somewhere."""
    from sp_app.services import invitations

    with unit_of_work(config) as session:
        if not any(each.agreed_at is not None for each in invitations.every(session)):
            return ()
        return invitations.check_all(session, provider_in(config), now=now())
