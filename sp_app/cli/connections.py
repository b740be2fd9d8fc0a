"""Identity providers: our metadata for them, and theirs for us."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from federation.cli.configuration import ConfigFile
from federation.errors import ConfigurationError
from sp_app.cli.site import now, provider_in, settings_of, unit_of_work

if TYPE_CHECKING:
    from federation.saml.metadata.trust import Unconfirmed


@click.command
@click.argument("file", type=click.Path(dir_okay=False, allow_dash=True, path_type=Path))
@click.pass_obj
def publish(config: ConfigFile, file: Path) -> None:
    """Write this site's signed metadata to FILE, or to the standard output with `-`."""
    document = provider_in(config).metadata(now())
    if str(file) == "-":
        click.echo(document, nl=False)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"{file.name}.partial")
    partial.write_bytes(document)
    os.replace(partial, file)
    click.echo(f"Wrote {file}.")


@click.command
@click.pass_obj
def fingerprint(config: ConfigFile) -> None:
    """Show the SHA-256 fingerprint of this site's signing certificate: what the other side confirms."""
    from federation.keys.ring import Ring

    click.echo(Ring(settings_of(config).key_files).current().fingerprint)


_request_binding = click.option(
    "--request-binding",
    type=click.Choice(["redirect", "post", "artifact"]),
    help="How our requests travel; redirect unless told.",
)
_response_binding = click.option(
    "--response-binding", type=click.Choice(["post", "artifact"]), help="How we ask for the answer; post unless told."
)
_allow_unsolicited = click.option(
    "--allow-unsolicited/--refuse-unsolicited",
    default=None,
    help="Whether sign-ins may begin at the identity provider; refused unless told.",
)

_identifier = click.option(
    "--identifier",
    type=click.Choice(["pairwise-id", "subject-id", "persistent"]),
    help="What its people are known by: an attribute, or the persistent NameID for software that sends neither; "
    "pairwise-id unless told. Another choice makes strangers of the people who came before.",
)


@click.command
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", help="What people see; from the metadata unless told.")
@click.option(
    "--fingerprint",
    "fingerprints",
    multiple=True,
    metavar="SHA256",
    help="Confirms a key: the signer's, or each one of an unsigned document. Compare it over another channel first.",
)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="PRESET",
    help="A named weakness that this partner needs: legacy-cbc, legacy-rsa15, legacy-sha1; may be repeated. "
    "default for none.",
)
@_request_binding
@_response_binding
@_allow_unsolicited
@_identifier
@click.pass_obj
def connect(
    config: ConfigFile,
    file: Path,
    name: str | None,
    fingerprints: tuple[str, ...],
    presets: tuple[str, ...],
    request_binding: str | None,
    response_binding: str | None,
    allow_unsolicited: bool | None,
    identifier: str | None,
) -> None:
    """Trust the identity provider whose metadata is in FILE, or take over its newer metadata."""
    from federation.saml.metadata.trust import Unconfirmed
    from sp_app.services import audit, connections, options

    chosen = options.Options(
        request_binding=request_binding,
        response_binding=response_binding,
        allow_unsolicited=allow_unsolicited,
        identifier=identifier,
    )
    provider = provider_in(config)
    with unit_of_work(config) as session:
        try:
            connection, version = connections.connect(
                session,
                file.read_bytes(),
                name=name,
                fingerprints=fingerprints,
                own_entity_id=provider.entity_id,
                allow_http_loopback=provider.settings.allow_http_loopback,
                max_validity=provider.settings.partner_metadata_validity,
                trusted_by=f"{getpass.getuser()} (command line)",
                now=now(),
                signing_key=provider.keys.signing,
                banned=provider.settings.banned_algorithms,
                presets=presets,
            )
        except Unconfirmed as unconfirmed:
            raise _to_confirm(unconfirmed) from unconfirmed
        session.flush()
        options.choose(session, connection, chosen, now())
        audit.record(
            session,
            kind=audit.ADMINISTERED,
            reference="",
            at=now(),
            detail=f"metadata version {version.number} made live from the command line, trusted by {version.trust}",
            idp_entity_id=connection.entity_id,
        )
        click.echo(f"{connection.name} ({connection.entity_id}) is connected, metadata version {version.number}.")
        for miss in connections.misses(connection, version):
            click.echo(f"  {miss['level']}: {miss['message']}")


@click.command("connect-from")
@click.argument("source_name", metavar="SOURCE")
@click.argument("entity_id", metavar="ENTITYID")
@click.option("--name", default="", help="What people see; from the metadata unless told.")
@click.pass_obj
def connect_from(config: ConfigFile, source_name: str, entity_id: str, name: str) -> None:
    """Make a connection of an identity provider that a federation's source offers; it follows the source."""
    from federation.registry import entities, sources
    from federation.registry.aggregates import key_of
    from federation.registry.host import Occasion
    from sp_app.services import connections, metadata

    provider = provider_in(config)
    limits = metadata.limits_of(provider.settings, provider.entity_id)
    with unit_of_work(config) as session:
        source = sources.find(session, metadata.HOST, source_name)
        row = entities.by_key(session, metadata.HOST, source.id, key_of(entity_id))
        if row is None:
            raise ConfigurationError(f"{source.name} has no identity provider {entity_id}")
        occasion = Occasion(now(), f"{getpass.getuser()} (command line)", "")
        connection = connections.connect_offered(
            session, source, row, limits, occasion, name=name, signing_key=provider.keys.signing
        )
        sentence = f"{connection.name} ({entity_id}) is connected; its metadata follows {source.name}."
    click.echo(sentence)


def _to_confirm(unconfirmed: Unconfirmed) -> ConfigurationError:
    shown = "\n".join(f"  {each.use}: {each.value}" for each in unconfirmed.fingerprints)
    return ConfigurationError(
        f"nothing vouches for this metadata of {unconfirmed.entity.entity_id}. Compare these fingerprints with its "
        f"administrator, then confirm each with --fingerprint:\n{shown}"
    )


@click.command("options")
@click.argument("entity_id", metavar="ENTITYID")
@_request_binding
@_response_binding
@_allow_unsolicited
@_identifier
@click.pass_obj
def options_(
    config: ConfigFile,
    entity_id: str,
    request_binding: str | None,
    response_binding: str | None,
    allow_unsolicited: bool | None,
    identifier: str | None,
) -> None:
    """Show how messages travel to and from an identity provider, or change it."""
    from sp_app.services import audit, connections, options

    chosen = options.Options(
        request_binding=request_binding,
        response_binding=response_binding,
        allow_unsolicited=allow_unsolicited,
        identifier=identifier,
    )
    with unit_of_work(config) as session:
        connection = connections.by_entity_id(session, entity_id)
        if connection is None:
            raise ConfigurationError(f"there is no connection to {entity_id}")
        if options.choose(session, connection, chosen, now()):
            audit.record(
                session,
                kind=audit.ADMINISTERED,
                reference="",
                at=now(),
                detail=f"options changed from the command line: {options.described(connection)}",
                idp_entity_id=connection.entity_id,
            )
        click.echo(f"{connection.name}: {options.described(connection)}.")


@click.command
@click.argument("entity_id", metavar="ENTITYID")
@click.pass_obj
def pause(config: ConfigFile, entity_id: str) -> None:
    """Let nobody sign in through this identity provider until it is resumed."""
    _set_state(config, entity_id, "paused")


@click.command
@click.argument("entity_id", metavar="ENTITYID")
@click.pass_obj
def resume(config: ConfigFile, entity_id: str) -> None:
    """Let people sign in through this identity provider again."""
    _set_state(config, entity_id, "active")


def _set_state(config: ConfigFile, entity_id: str, state: str) -> None:
    from sp_app.services import audit, connections

    with unit_of_work(config) as session:
        connection = connections.by_entity_id(session, entity_id)
        if connection is None:
            raise ConfigurationError(f"there is no connection to {entity_id}")
        connections.set_state(connection, state, now())
        audit.record(
            session,
            kind=audit.ADMINISTERED,
            reference="",
            at=now(),
            detail=f"set the connection to {state} from the command line",
            idp_entity_id=connection.entity_id,
        )
        click.echo(f"{connection.name} is {state}.")
