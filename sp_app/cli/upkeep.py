"""Keys and database, the switch, the state of things, and housekeeping."""

from __future__ import annotations

import signal
import threading

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from sp_app.cli.site import now, settings_of, unit_of_work

PURGE_EVERY_SECONDS = 600


@click.command
@click.pass_obj
def upgrade(config: ConfigFile) -> None:
    """Make missing keys and bring the database to this release."""
    from federation.keys.ring import create_missing
    from federation.storage import engine as engines
    from sp_app import database

    settings = settings_of(config)
    made = create_missing(settings.key_files, common_name=settings.site_name, now=now())
    engine = engines.create(settings.database_url)
    database.upgrade(engine)
    engine.dispose()
    click.echo(f"Keys: {', '.join(made) + ' made' if made else 'all there'}. Database: up to date.")


@click.command
@click.pass_obj
def enable(config: ConfigFile) -> None:
    """Switch the federation on."""
    _turn(config, on=True)


@click.command
@click.pass_obj
def disable(config: ConfigFile) -> None:
    """Switch the federation off: its endpoints answer 404."""
    _turn(config, on=False)


def _turn(config: ConfigFile, *, on: bool) -> None:
    from sp_app.services import switch

    with unit_of_work(config) as session:
        switch.turn(session, on=on, now=now())
    click.echo(f"Federation is {'on' if on else 'off'}.")


@click.command
@click.option("--json", "json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def status(config: ConfigFile, json: bool) -> None:
    """Show the switch, the connections and the tokens."""
    from sp_app.services import connections, scim_tokens, switch

    with unit_of_work(config) as session:
        enabled = switch.is_on(session)
        found = [
            {"entity_id": each.entity_id, "name": each.name, "state": each.state, "valid_until": each.valid_until}
            for each in connections.every(session)
        ]
        tokens = [token.name for token, _ in scim_tokens.every(session) if token.revoked_at is None]
    if json:
        as_json({"enabled": enabled, "connections": found, "scim_tokens": tokens})
        return
    click.echo(f"Federation is {'on' if enabled else 'off'}.")
    table(
        ["Identity provider", "State", "Metadata valid until", "entityID"],
        [[each["name"], each["state"], each["valid_until"] or "not limited", each["entity_id"]] for each in found],
    )
    click.echo(f"SCIM tokens: {', '.join(tokens) or 'none'}")


@click.command
@click.argument("reference")
@click.option("--json", "json", is_flag=True, help="As one JSON document.")
@click.pass_obj
def explain(config: ConfigFile, reference: str, json: bool) -> None:
    """Show what happened under a reference number: each message, each check, and what to do about it."""
    from federation.cli import timeline
    from federation.errors import ConfigurationError
    from sp_app.services import explain as explanations

    with unit_of_work(config) as session:
        moments = explanations.timeline(session, reference)
    if not moments:
        raise ConfigurationError(f"nothing is recorded under the reference number {reference}")
    timeline.show(reference.strip().upper(), moments, json=json)


@click.command
@click.option("--once", is_flag=True, help="Do it once and end.")
@click.pass_obj
def worker(config: ConfigFile, once: bool) -> None:
    """Refresh what metadata is due, ask after invitations that wait for the other side, and delete what has expired.

    That is requests, replay entries, sessions, old audit entries. It promotes the keys that are due, too, and says once
    a day what is to be done about keys. It does so every ten minutes.
    """
    from sp_app.cli.invitations import check_waiting
    from sp_app.cli.keys import look_after
    from sp_app.cli.metadata import refresh_due
    from sp_app.services.purge import purge

    settings = settings_of(config)
    stop, warned = threading.Event(), None
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        for sentence in (*refresh_due(config), *check_waiting(config)):
            click.echo(sentence)
        for sentence in look_after(config, warn=now().date() != warned):
            click.echo(sentence)
        warned = now().date()
        with unit_of_work(config) as session:
            purged = purge(session, now=now(), audit_retention=settings.audit_retention)
        if once or any(purged.values()):
            click.echo("Purged: " + ", ".join(f"{count} {what}" for what, count in purged.items()) + ".")
        if once:
            return
        stop.wait(PURGE_EVERY_SECONDS)
