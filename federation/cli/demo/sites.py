"""The three sites of the demo as their configuration describes them, and a copy of it for other ports or addresses."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from configparser import ConfigParser
from configparser import Error as IniError
from dataclasses import dataclass
from pathlib import Path

from federation.errors import ConfigurationError


@dataclass(frozen=True)
class Site:
    """One web site of the demo."""

    name: str
    """What people call it, and its connection."""
    command: str
    """The sub-command that looks after it: `idp` or `sp`."""
    section: str
    """`main` for `[app:main]` and `[server:main]`."""
    port: int
    url: str
    """Its public address, without a slash at the end."""
    metadata: Path
    """Where it publishes its signed metadata for the others."""

    @property
    def local_url(self) -> str:
        """Where it listens, whatever stands before it."""
        return f"http://localhost:{self.port}"


@dataclass(frozen=True)
class Federation:
    """The demo's sites, and where their configuration, people and logs are."""

    config: Path
    people: Path
    """The people, as an administrator would import them."""
    logs: Path
    idp: Site
    partners: tuple[Site, ...]

    @property
    def sites(self) -> tuple[Site, ...]:
        """All of them, the identity provider first."""
        return (self.idp, *self.partners)


def prepare(config: Path, var: Path | None, changes: Mapping[str, str]) -> Federation:
    """Read the sites from `config`; with a directory or changes, from a copy that is written below the directory.

    `changes` are `[DEFAULT]` settings such as `idp_port` and `idp_url`. Raises `ConfigurationError`.
    """
    people = config.with_name("docs") / "tutorial" / "people.csv"
    if var is None and changes:
        # Another address is another entity: it never shares a database with what was connected under the first.
        var = config.parent / "var" / "-".join(["demo", *(re.sub(r"\W+", "-", value) for value in changes.values())])
    if var is not None:
        config = _copy(config, var.absolute(), changes)
    ini = _read(config)
    try:
        published = Path(ini["DEFAULT"]["published"])
        return Federation(
            config=config,
            people=people,
            logs=Path(ini["DEFAULT"]["var"]) / "log",
            idp=_site(ini, "Identity provider", "idp", "main", published / "idp.local.xml"),
            partners=(
                _site(ini, "Intranet", "sp", "sp", published / "intranet.local.xml"),
                _site(ini, "Learning", "sp", "learning", published / "learning.local.xml"),
            ),
        )
    except (IniError, LookupError, ValueError) as error:
        raise ConfigurationError(f"{config} does not describe the demo's three sites: {error}") from error


def check_ports(federation: Federation) -> None:
    """Raise `ConfigurationError` that names every port somebody else listens on."""
    busy = [
        f"port {site.port} ({site.name}) is in use: stop what listens there, or choose another with "
        f"FEDERATION_DEMO_{'IDP' if site.command == 'idp' else site.name.upper()}_PORT"
        for site in federation.sites
        if not _is_free(site.port)
    ]
    if busy:
        raise ConfigurationError(*busy)


def _site(ini: ConfigParser, name: str, command: str, section: str, metadata: Path) -> Site:
    return Site(
        name=name,
        command=command,
        section=section,
        port=ini.getint(f"server:{section}", "port"),
        url=ini[f"app:{section}"][f"{command}.public_url"],
        metadata=metadata,
    )


def _read(config: Path) -> ConfigParser:
    ini = ConfigParser(defaults={"here": str(config.parent), "__file__": str(config)})
    try:
        ini.read_string(config.read_text(encoding="utf-8"), source=str(config))
    except OSError as error:
        raise ConfigurationError(f"{config}: {error.strerror}") from error
    except (IniError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{config} cannot be read as an ini file: {error}".partition("\n")[0]) from error
    return ini


def _copy(config: Path, directory: Path, changes: Mapping[str, str]) -> Path:
    """Write the changed configuration below `directory`, unless that belongs to other addresses already."""
    _read(config)
    text = config.read_text(encoding="utf-8")
    for name, value in changes.items():
        line = re.search(rf"(?m)^{name} = .*$", text)
        if line is None:
            raise ConfigurationError(f"{config} has no {name} in [DEFAULT] to change")
        text = f"{text[: line.start()]}{name} = {value}{text[line.end() :]}"
    copy = directory / config.name
    if copy.exists() and _addresses(copy.read_text(encoding="utf-8")) != _addresses(text):
        raise ConfigurationError(f"{directory} belongs to a demo at other addresses: name another directory")
    for folder in (directory, directory / "metadata"):
        folder.mkdir(parents=True, exist_ok=True)
    copy.write_text(text, encoding="utf-8")
    return copy


def _addresses(text: str) -> list[str]:
    return re.findall(r"(?m)^\w+_(?:port|url) = .*$", text)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As the servers do: a port that only waits for old connections to die is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
