"""How a command shows what happened under a reference number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from federation.cli.output import as_json, plain

if TYPE_CHECKING:
    from federation.saml.profiles.timeline import Moment


def show(reference: str, moments: Sequence[Moment], *, json: bool) -> None:
    """Print the timeline: as one JSON object, or for people, each message, each check, and the repair at the end."""
    if json:
        as_json({"reference": reference, "timeline": [moment.as_json() for moment in moments]})
        return
    for moment in moments:
        click.echo(plain(f"{moment.at:%Y-%m-%d %H:%M:%S} UTC  {moment.kind}: {moment.sentence}"))
        facts = {"Reference": moment.reference, "Partner": moment.partner, "Person": moment.person}
        for label, fact in facts.items():
            if fact:
                click.echo(plain(f"  {label + ':':10} {fact}"))
        for message in moment.messages:
            _message(message)
        for check in moment.checks:
            _check(check)
        if moment.repair:
            click.echo(plain(f"  Repair:    {moment.repair}"))
        click.echo()


def _message(message: Mapping[str, Any]) -> None:
    signature = f", signature {message['signature']}" if message["signature"] else ""
    click.echo(plain(f"  {message['direction']} {message['kind']} by {message['binding']}{signature}"))
    for line in message["lines"]:
        words = "".join(f" {name}={value}" for name, value in line["attributes"].items())
        text = f": {line['text']}" if line["text"] else ""
        click.echo(plain(f"    {'  ' * line['depth']}{line['name']}{words}{text}"))


def _check(check: Mapping[str, Any]) -> None:
    click.echo(f"  {'ok     ' if check['ok'] else 'REFUSED'}  {check['rule']}  ({check['reference']})")
    if not check["ok"]:
        click.echo(plain(f"           expected  {check['expected']}"))
        click.echo(plain(f"           received  {check['received']}"))
