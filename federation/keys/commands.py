"""The commands on a site's own keys, the same for both apps: `federation idp|sp keys …`.

An app gives a way to open its `Desk`. Nothing heavy is imported before a command runs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from federation.keys.desk import Desk, Row

Opener = Callable[[Any], "AbstractContextManager[Desk]"]
"""Given the object of the click context, the desk inside one transaction."""

_json = click.option("--json", "json", is_flag=True, help="As one JSON document.")


def keys_group(open_desk: Opener, *, canaries: bool = False) -> click.Group:
    """The group. `canaries` adds the command of an identity provider that chooses test people."""

    @click.group()
    def keys() -> None:
        """This site's own keys: their states, and the way from one to the next without an outage."""

    for command in (
        _list(open_desk),
        _status(open_desk),
        _prepare(open_desk),
        _publish(open_desk),
        _confirm(open_desk),
        _promote(open_desk),
        _retire(open_desk),
        _seal(open_desk),
        *((_canary(open_desk),) if canaries else ()),
    ):
        keys.add_command(command)
    return keys


def _list(open_desk: Opener) -> click.Command:
    @click.command("list")
    @_json
    @click.pass_obj
    def list_(obj: Any, json: bool) -> None:
        """Show every key: its use, its state, when its certificate expires, what comes next."""
        from federation.cli.output import as_json, table

        with open_desk(obj) as desk:
            rows = desk.status().rows
        if json:
            as_json([_facts(each) for each in rows])
            return
        table(
            ["Key", "Use", "State", "Expires", "Next"],
            [[each.record.name, each.record.use, _state(each), _day(each.until), each.step] for each in rows],
        )

    return list_


def _status(open_desk: Opener) -> click.Command:
    @click.command()
    @_json
    @click.option("--text", is_flag=True, help="With the text to send to each partner that lags.")
    @click.pass_context
    def status(context: click.Context, json: bool, text: bool) -> None:
        """Say what is to be done about keys, ours and partners'.

        Ends with 0 when nothing is, with 3 for warnings, with 4 when something is urgent: a certificate that expires
        within 7 days or has expired.
        """
        from federation.cli.output import as_json

        with open_desk(context.obj) as desk:
            found = desk.status()
            texts = [
                (each, partner, desk.text_to(partner, each.record)) for each in found.rows for partner in each.laggards
            ]
        if json:
            findings = [
                {
                    "level": each.level.name.lower(),
                    "about": each.about,
                    "sentence": each.sentence,
                    "days": each.days,
                    "contacts": each.contacts,
                }
                for each in found.findings
            ]
            as_json({"level": found.level.name.lower(), "findings": findings, "keys": [_facts(e) for e in found.rows]})
        else:
            for finding in found.findings:
                to = f" Contact: {', '.join(finding.contacts)}." if finding.contacts else ""
                click.echo(f"{finding.level.name.lower()}: {finding.sentence}{to}")
            for row, partner, message in texts:
                to = ", ".join(partner.contacts) or "no contact in its metadata"
                click.echo(f"lags: {partner.name} is not known to have {row.record.name}. Contact: {to}.")
                if text:
                    click.echo("\n".join(f"    {line}" for line in message.splitlines()))
            if not found.findings and not texts:
                click.echo("Nothing is to be done.")
        context.exit(int(found.level))

    return status


def _prepare(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("use", type=click.Choice(["signing", "encryption"]))
    @click.pass_obj
    def prepare(obj: Any, use: str) -> None:
        """Make a new key. Nobody else knows of it until it is published."""
        with open_desk(obj) as desk:
            made = desk.prepare(use)
        click.echo(f"Prepared {made.name}, {made.fingerprint}. Next: keys publish {made.name}")

    return prepare


def _publish(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("name")
    @click.pass_obj
    def publish(obj: Any, name: str) -> None:
        """Show a prepared key in this site's metadata, beside the one in use."""
        with open_desk(obj) as desk:
            desk.publish(name)
        click.echo(f"{name} is in our metadata. Next: keys status shows who is not known to have it.")

    return publish


def _confirm(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("entity_id")
    @click.pass_obj
    def confirm(obj: Any, entity_id: str) -> None:
        """Say that the partner ENTITY_ID has this site's present metadata: you asked, or looked."""
        import getpass

        with open_desk(obj) as desk:
            desk.confirm(entity_id, getpass.getuser())
        click.echo("Noted.")

    return confirm


def _promote(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("name")
    @click.option("--on", "on", metavar="DATE", help="Leave it to the worker: 2027-03-01 or 2027-03-01T06:00, in UTC.")
    @click.option("--share", type=click.IntRange(1, 100), help="Or when this percentage of the partners knows it.")
    @click.option("--anyway", is_flag=True, help="Although partners lag: they refuse what the new key signs.")
    @click.pass_obj
    def promote(obj: Any, name: str, on: str | None, share: int | None, anyway: bool) -> None:
        """Use a published key from now on; every process does, without a restart."""
        at = _instant(on)
        with open_desk(obj) as desk:
            if at is None and share is None:
                desk.promote(name, anyway=anyway)
            else:
                desk.plan(name, on=at, share=share)
        click.echo(f"{name} is in use." if at is None and share is None else f"The worker promotes {name}.")

    return promote


def _retire(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("name")
    @click.option(
        "--at-once", is_flag=True, help="Although a partner may still hold metadata by which it encrypts to it."
    )
    @click.pass_obj
    def retire(obj: Any, name: str, at_once: bool) -> None:
        """End a key that is not in use: its files are deleted, and it is never loaded again."""
        with open_desk(obj) as desk:
            desk.retire(name, at_once=at_once)
        click.echo(f"{name} is gone.")

    return retire


def _seal(open_desk: Opener) -> click.Command:
    @click.command()
    @click.pass_obj
    def seal(obj: Any) -> None:
        """Encrypt the private files with the secret of the setting keys_secret."""
        with open_desk(obj) as desk:
            changed = desk.seal()
        click.echo(f"Sealed {', '.join(changed)}." if changed else "All are sealed.")

    return seal


def _canary(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("usernames", nargs=-1)
    @click.pass_obj
    def canary(obj: Any, usernames: tuple[str, ...]) -> None:
        """Choose the people whose responses the next signing key signs already; none ends that."""
        with open_desk(obj) as desk:
            desk.choose_canaries(usernames)
        click.echo(f"With the next key: {', '.join(usernames) or 'nobody'}.")

    return canary


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write 2027-03-01 or 2027-03-01T06:00, in UTC", param_hint="--on") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _state(row: Row) -> str:
    return f"{row.state} (was in use)" if row.record.superseded_at and row.state == "published" else row.state


def _day(value: datetime | None) -> str:
    return "" if value is None else f"{value:%Y-%m-%d}"


def _facts(row: Row) -> dict[str, Any]:
    record = row.record
    return {
        "name": record.name,
        "use": record.use,
        "state": row.state,
        "fingerprint": record.fingerprint,
        "expires": row.until,
        "sealed": row.sealed,
        "created": record.created,
        "published_at": record.published_at,
        "in_use_at": record.in_use_at,
        "superseded_at": record.superseded_at,
        "retired_at": record.retired_at,
        "promote_on": record.promote_on,
        "promote_share": record.promote_share,
        "laggards": [{"entity_id": each.entity_id, "contacts": each.contacts} for each in row.laggards],
        "next": row.step,
    }
