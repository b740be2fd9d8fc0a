"""Commands on versions: the review, and the way back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from federation.errors import ConfigurationError
from federation.registry.commands.printing import instant, show_version, version_facts

if TYPE_CHECKING:
    from federation.registry.desk import Desk

Opener = Callable[[ConfigFile], "AbstractContextManager[Desk]"]

_json = click.option("--json", "json_wanted", is_flag=True, help="As JSON.")


def reviews_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("version_id", metavar="[ID]", type=int, required=False)
    @_json
    @click.pass_obj
    def reviews(config: ConfigFile, version_id: int | None, json_wanted: bool) -> None:
        """List what waits for a person's decision, or show one: what it changes, and what it lacks."""
        from federation.registry import proposals, versions
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            if version_id is None:
                found = [version_facts(each) for each in versions.waiting(session, desk.host)]
            else:
                version = versions.get(session, desk.host, version_id)
                offered = proposals.to_confirm(desk.host, version, desk.limits, desk.now)
                found = [{**version_facts(version), "to_confirm": {each.value: each.use for each in offered}}]
        if json_wanted:
            as_json(found if version_id is None else found[0])
        elif version_id is None:
            table(
                ["Id", "Version", "State", "Came", "From", "entityID"],
                [[e["id"], e["number"], e["state"], instant(e["added"]), e["origin"], e["entity_id"]] for e in found],
            )
        else:
            show_version(found[0])

    return reviews


def versions_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("entity_id", metavar="ENTITYID")
    @_json
    @click.pass_obj
    def versions(config: ConfigFile, entity_id: str, json_wanted: bool) -> None:
        """List every version of a connection's metadata, newest first."""
        from federation.registry import versions as registry
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            found = [version_facts(each) for each in registry.history(session, desk.host, entity_id)]
        if not found:
            raise ConfigurationError(f"there is no version of {entity_id}")
        if json_wanted:
            as_json(found)
            return
        table(
            ["Version", "State", "Came", "From", "Decided by", "Why"],
            [
                [each["number"], each["state"], instant(each["added"]), each["origin"], each["decided_by"] or "nobody",
                 each["why"]]
                for each in found
            ],
        )  # fmt: skip

    return versions


def _deciding(open_desk: Opener, config: ConfigFile, version_id: int, decide: Callable[..., None]) -> str:
    """Decide about one version in a transaction, and say what it is now."""
    from federation.registry import versions
    from federation.storage.session import unit_of_work

    with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
        version = versions.get(session, desk.host, version_id)
        decide(session, desk.host, version, desk.occasion())
        return f"Version {version.number} of {version.entity_id} is {version.state}."


def bring_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("entity_id", metavar="ENTITYID")
    @click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option(
        "--signer-fingerprint", "signers", multiple=True, metavar="SHA256", help="Whose key must have signed."
    )
    @click.pass_obj
    def bring(config: ConfigFile, entity_id: str, file: Path, signers: tuple[str, ...]) -> None:
        """Put newer metadata of a connection's partner before whoever reviews; nothing live changes."""
        from federation.registry import proposals, versions
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            holder = desk.host.holder(session, entity_id)
            if holder is None:
                raise ConfigurationError(f"there is no connection to {entity_id}")
            document, occasion = file.read_bytes(), desk.occasion()
            version = proposals.propose(
                session, desk.host, holder, document, desk.limits, occasion, signers=signers
            )  # fmt: skip
            number, id_, confirmed = version.number, version.id, version.trust != versions.UNCONFIRMED
        click.echo(f"Version {number} of {entity_id} waits: see it with reviews {id_}.")
        if not confirmed:
            click.echo(
                f"Nothing vouches for it yet: compare the fingerprints that are shown there, then confirm {id_}."
            )

    return bring


def confirm_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("version_id", metavar="ID", type=int)
    @click.option(
        "--fingerprint", "fingerprints", multiple=True, required=True, metavar="SHA256", help="One that you compared."
    )
    @click.pass_obj
    def confirm(config: ConfigFile, version_id: int, fingerprints: tuple[str, ...]) -> None:
        """Confirm the fingerprints of a version that nothing vouches for: the first one, or every key's."""
        from federation.registry import proposals, versions
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            version = versions.get(session, desk.host, version_id)
            proposals.confirm(session, desk.host, version, fingerprints, desk.limits, desk.occasion())
            sentence = f"Version {version.number} of {version.entity_id} is confirmed, and can be accepted."
        click.echo(sentence)

    return confirm


def accept_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("version_id", metavar="ID", type=int)
    @click.pass_obj
    def accept(config: ConfigFile, version_id: int) -> None:
        """Make a version live that waits for a review."""
        from federation.registry import versions

        click.echo(_deciding(open_desk, config, version_id, versions.accept))

    return accept


def reject_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("version_id", metavar="ID", type=int)
    @click.option("--why", default="", help="The reason, for whoever looks later.")
    @click.pass_obj
    def reject(config: ConfigFile, version_id: int, why: str) -> None:
        """Decide against a version; the same is not asked about again."""
        from federation.registry import versions

        click.echo(_deciding(open_desk, config, version_id, lambda *each: versions.reject(*each, why=why)))

    return reject


def schedule_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("version_id", metavar="ID", type=int)
    @click.option("--at", "at", required=True, metavar="ISO8601", help="When it becomes live; UTC unless it says more.")
    @click.pass_obj
    def schedule(config: ConfigFile, version_id: int, at: str) -> None:
        """Have a version become live at a given time."""
        from federation.registry import versions

        try:
            due = datetime.fromisoformat(at)
        except ValueError:
            raise click.UsageError("--at is a time such as 2026-03-01T12:00:00Z") from None
        due = due if due.tzinfo is not None else due.replace(tzinfo=UTC)
        click.echo(
            _deciding(
                open_desk, config, version_id,
                lambda session, host, version, occasion: versions.schedule(session, host, version, due, occasion),
            )
        )  # fmt: skip

    return schedule


def roll_back_command(open_desk: Opener) -> click.Command:
    @click.command("roll-back")
    @click.argument("entity_id", metavar="ENTITYID")
    @click.argument("number", type=int)
    @click.pass_obj
    def roll_back(config: ConfigFile, entity_id: str, number: int) -> None:
        """Go back to an earlier version of a connection's metadata."""
        from federation.registry import versions
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            version = versions.numbered(session, desk.host, entity_id, number)
            versions.roll_back(session, desk.host, version, desk.occasion())
        click.echo(f"Version {number} of {entity_id} is live again.")

    return roll_back
