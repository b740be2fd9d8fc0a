"""Check, compare, sign and publish metadata documents, single entities and whole aggregates alike.

Nothing is fetched and no site's database is touched: files in, files out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from federation.cli.metadata import files, printing
from federation.cli.output import as_json
from federation.errors import ConfigurationError

REFUSED = 1
MISSING_VALID_UNTIL = "missing-valid-until"
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def metadata() -> None:
    """Check, compare, sign and publish metadata documents."""


def _options(*options: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(function: Any) -> Any:
        for option in reversed(options):
            function = option(function)
        return function

    return decorate


_json = click.option("--json", "json_wanted", is_flag=True, help="Print one JSON object.")
_time = click.option("--now", "now_text", metavar="ISO8601", help="The time to judge by; the clock's when left out.")
_loopback = click.option("--allow-http-loopback", is_flag=True, help="Accept http endpoints on this machine.")
_intake = _options(
    click.option(
        "--signer",
        "signers",
        metavar="CERT",
        multiple=True,
        help="Whose key must have signed: a certificate file (PEM, DER) or its SHA-256 fingerprint; any of several.",
    ),
    click.option(
        "--max-validity",
        metavar="DAYS",
        type=click.IntRange(1, 36500),
        default=366,
        show_default=True,
        help="How far ahead validUntil may be.",
    ),
    click.option(
        "--except",
        "exceptions",
        type=click.Choice([MISSING_VALID_UNTIL]),
        multiple=True,
        help="Named exception from the rules.",
    ),
    click.option("--own-entity-id", metavar="ENTITYID", help="Our own entityID, which nobody else may describe."),
    _loopback,
    _time,
)
_signing = _options(
    click.option("--key", "key_file", type=_FILE, required=True, help="PEM private key to sign with."),
    click.option("--certificate", "certificate_file", type=_FILE, required=True, help="PEM certificate of that key."),
    click.option(
        "--valid-days",
        metavar="DAYS",
        type=click.IntRange(1, 366),
        default=21,
        show_default=True,
        help="For how long it is valid.",
    ),
    click.option(
        "--cache-hours",
        metavar="HOURS",
        type=click.IntRange(1, 8784),
        default=6,
        show_default=True,
        help="How soon readers should look again.",
    ),
)


def _limits(*, signers: Sequence[str], max_validity: int, **rest: Any) -> dict[str, Any]:
    """What the options of intake are called in the library."""
    return {"pins": files.pins(signers), "max_validity": timedelta(days=max_validity), **rest}


@metadata.command()
@click.argument("file", type=_FILE)
@_intake
@_json
def check(file: Path, now_text: str | None, json_wanted: bool, **intake: Any) -> None:
    """Say whether FILE would be accepted, and what it lacks.

    FILE is one entity or an aggregate of up to 100 MiB. It is accepted or refused whole: exit code 0 or 1.
    """
    from federation.saml.metadata.judgement import judge

    result = judge(files.octets(file), now=files.now(now_text), **_limits(**intake))
    if json_wanted:
        as_json(printing.judgement_json(result))
    else:
        printing.print_judgement(result)
    if not result.accepted:
        click.get_current_context().exit(REFUSED)


@metadata.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@_json
def diff(old: Path, new: Path, json_wanted: bool) -> None:
    """Say what NEW would change against OLD: keys, endpoints, names and wishes, not text.

    Nothing is verified: `metadata check` does that. The exit code is 0 whether anything changes or not.
    """
    from federation.saml.metadata.difference import document_difference

    changes = document_difference(files.entities(old), files.entities(new))
    if json_wanted:
        as_json(
            {
                "changes": [
                    printing.change_json(entity_id, each) for entity_id, found in changes.items() for each in found
                ]
            }
        )
        return
    if not changes:
        click.echo("Nothing changes.")
    for entity_id, found in changes.items():
        click.echo(entity_id)
        for each in found:
            click.echo(f"  {each.effect:<8}  {each.sentence}")


@metadata.command()
@click.argument("file", type=_FILE)
@_signing
@_loopback
@_time
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File to write; else printed.")
def sign(
    file: Path,
    key_file: Path,
    certificate_file: Path,
    valid_days: int,
    cache_hours: int,
    allow_http_loopback: bool,
    now_text: str | None,
    output: Path | None,
) -> None:
    """Sign FILE, an entity or an aggregate, with a new validUntil.

    A signature and a validUntil on its root are replaced. What `metadata check` would refuse is not signed.
    """
    from federation.saml.identifiers import new_id
    from federation.saml.metadata.judgement import judge
    from federation.saml.metadata.origin import Pins
    from federation.saml.metadata.signing import sign_document

    key, now = files.signing_key(key_file, certificate_file), files.now(now_text)
    signed = sign_document(
        files.octets(file),
        signing_key=key,
        document_id=new_id(),
        now=now,
        validity=timedelta(days=valid_days),
        cache_duration=timedelta(hours=cache_hours),
    )
    pins = Pins(keys=frozenset({key.public_key}))
    result = judge(signed, now=now, pins=pins, allow_http_loopback=allow_http_loopback)
    if result.error is not None:
        raise result.error
    if output is None:
        click.echo(signed, nl=False)
    else:
        files.write(output, signed)
        click.echo(f"{output}: signed, valid for {valid_days} days.")


@metadata.command()
@click.argument(
    "documents", type=click.Path(exists=True, path_type=Path), nargs=-1, required=True, metavar="DOCUMENT..."
)
@_signing
@_intake
@click.option("--role", "roles", type=click.Choice(["idp", "sp"]), multiple=True, help="Only entities with this role.")
@click.option("--registrar", "registrars", metavar="URI", multiple=True, help="Only entities that it registered.")
@click.option("--category", "categories", metavar="URI", multiple=True, help="Only entities of this category.")
@click.option("--entity-id", "entity_ids", metavar="ENTITYID", multiple=True, help="Only this entity.")
@click.option("--name", metavar="URI", help="Name of the group in the aggregate.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="File for the signed aggregate.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder for one signed document per entity, named as a Metadata Query responder is asked.",
)
def publish(
    documents: Sequence[Path],
    key_file: Path,
    certificate_file: Path,
    valid_days: int,
    cache_hours: int,
    now_text: str | None,
    roles: Sequence[str],
    registrars: Sequence[str],
    categories: Sequence[str],
    entity_ids: Sequence[str],
    name: str | None,
    output: Path | None,
    folder: Path | None,
    **intake: Any,
) -> None:
    """Put the entities of all DOCUMENTs together and publish them under our signature.

    A DOCUMENT is a file with an entity or an aggregate, or a folder of such files (*.xml). Each must be acceptable as
    for `metadata check`, and no entity may come twice, or nothing is written. An entity keeps the limit it came with.

    The folder can be served by any web server. It gets `entities/{sha1}HEX` for each entity; those of entities that are
    gone are deleted.
    """
    from federation.saml.identifiers import new_id
    from federation.saml.metadata.selection import Selection
    from federation.saml.metadata.signing import sign_group, sign_member

    if output is None and folder is None:
        raise click.UsageError("Say where to: --output, --folder, or both.")
    key, now = files.signing_key(key_file, certificate_file), files.now(now_text)
    selection = Selection(frozenset(roles), frozenset(registrars), frozenset(categories), frozenset(entity_ids))
    members = [each for each in files.members(documents, now=now, **_limits(**intake)) if selection.takes(each.entity)]
    dates: dict[str, Any] = {
        "now": now,
        "validity": timedelta(days=valid_days),
        "cache_duration": timedelta(hours=cache_hours),
    }
    if not members:
        raise ConfigurationError("No entity is left to publish.")
    if output is not None:
        files.write(output, sign_group(members, signing_key=key, document_id=new_id(), name=name, **dates))
        click.echo(f"{output}: {len(members)} entities, valid for {valid_days} days.")
    if folder is not None:
        singles = ((each, sign_member(each, signing_key=key, document_id=new_id(), **dates)) for each in members)
        removed = files.write_folder(folder / "entities", singles)
        click.echo(f"{folder}: {len(members)} entities written, {removed} deleted.")
