"""Commands about connections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, table
from idp_app.cli.common import pass_config, read_secret, work

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from federation.saml.metadata.trust import Unconfirmed
    from idp_app.models import Connection


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--name", required=True, help="What people and pages call the site.")
@click.option("--audience", "audience_names", multiple=True, required=True, help="Whom it may serve; may be repeated.")
@click.option(
    "--release", required=True, metavar="PRESET", help="What it is told, for instance directory or name-only."
)
@click.option(
    "--fingerprint",
    "confirmed",
    multiple=True,
    metavar="SHA256",
    help="A fingerprint that you compared; may be repeated.",
)
@click.option(
    "--signer-fingerprint", "pinned", multiple=True, metavar="SHA256", help="The only key that may have signed."
)
@click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="PRESET",
    help="A named weakness that this partner needs: legacy-cbc, legacy-rsa15, legacy-sha1, plain; may be repeated. "
    "default for none.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="sign=auto|response|assertion|both, name-id=auto|transient|persistent|emailAddress|unspecified|none, "
    "encrypt=assertion,name-id,attributes, logout=auto|browser|soap, key=NAME, attribute:KEY=NAME; may be repeated.",
)
@click.option("--scim-url", help="Where to provision accounts (SCIM 2.0).")
@click.option("--scim-token-file", metavar="FILE|-", help="The bearer token for it.")
@pass_config
def connect(
    config: ConfigFile,
    file: Path,
    name: str,
    audience_names: tuple[str, ...],
    release: str,
    confirmed: tuple[str, ...],
    pinned: tuple[str, ...],
    presets: tuple[str, ...],
    options: tuple[str, ...],
    scim_url: str | None,
    scim_token_file: str | None,
) -> None:
    """Connect a service provider by its metadata in FILE, or bring a connected one up to date.

    Metadata that is not signed by a pinned key becomes live only when a person confirmed it: the first attempt shows
    the fingerprints and changes nothing; compare them with the partner, then give the first one, or every key's, with
    --fingerprint. A site that was connected by a pinned signer is brought up to date by the same signer alone.
    """
    from federation.attributes.policy import ReleasePolicy
    from federation.errors import PolicyRefusal
    from federation.saml.metadata.trust import Unconfirmed
    from idp_app.services import audiences, connections

    if (scim_url is None) != (scim_token_file is None):
        raise click.UsageError("--scim-url and --scim-token-file belong together")
    policy = ReleasePolicy.from_preset(release)
    token = None if scim_token_file is None else read_secret(scim_token_file, "SCIM token")
    document = file.read_bytes()
    with work(config) as (installation, session, act):
        chosen = [audiences.find(session, each) for each in audience_names]
        try:
            trusted = connections.examine(
                session,
                document,
                act,
                settings=installation.settings,
                signer_fingerprints=pinned,
                confirmed_fingerprints=confirmed,
            )
        except Unconfirmed as unconfirmed:
            _show(unconfirmed)
            raise PolicyRefusal(unconfirmed.rule, "nothing was changed: its fingerprints are not confirmed") from None
        connection, is_new = connections.connect(
            session,
            trusted,
            act,
            name=name,
            audiences=chosen,
            policy=policy,
            pins=(*pinned, *confirmed),
            ready=installation.ready,
            presets=presets,
            options=options,
        )
        if scim_url is not None and token is not None:
            box, settings = installation.secret_box, installation.settings
            connections.set_provisioning(session, connection, scim_url, token, act, box=box, settings=settings)
    # After the commit: a reader of this output that goes away must not take the connection with it.
    click.echo(f"{'Connected' if is_new else 'Updated'} {connection.name} ({connection.entity_id}).")
    for miss in connections.misses(connection):
        click.echo(f"  misses: {miss['message']} [{miss['rule']}]")


@click.command("connect-from")
@click.argument("source_name", metavar="SOURCE")
@click.argument("entity_id", metavar="ENTITYID")
@click.option("--name", default="", help="What people and pages call the site; from its metadata unless told.")
@click.option("--audience", "audience_names", multiple=True, help="Whom it may serve; as the source says unless told.")
@click.option("--release", metavar="PRESET", help="What it is told; as the source says unless told.")
@click.option("--preset", "presets", multiple=True, metavar="PRESET", help="As with connect.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="As with connect.")
@pass_config
def connect_from(
    config: ConfigFile,
    source_name: str,
    entity_id: str,
    name: str,
    audience_names: tuple[str, ...],
    release: str | None,
    presets: tuple[str, ...],
    options: tuple[str, ...],
) -> None:
    """Make a connection of a site that a federation's source offers, for something particular; it follows the source.

    Without one, what the source says of all its sites holds for it.
    """
    from federation.attributes.policy import ReleasePolicy
    from federation.registry import sources
    from idp_app.services import audiences, connections, metadata, offered

    with work(config) as (installation, session, act):
        source = sources.find(session, metadata.HOST, source_name)
        row = offered.find(session, source, entity_id)
        kept = offered.defaults_of(session, source.defaults)
        connection = offered.connect(
            session,
            installation,
            source,
            row,
            act,
            name=name,
            audiences=[audiences.find(session, each) for each in audience_names] or None,
            policy=None if release is None else ReleasePolicy.from_preset(release),
            options=kept.options.changed(presets, options),
        )
        misses = connections.misses(connection)
    click.echo(f"Connected {connection.name} ({entity_id}); its metadata follows {source.name}.")
    for miss in misses:
        click.echo(f"  misses: {miss['message']} [{miss['rule']}]")


def _show(unconfirmed: Unconfirmed) -> None:
    """What a person has to compare before the metadata may be used."""
    click.echo(f"Nothing vouches for the metadata of {unconfirmed.entity.entity_id} yet. Its fingerprints (SHA-256):")
    for fingerprint in unconfirmed.fingerprints:
        click.echo(f"  {fingerprint.use:<12} {fingerprint.value}")
    click.echo(
        "Compare them with the partner over another channel, then give the first, or every key's, by --fingerprint."
    )
    for miss in unconfirmed.misses:
        click.echo(f"  misses: {miss.message} [{miss.rule}]")


@click.command("provision-to")
@click.argument("name")
@click.option("--url", required=True, help="SCIM 2.0 address of the site.")
@click.option("--token-file", required=True, metavar="FILE|-", help="Its bearer token.")
@pass_config
def provision_to(config: ConfigFile, name: str, url: str, token_file: str) -> None:
    """Say where a connection's accounts are provisioned."""
    from idp_app.services import connections

    token = read_secret(token_file, "SCIM token")
    with work(config) as (installation, session, act):
        connection = connections.find(session, name)
        box, settings = installation.secret_box, installation.settings
        connections.set_provisioning(session, connection, url, token, act, box=box, settings=settings)
    click.echo(f"{name} is provisioned at {url}.")


@click.command("connections")
@click.argument("name", required=False)
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def list_(config: ConfigFile, name: str | None, json_: bool) -> None:
    """List the connections, or show one."""
    from idp_app.services import connections

    with work(config) as (_, session, act):
        found = connections.every(session) if name is None else [connections.find(session, name)]
        described = [_described(connection) | _progress(session, connection, act.now) for connection in found]
    if json_:
        as_json(described if name is None else described[0])
    elif name is None:
        headings = ("name", "state", "audiences", "release", "entity_id")
        rows = [[", ".join(each[key]) if key == "audiences" else each[key] for key in headings] for each in described]
        table(["Name", "State", "Audiences", "Release", "entityID"], rows)
    else:
        for key, value in described[0].items():
            click.echo(f"{key.replace('_', ' ')}: {_text(value)}")


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(str(each["message"] if isinstance(each, dict) else each) for each in value) or "none"
    return "none" if value is None else str(value)


def _described(connection: Connection) -> dict[str, Any]:
    from idp_app.options import Options
    from idp_app.services import connections

    options = Options.from_json(connection.options)
    return {
        "name": connection.name,
        "entity_id": connection.entity_id,
        "state": connection.state.value,
        "audiences": [audience.name for audience in connection.audiences],
        "release": connection.release_policy["preset"],
        "trust": connection.trust.value,
        "fingerprints": connection.trust_fingerprints,
        "trusted_at": connection.trusted_at,
        "trusted_by": connection.trusted_by,
        "valid_until": connection.valid_until,
        "presets": list(options.presets),
        "options": options.in_words(),
        "misses": connections.misses(connection),
        "provisioning_url": connection.provisioning_url,
    }


def _progress(session: Session, connection: Connection, now: datetime) -> dict[str, Any]:
    """What becomes of the accounts where a connection ends or has ended: of how many, and how many are done."""
    from idp_app.services import disconnecting

    ending, over = connection.ending, connection.state.over
    outlook = disconnecting.look(session, connection, now) if over else None
    return {
        "ending": ending.value if ending is not None else None,
        "ending_accounts": connection.ending_accounts,
        "ending_done": outlook.done if outlook is not None and outlook.ending is not None else None,
    }


@click.command()
@click.argument("name")
@pass_config
def pause(config: ConfigFile, name: str) -> None:
    """Stop serving a connection for a while; everything about it is kept."""
    from idp_app.services import connections

    with work(config) as (_, session, act):
        changed = connections.pause(session, connections.find(session, name), act)
    click.echo(f"{name} is paused{'.' if changed else ' already.'}")


@click.command()
@click.argument("name")
@pass_config
def resume(config: ConfigFile, name: str) -> None:
    """Serve a paused connection again."""
    from idp_app.services import connections

    with work(config) as (_, session, act):
        changed = connections.resume(session, connections.find(session, name), act)
    click.echo(f"{name} is active{'.' if changed else ' already.'}")


@click.command()
@click.argument("name")
@click.option("--preset", "presets", multiple=True, metavar="PRESET", help="As with connect; default for none.")
@click.option("--option", "options", multiple=True, metavar="NAME=VALUE", help="As with connect.")
@pass_config
def configure(config: ConfigFile, name: str, presets: tuple[str, ...], options: tuple[str, ...]) -> None:
    """Choose how a connected site is spoken to: presets for what it cannot do, and what it needs differently."""
    from idp_app.options import Options
    from idp_app.services import connections

    with work(config) as (installation, session, act):
        connection = connections.find(session, name)
        chosen = Options.from_json(connection.options).changed(presets, options)
        connections.set_options(session, connection, chosen, act, installation.ready)
    click.echo(f"{connection.name}: {', '.join(chosen.in_words()) or 'default'}.")
    for weakness in chosen.weaknesses:
        click.echo(f"  misses: {weakness['message']} [{weakness['rule']}]")


COMMANDS = (connect, connect_from, configure, provision_to, list_, pause, resume)
