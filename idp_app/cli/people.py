"""Commands about people."""

from __future__ import annotations

from pathlib import Path

import click

from federation.cli.configuration import ConfigFile
from federation.cli.output import as_json, progress, table
from idp_app.cli.common import open_installation, pass_config, read_secret, work

PASSWORD_FILE = click.option(
    "--password-file", metavar="FILE|-", help="Read the password from a file or from standard input instead of asking."
)


@click.command("import-people")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--password-file", metavar="FILE|-", help="A first password for people who are new; without it they get none."
)
@pass_config
def import_people(config: ConfigFile, file: Path, password_file: str | None) -> None:
    """Bring the people in a CSV file in, all of them or none.

    Columns: username (needed), given_name, family_name, display_name, mail, department, groups and audiences
    (separated by semicolons), guest and suspended (yes or no). A column that is absent changes nothing, an empty cell
    clears. Nobody is removed.
    """
    from idp_app.services.csv_rows import MAX_OCTETS, ImportRefused
    from idp_app.services.people_csv import import_people as bring_in

    with file.open("rb") as stream:
        data = stream.read(MAX_OCTETS + 1)
    password = None if password_file is None else read_secret(password_file, "Password")
    try:
        with work(config) as (installation, session, act), progress("Importing people", None) as advance:
            done = bring_in(
                session,
                data,
                act,
                passwords=installation.passwords,
                initial_password=password,
                progress=lambda _done, _total: advance(),
            )
    except ImportRefused as refused:
        for problem in refused.problems:
            click.echo(f"{file}: {problem}", err=True)
        raise
    click.echo(f"{done.total} people: {done.new} new, {done.changed} changed, {done.unchanged} unchanged")


@click.command()
@click.argument("username")
@pass_config
def suspend(config: ConfigFile, username: str) -> None:
    """Suspend a person: no sign-in, sessions end, every connected site is told."""
    from idp_app.services import people

    with work(config) as (_, session, act):
        changed = people.suspend(session, people.find(session, username), act)
    click.echo(f"{username} is suspended{'.' if changed else ' already.'}")


@click.command()
@click.argument("username")
@pass_config
def reinstate(config: ConfigFile, username: str) -> None:
    """Lift a person's suspension."""
    from idp_app.services import people

    with work(config) as (_, session, act):
        changed = people.reinstate(session, people.find(session, username), act)
    click.echo(f"{username} is {'reinstated.' if changed else 'not suspended.'}")


@click.command("set-password")
@click.argument("username")
@PASSWORD_FILE
@pass_config
def set_password(config: ConfigFile, username: str, password_file: str | None) -> None:
    """Give a person a new password; their sessions end."""
    from idp_app.services import people

    password = read_secret(password_file, f"New password of {username}")
    with work(config) as (installation, session, act):
        people.set_password(session, people.find(session, username), password, installation.passwords, act)
    click.echo(f"{username} has a new password.")


@click.command("make-administrator")
@click.argument("username")
@click.option("--display-name", default="", help="Name of a person who is new.")
@click.option("--mail", default="", help="E-mail address of a person who is new.")
@PASSWORD_FILE
@pass_config
def make_administrator(
    config: ConfigFile, username: str, display_name: str, mail: str, password_file: str | None
) -> None:
    """Make a person an administrator of this site.

    Somebody who is not there yet is added and needs a password. This is how the first administrator comes to be.
    """
    from idp_app.errors import NotThere
    from idp_app.services import people

    with work(config) as (installation, session, act):
        try:
            person = people.find(session, username)
        except NotThere:
            password = read_secret(password_file, f"Password of {username}")
            person = people.create(session, username, act, display_name=display_name, mail=mail)
            people.set_password(session, person, password, installation.passwords, act)
        changed = people.set_administrator(session, person, True, act)
    click.echo(f"{username} is an administrator{'.' if changed else ' already.'}")


@click.command("remove-administrator")
@click.argument("username")
@pass_config
def remove_administrator(config: ConfigFile, username: str) -> None:
    """Take the administrator's rights from a person."""
    from idp_app.services import people

    with work(config) as (_, session, act):
        changed = people.set_administrator(session, people.find(session, username), False, act)
    click.echo(f"{username} is {'no administrator any more.' if changed else 'no administrator.'}")


@click.command("remove-second-factor")
@click.argument("username")
@pass_config
def remove_second_factor(config: ConfigFile, username: str) -> None:
    """Take a lost second factor away: the person signs in with the password alone, and can set up another."""
    from idp_app.services import people, second_factor

    with work(config) as (_, session, act):
        removed = second_factor.remove(session, people.find(session, username).id, act)
    click.echo(f"{username} has no second factor{' any more.' if removed else '.'}")


@click.command("enrolment-code")
@click.argument("username")
@pass_config
def enrolment_code(config: ConfigFile, username: str) -> None:
    """Make a code that lets a person set a second factor up, where the settings ask for one; it is good for a week.

    Be sure that it reaches nobody else: whoever has it and the password can set one up. An older code is void.
    """
    from idp_app.services import enrolment, people

    with work(config) as (installation, session, act):
        person = people.find(session, username)
        code = enrolment.issue(session, person, installation.second_factor_secrets.recovery, act)
    click.echo(code)


@click.command()
@click.argument("username")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def sessions(config: ConfigFile, username: str, json_: bool) -> None:
    """List where a person is signed in, and which sites each session reached."""
    from idp_app.services import people
    from idp_app.services.logout import ending

    with work(config) as (installation, session, act):
        person = people.find(session, username)
        found = ending.open_sessions(session, person.id, now=act.now, settings=installation.settings)
    rows = [
        [each.id, f"{each.since:%Y-%m-%d %H:%M}", f"{each.last_seen:%Y-%m-%d %H:%M}", ", ".join(each.sites)]
        for each in found
    ]
    if json_:
        as_json([dict(zip(("session", "since", "last_used", "sites"), row, strict=True)) for row in rows])
    else:
        table(["Session", "Since (UTC)", "Last used", "Sites"], rows)


@click.command("end-sessions")
@click.argument("username")
@click.option("--session", "chosen", multiple=True, metavar="ID", help="Only this one; may be repeated.")
@pass_config
def end_sessions(config: ConfigFile, username: str, chosen: tuple[str, ...]) -> None:
    """Sign a person out here, and tell the sites that their sessions reached.

    Each session ends here first; then every site that takes a logout by SOAP is told, and the outcome is printed. Exits
    1 when a site could not be told or did not say that it ended its session.
    """
    from federation.errors import PolicyRefusal
    from federation.storage.session import unit_of_work
    from idp_app.cli.common import act as occasion
    from idp_app.models import StepState
    from idp_app.services import people
    from idp_app.services.logout import ending

    installation = open_installation(config)
    try:
        act, told = occasion(installation), []
        with unit_of_work(installation.sessions) as session:
            person = people.find(session, username)
            found = ending.open_sessions(session, person.id, now=act.now, settings=installation.settings)
            ids = [each.id for each in found if not chosen or each.id in chosen]
            ended, key = ending.end_sessions(session, person.id, ids, act)
        click.echo(f"{ended} session{'' if ended == 1 else 's'} of {username} ended.")
        if key is not None:
            told = ending.tell_now(installation, key, actor=act.actor, reference=act.reference)
    finally:
        installation.engine.dispose()
    for site in told:
        click.echo(f"  {site.name}: {site.state.value}")
    if any(site.state is not StepState.ENDED for site in told):
        raise PolicyRefusal("logout.partial", "not every site said that it ended its session")


@click.command()
@click.argument("username")
@click.option("--json", "json_", is_flag=True, help="As JSON.")
@pass_config
def identifiers(config: ConfigFile, username: str, json_: bool) -> None:
    """Print the pairwise-id that each connected site knows a person by."""
    from idp_app.services import connections, people, release

    with work(config) as (installation, session, _act):
        person = people.find(session, username)
        found = {
            connection.name: release.pairwise_id(
                person.id,
                connection.entity_id,
                secret=installation.identifier_secret,
                scope=installation.settings.scope,
            )
            for connection in connections.every(session)
        }
    if json_:
        as_json(found)
    else:
        table(["Connection", "pairwise-id"], list(found.items()))


COMMANDS = (
    import_people,
    suspend,
    reinstate,
    set_password,
    remove_second_factor,
    enrolment_code,
    make_administrator,
    remove_administrator,
    sessions,
    end_sessions,
    identifiers,
)
