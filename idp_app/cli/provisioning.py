"""Commands about provisioning."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, progress, table
from idp_app.cli.common import open_installation, pass_config

if TYPE_CHECKING:
    from idp_app.installation import Installation
    from idp_app.services.provisioning.run import Report
    from idp_app.services.provisioning.service import Planned

_WAIT_S = 120
_POLL_S = 0.5
_ACTIONS = ("create", "update", "reactivate", "deactivate", "delete")


@click.command()
@click.option("--connection", "name", metavar="NAME", help="This connection alone.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, and send nothing.")
@click.option("--wait", is_flag=True, help="Wait while another worker is busy with a connection.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@pass_config
def provision(config: ConfigFile, name: str | None, dry_run: bool, wait: bool, json_: bool) -> None:
    """Send accounts what waits for them, now, whatever was tried before.

    The worker does this by itself; the command is for a first load, for trying out a connection, and for looking at
    what would happen (--dry-run).
    """
    from idp_app.errors import NotThere
    from idp_app.services.provisioning import service

    installation = open_installation(config)
    try:
        if dry_run:
            _preview(installation, name, json_=json_)
            return
        service.sweep(installation)
        with installation.sessions() as session:
            chosen = [(each.id, each.name) for each in service.provisioned(session, name)]
        if name is not None and not chosen:
            raise NotThere("connection with a SCIM address that is served now", name)
        reports = []
        with progress("Provisioning", len(chosen) or None) as advance:
            for connection_id, _ in chosen:
                reports.append(_provision(installation, connection_id, wait=wait))
                advance()
        _show(reports, json_=json_)
    finally:
        installation.engine.dispose()
    if not all(report.ok for report in reports):
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--once", is_flag=True, help="Do what is due now and end.")
@pass_config
def worker(config: ConfigFile, once: bool) -> None:
    """Provision what changes, as it changes, and tidy up: runs until SIGTERM or Ctrl-C.

    Several workers may run, on several machines: each connection is served by one of them at a time.
    """
    from federation.web import logs
    from idp_app import worker as workers

    logs.configure(json=False)
    installation = open_installation(config)
    try:
        if once:
            workers.work_once(installation)
        else:
            workers.work(installation)
    finally:
        installation.engine.dispose()


def _provision(installation: Installation, connection_id: str, *, wait: bool) -> Report:
    from idp_app.services.provisioning import service

    until = time.monotonic() + _WAIT_S
    while True:
        report = service.provision(installation, connection_id)
        if not (report.busy and wait) or time.monotonic() > until:
            return report
        time.sleep(_POLL_S)


def _show(reports: list[Report], *, json_: bool) -> None:
    if json_:
        as_json(
            [
                {
                    "connection": report.connection,
                    **{action: report.done[action] for action in _ACTIONS},
                    "errors": report.errors,
                    "stopped": "another worker is busy with it" if report.busy else report.stopped,
                }
                for report in reports
            ]
        )
        return
    if not reports:
        click.echo("Nothing to do: the federation is off, or no active connection has a SCIM address.")
        return
    rows = [
        (report.connection, *(report.done[action] for action in _ACTIONS), len(report.errors)) for report in reports
    ]
    table(("connection", "created", "updated", "reactivated", "deactivated", "deleted", "failed"), rows)
    for report in reports:
        for error in report.errors:
            click.echo(f"{report.connection}: {error}", err=True)
        if report.busy:
            click.echo(f"{report.connection}: another worker is busy with it; --wait waits for it.", err=True)
        elif report.stopped:
            click.echo(f"{report.connection}: {report.stopped}", err=True)


def _preview(installation: Installation, name: str | None, *, json_: bool) -> None:
    from dataclasses import asdict

    from idp_app.services.provisioning import fanout, service

    with installation.sessions() as session:  # never committed
        while fanout.fan_out(session, installation.clock()):
            pass
        plans = {each.name: service.preview(session, installation, each) for each in service.provisioned(session, name)}
        session.rollback()
    if json_:
        as_json({connection: [asdict(each) for each in planned] for connection, planned in plans.items()})
        return
    rows = [
        (connection, each.person, each.action, ", ".join(_short(path) for path in each.attributes), _groups(each))
        for connection, planned in plans.items()
        for each in planned
    ]
    if not rows:
        click.echo("Nothing waits.")
        return
    table(("connection", "person", "would", "attributes", "groups"), rows)


def _short(path: str) -> str:
    """A path as people say it: without the extension's URN."""
    return path.rpartition(":")[2]


def _groups(planned: Planned) -> str:
    return " ".join([*(f"+{name}" for name in planned.joining), *(f"-{name}" for name in planned.leaving)])


COMMANDS = (provision, worker)
