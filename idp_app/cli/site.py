"""Commands about the site itself."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json
from idp_app.cli.common import pass_config, read_settings, work


@click.command()
@pass_config
def upgrade(config: ConfigFile) -> None:
    """Make missing keys and bring the database to this release.

    Run it once before the first start and after each new release; running it again changes nothing.
    """
    from idp_app.installation import upgrade as bring_up
    from idp_app.installation import utc_now

    settings = read_settings(config)
    made = bring_up(settings, now=utc_now())
    for name in made:
        click.echo(f"Made {settings.keys_directory / name}")
    click.echo("The database is up to date.")


@click.command()
@pass_config
def enable(config: ConfigFile) -> None:
    """Turn the federation on: connected sites are served from now on."""
    _turn(config, True)


@click.command()
@pass_config
def disable(config: ConfigFile) -> None:
    """Turn the federation off: no assertion and no provisioning until it is on again."""
    _turn(config, False)


def _turn(config: ConfigFile, on: bool) -> None:
    from idp_app.services import switch

    with work(config) as (_, session, act):
        changed = switch.turn(session, on, act)
    click.echo(f"The federation is {'on' if on else 'off'}{'.' if changed else ' already.'}")


@click.command()
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def status(config: ConfigFile, json_: bool) -> None:
    """Say whether the federation is on, and what there is."""
    from idp_app.services import overview

    with work(config) as (_, session, _act):
        found = overview.overview(session)
    if json_:
        as_json(found)
        return
    connections = [f"{each['name']} ({each['state']})" for each in found["connections"]]
    click.echo(f"Federation:  {'on' if found['enabled'] else 'off'}")
    click.echo(f"People:      {found['people']}")
    click.echo(f"Audiences:   {', '.join(found['audiences']) or 'none'}")
    click.echo(f"Connections: {', '.join(connections) or 'none'}")


@click.command()
@click.argument("file", metavar="FILE|-")
@pass_config
def publish(config: ConfigFile, file: str) -> None:
    """Write this site's signed metadata to FILE, or to standard output."""
    from idp_app import keys as key_files
    from idp_app.installation import utc_now
    from idp_app.services import publication

    settings = read_settings(config)
    keys = key_files.load(settings.keys_directory, settings.key_secrets)
    xml = publication.document(settings, keys, utc_now()).body
    if file == "-":
        sys.stdout.buffer.write(xml)
        return
    path = Path(file)
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(xml)
    draft.replace(path)


@click.command()
@pass_config
def fingerprint(config: ConfigFile) -> None:
    """Print the SHA-256 fingerprint of the certificate that signs this site's metadata: what partners pin."""
    from idp_app import keys as key_files

    settings = read_settings(config)
    click.echo(key_files.load(settings.keys_directory, settings.key_secrets).fingerprint)


@click.command()
@click.argument("reference")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def explain(config: ConfigFile, reference: str, json_: bool) -> None:
    """Show what happened under a reference number: each message, each check, and what to do about it."""
    from federation.cli import timeline
    from idp_app.errors import NotThere
    from idp_app.services import explain as explanations

    with work(config) as (installation, session, _act):
        moments = explanations.timeline(session, reference, installation.partners)
    if not moments:
        raise NotThere("reference number", reference)
    timeline.show(reference.strip().upper(), moments, json=json_)


@click.command()
@pass_config
def purge(config: ConfigFile) -> None:
    """Delete expired requests and sessions and old audit entries now; the worker does it by itself."""
    from idp_app.services import housekeeping

    with work(config) as (installation, session, act):
        gone = housekeeping.purge(session, now=act.now, settings=installation.settings)
    click.echo(", ".join(f"{name}: {count}" for name, count in gone.items()))


COMMANDS = (upgrade, enable, disable, status, publish, fingerprint, explain, purge)
