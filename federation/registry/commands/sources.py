"""Commands on sources."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from federation.registry.commands.printing import instant, source_facts, text_of

if TYPE_CHECKING:
    from federation.registry.desk import Desk

Opener = Callable[[ConfigFile], "AbstractContextManager[Desk]"]
Defaults = Callable[["Desk", dict[str, Any]], dict[str, Any]]

_EXCEPTIONS = ("missing-valid-until",)
_json = click.option("--json", "json_wanted", is_flag=True, help="As JSON.")


def add_source_command(open_desk: Opener, options: Sequence[Any], defaults: Defaults | None) -> click.Command:
    @click.command("add-source")
    @click.argument("name")
    @click.option("--file", "file", metavar="FILE", help="A document on this machine, read at each refresh.")
    @click.option("--url", help="The address of a document.")
    @click.option("--mdq", metavar="URL", help="The base address of a Metadata Query responder.")
    @click.option("--entity-id", help="The one partner it is about; without, it is a federation's.")
    @click.option(
        "--signer",
        "signers",
        metavar="CERT|SHA256",
        multiple=True,
        help="Whose key must have signed: a certificate file or its SHA-256 fingerprint; any of several.",
    )
    @click.option("--host", "named_host", metavar="NAME", help="Believe one partner's unsigned document for its https.")
    @click.option("--precedence", type=int, default=100, show_default=True, help="The smaller one goes first.")
    @click.option(
        "--max-validity", metavar="DAYS", type=click.IntRange(1, 3650), help="How far ahead validUntil may be."
    )
    @click.option("--except", "exceptions", type=click.Choice(_EXCEPTIONS), multiple=True, help="Let this pass.")
    @click.option(
        "--every",
        "longest",
        metavar="HOURS",
        type=click.FloatRange(0.1, 720),
        default=24.0,
        show_default=True,
        help="Refresh at least so often; sooner where the document's cacheDuration says so.",
    )
    @click.option(
        "--at-most-every",
        "shortest",
        metavar="HOURS",
        type=click.FloatRange(0.02, 720),
        default=1.0,
        show_default=True,
        help="Refresh no more often than that.",
    )
    @click.option("--registrar", "registrars", multiple=True, help="Only entities that this authority registered.")
    @click.option("--category", "categories", multiple=True, help="Only entities of this category.")
    @click.option("--only", "entity_ids", metavar="ENTITYID", multiple=True, help="Only this entity; may be repeated.")
    @click.option(
        "--widening",
        type=click.Choice(["at-once", "same-host", "review"]),
        help="What a refresh may do when a partner's metadata widens trust; what reduces it applies at once.",
    )
    @click.pass_obj
    def add_source(config: ConfigFile, /, **given: Any) -> None:
        """Add a source of metadata: a file, a URL, or a Metadata Query responder.

        A federation's source pins its signer, and every entity that it vouches for is usable at once. The source of one
        partner (--entity-id) keeps its connection up to date.
        """
        from federation.registry import sources
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk:
            kept = defaults(desk, given) if defaults is not None and given["entity_id"] is None else {}
            new = _new_source(given, kept)
            with unit_of_work(desk.sessions) as session:
                source = sources.add(session, desk.host, new, desk.limits, desk.occasion())
                sentence = (
                    f"{source.name} is a source: {source.kind} {source.location}, by {sources.ground_of(source)}."
                )
        click.echo(sentence)
        click.echo("It is asked at the next refresh: federation … metadata refresh.")

    for option in options:
        add_source = option(add_source)
    return add_source


def _new_source(given: dict[str, Any], defaults: dict[str, Any]) -> Any:
    from federation.registry import columns, sources
    from federation.registry.widening import Rule

    places = [
        (kind, given[name])
        for name, kind in (("file", columns.FILE), ("url", columns.URL), ("mdq", columns.MDQ))
        if given[name]
    ]
    if len(places) != 1:
        raise click.UsageError("one of --file, --url and --mdq says where the metadata is")
    kind, location = places[0]
    fingerprints, certificates = _signers(given["signers"])
    days = given["max_validity"]
    return sources.NewSource(
        name=given["name"],
        kind=kind,
        location=str(Path(location).resolve()) if kind == columns.FILE else location,
        entity_id=given["entity_id"],
        precedence=given["precedence"],
        signer_fingerprints=fingerprints,
        signer_certificates=certificates,
        named_host=given["named_host"],
        max_validity=None if days is None else timedelta(days=days),
        exceptions=given["exceptions"],
        shortest_interval=timedelta(hours=min(given["shortest"], given["longest"])),
        longest_interval=timedelta(hours=given["longest"]),
        selection={part: given[part] for part in ("registrars", "categories", "entity_ids")},
        widening=None if given["widening"] is None else Rule(given["widening"]),
        defaults=defaults,
    )


def _signers(given: Sequence[str]) -> tuple[list[str], list[bytes]]:
    """Fingerprints, and certificates (DER) from files."""
    from federation.saml import certificates

    fingerprints, ders = [], []
    for each in given:
        path = Path(each)
        if path.is_file():
            ders.append(certificates.load_certificate(path.read_bytes()))
        else:
            fingerprints.append(each)
    return fingerprints, ders


def sources_command(open_desk: Opener) -> click.Command:
    @click.command("sources")
    @click.argument("name", required=False)
    @_json
    @click.pass_obj
    def sources_(config: ConfigFile, name: str | None, json_wanted: bool) -> None:
        """List the sources and how they do, or show one. Exit code 1 when one that is shown is late or expired."""
        from federation.registry import sources
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            found = sources.every(session, desk.host) if name is None else [sources.find(session, desk.host, name)]
            described = [source_facts(each, desk.now) for each in found]
        if json_wanted:
            as_json(described if name is None else described[0])
        elif name is None:
            table(
                ["Source", "Kind", "Health", "Entities", "Last success", "Next", "Where"],
                [
                    [
                        each["name"],
                        each["kind"],
                        each["health"],
                        each["entities"],
                        instant(each["last_success"]),
                        instant(each["due"]),
                        each["location"],
                    ]
                    for each in described
                ],
            )
        else:
            for key, value in described[0].items():
                click.echo(f"{key.replace('_', ' ')}: {text_of(value)}")
        if any(each["health"] in ("late", "expired") for each in described):
            raise click.exceptions.Exit(1)

    return sources_


def remove_source_command(open_desk: Opener) -> click.Command:
    @click.command("remove-source")
    @click.argument("name")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.pass_obj
    def remove_source(config: ConfigFile, name: str, yes: bool) -> None:
        """Remove a source, and with it every entity that has no connection of its own."""
        from federation.registry import sources
        from federation.storage.session import unit_of_work

        if not yes:
            click.confirm(f"Remove the source {name} and its entities?", abort=True, err=True)
        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            sources.remove(session, desk.host, sources.find(session, desk.host, name), desk.occasion())
        click.echo(f"{name} is no source any more.")

    return remove_source


def switch_source_command(open_desk: Opener, command: str, *, on: bool) -> click.Command:
    @click.command(command, help="Use a source again." if on else "Leave a source and its entities out for a while.")
    @click.argument("name")
    @click.pass_obj
    def switch_source(config: ConfigFile, name: str) -> None:
        from federation.registry import sources
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            sources.set_enabled(session, desk.host, sources.find(session, desk.host, name), on, desk.occasion())
        click.echo(f"{name} is {'in use' if on else 'left out'}.")

    return switch_source


def refresh_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("name", metavar="[SOURCE]", required=False)
    @click.option("--due", is_flag=True, help="Only what is due (for cron); otherwise every source.")
    @click.option(
        "--older", is_flag=True, help="Also a document older than the last one: SOURCE's publisher went back."
    )
    @_json
    @click.pass_obj
    def refresh(config: ConfigFile, name: str | None, due: bool, older: bool, json_wanted: bool) -> None:
        """Refresh SOURCE, or all of them, now. Exit code 1 when one of them failed: what is live stays as it is."""
        from federation.registry import sources
        from federation.storage.session import unit_of_work

        if older and name is None:
            raise click.UsageError("--older needs the SOURCE whose publisher went back")
        with open_desk(config) as desk:
            if older and name is not None:
                with unit_of_work(desk.sessions) as session:
                    sources.take_older(session, desk.host, sources.find(session, desk.host, name), desk.occasion())
            refresher = desk.refresher()
            if due:
                reports = list(refresher.run_due())
            else:
                with unit_of_work(desk.sessions) as session:
                    chosen = (
                        sources.every(session, desk.host) if name is None else [sources.find(session, desk.host, name)]
                    )
                    ids = [each.id for each in chosen if each.enabled or name is not None]
                reports = [report for each in ids if (report := refresher.refresh(each)) is not None]
        if json_wanted:
            as_json([{"source": each.source, "ok": each.ok, "message": each.sentence} for each in reports])
        for report in reports if not json_wanted else ():
            click.echo(f"{report.source}: {report.sentence}", err=not report.ok)
        if any(not report.ok for report in reports):
            raise click.exceptions.Exit(1)

    return refresh


def entities_command(open_desk: Opener) -> click.Command:
    @click.command()
    @click.argument("text", required=False, default="")
    @click.option("--source", "source_name", help="Only what comes from this source.")
    @_json
    @click.pass_obj
    def entities(config: ConfigFile, text: str, source_name: str | None, json_wanted: bool) -> None:
        """List the entities of federations' sources whose name or entityID has TEXT in it, at most a hundred."""
        from federation.registry import entities, sources
        from federation.storage.session import unit_of_work

        with open_desk(config) as desk, unit_of_work(desk.sessions) as session:
            source = None if source_name is None else sources.find(session, desk.host, source_name)
            found = entities.search(session, desk.host, text, source_id=source.id if source is not None else None)
        rows = [{"name": each.name, "entity_id": each.entity_id, "source": each.source} for each in found]
        if json_wanted:
            as_json(rows)
        else:
            table(["Name", "Source", "entityID"], [[each["name"], each["source"], each["entity_id"]] for each in rows])

    return entities
