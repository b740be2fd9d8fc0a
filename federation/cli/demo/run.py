"""From nothing to a running federation: each step a public command, left out when its work is there already."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from federation.cli.demo.processes import SCRIPTS, Children, command, stoppable
from federation.cli.demo.sites import Federation, Site, check_ports

T = TypeVar("T")

PASSWORD = "federation"  # noqa: S105 (the demo's, printed on the screen)
ADMINISTRATOR = "admin"
AUDIENCES = {"Staff": ["Intranet", "Learning"], "Learners": ["Learning"]}
"""Which sites serve each audience."""
RELEASE = {"Intranet": "directory", "Learning": "name-only"}
"""Which release preset each connection gets."""
REPUBLISH_AFTER = timedelta(days=7)
"""Published metadata older than this is made and imported again; it is valid for four weeks."""
READY = "Ready. Ctrl-C stops everything."


def run(federation: Federation) -> None:
    """Set up what is missing, start everything, and stay until a signal comes. Raises `FederationError`."""
    check_ports(federation)
    try:
        with stoppable(), Children(federation) as children:
            started = time.monotonic()
            first = set_up(federation)
            start(federation, children)
            provision(federation, children, first=first)
            welcome(federation, seconds=time.monotonic() - started)
            children.watch()
    except KeyboardInterrupt:
        click.echo("\nEverything is stopped.")


def set_up(federation: Federation) -> bool:
    """Make keys, databases, people and connections where they are missing; answer whether any connection was new."""
    idp = federation.idp
    with step("Keys and databases"):
        each(lambda site: command(federation, site, "upgrade"), federation.sites)
        states = dict(zip(federation.sites, each(lambda site: status(federation, site), federation.sites), strict=True))
    unconnected = [site for site in federation.sites if not states[site]["connections"]]
    if idp in unconnected:
        with step("People and audiences"):
            import_people(federation)
    if unconnected:
        # A switch that somebody turned off later is left alone: only what was never connected is turned on.
        with step("Federation enabled"):
            each(lambda site: command(federation, site, "enable"), unconnected)
    connected = {connection["name"] for connection in states[idp]["connections"]}
    stale = [site for site in federation.sites if is_stale(site)]
    if unconnected or stale or len(connected) < len(federation.partners):
        with step("Signed metadata published and exchanged"):
            connect(federation)
    return bool(unconnected)


def import_people(federation: Federation) -> None:
    """Import the people as an administrator would, and make one of them the first administrator."""
    idp = federation.idp
    for audience in AUDIENCES:
        command(federation, idp, "audience", "create", audience)
    command(federation, idp, "import-people", str(federation.people), "--password-file=-", typed=PASSWORD)
    command(federation, idp, "make-administrator", ADMINISTRATOR)


def connect(federation: Federation) -> None:
    """Let each site publish its metadata, and each side import the other's, pinned to its signer's key."""
    idp = federation.idp
    each(lambda site: command(federation, site, "publish", str(site.metadata)), federation.sites)
    pins = dict(
        zip(
            federation.sites, each(lambda site: command(federation, site, "fingerprint"), federation.sites), strict=True
        )
    )
    pins = {site: printed.strip() for site, printed in pins.items()}

    def connect_to_idp(site: Site) -> None:
        audiences = [f"--audience={name}" for name, served in AUDIENCES.items() if site.name in served]
        release = f"--release={RELEASE[site.name]}"
        trust = f"--signer-fingerprint={pins[site]}"
        command(federation, idp, "connect", str(site.metadata), f"--name={site.name}", *audiences, release, trust)

    each(connect_to_idp, federation.partners)
    trust = f"--fingerprint={pins[idp]}"
    each(lambda site: command(federation, site, "connect", str(idp.metadata), trust), federation.partners)


def start(federation: Federation, children: Children) -> None:
    """Start the three sites and wait until each answers."""
    with step("Sites started"):
        for site in federation.sites:
            children.serve(site)
        for site in federation.sites:
            children.wait_until_ready(site)


def provision(federation: Federation, children: Children, *, first: bool) -> None:
    """Give the identity provider each site's SCIM address and token, push the accounts, and start the workers."""
    idp = federation.idp
    waiting = {row["name"] for row in status(federation, idp)["connections"] if not row["provisioning"]}
    partners = [site for site in federation.partners if site.name in waiting]
    if partners:
        with step("SCIM tokens handed over"):
            each(lambda site: hand_over_token(federation, site), partners)
    with step("Accounts provisioned"):
        command(federation, idp, "provision")
        if first:
            make_administrators(federation)
    for site in federation.sites:
        children.work(site)


def hand_over_token(federation: Federation, site: Site) -> None:
    """Let the site make a token, and tell the identity provider where and by which token it provisions."""
    token = command(federation, site, "scim-token", "create", federation.idp.name)
    address = f"--url={site.local_url}/scim/v2"
    command(federation, federation.idp, "provision-to", site.name, address, "--token-file=-", typed=token)


def make_administrators(federation: Federation) -> None:
    """Let the administrator look after both sites' consoles too; the sites know a person by pairwise-id alone."""
    identifiers = json.loads(command(federation, federation.idp, "identifiers", ADMINISTRATOR, "--json"))
    for site in federation.partners:
        command(federation, site, "make-administrator", identifiers[site.name])


def welcome(federation: Federation, *, seconds: float) -> None:
    """Say where everything is and what to try."""
    idp, intranet, learning = federation.sites
    federation_command = f"{_short(SCRIPTS / 'federation')} idp -c {_short(federation.config)}"
    click.echo(f"""
Everything runs after {seconds:.0f} s. The password of each person is: {PASSWORD}

  Identity provider  {idp.url}
  Intranet           {intranet.url}  for Staff: is told name, mail, department and groups
  Learning           {learning.url}  for Staff and Learners: is told the display name

  alice  Staff       bob    Learners    carol  Staff and Learners
  dave   neither     admin  Staff, and administers each site at its /admin

Try:
  1. Open {intranet.url}/private and sign in as alice; then open {learning.url}/private.
  2. In another browser, open {intranet.url}/private and sign in as bob.
  3. {federation_command} suspend alice
     and look at Intranet again; `reinstate alice` takes it back.

Logs are in {_short(federation.logs)}
{READY}""")


def _short(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def status(federation: Federation, site: Site) -> dict[str, Any]:
    """What the site says about itself."""
    answer: dict[str, Any] = json.loads(command(federation, site, "status", "--json"))
    return answer


def is_stale(site: Site) -> bool:
    """Whether its published metadata is missing or old."""
    return not site.metadata.exists() or time.time() - site.metadata.stat().st_mtime > REPUBLISH_AFTER.total_seconds()


def each(work: Callable[[Site], T], sites: Sequence[Site]) -> list[T]:
    """Do the same on several sites at once."""
    with ThreadPoolExecutor(len(sites) or 1) as pool:
        return list(pool.map(work, sites))


@contextmanager
def step(description: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    click.echo(f"{description} ...", nl=False)
    try:
        yield
    except BaseException:
        click.echo("")
        raise
    click.echo(f" {time.monotonic() - started:.1f} s")
