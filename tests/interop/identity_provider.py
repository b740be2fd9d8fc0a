"""Our identity provider as a partner's test meets it: installed by its commands, served by pserve on a free port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.demo_sites import COMMAND, PASSWORD, ROOT
from tests.live import Process, answers, free_ports

CONFIGURATION = """\
[app:main]
use = egg:saml-federation#idp
idp.public_url = {url}
idp.allow_http_loopback = true
idp.site_name = Example University
idp.scope = example.org
idp.database_url = sqlite:///{directory}/idp.sqlite
idp.keys_directory = {directory}/keys

[server:main]
use = egg:waitress#main
listen = 127.0.0.1:{port}
ident =

[loggers]
keys = root

[handlers]
keys = console

[formatters]
keys = plain

[logger_root]
level = INFO
handlers = console

[handler_console]
class = StreamHandler
args = (sys.stderr,)
formatter = plain

[formatter_plain]
format = %(asctime)s %(levelname)s %(name)s %(message)s
"""

PEOPLE = """\
username,given_name,family_name,display_name,mail,department,groups,audiences
alice,Alice,Archer,Alice Archer,alice@example.org,Physics,board;physics-staff,Staff
dave,Dave,Dunn,Dave Dunn,dave@example.org,Estates,,
"""


@dataclass(frozen=True)
class IdentityProvider:
    """One running IdP. `alice` is in its audience Staff, `dave` in none."""

    url: str
    configuration: Path
    server: Process

    @property
    def entity_id(self) -> str:
        """Its entityID: the address of its metadata."""
        return f"{self.url}/saml/metadata"

    def run(self, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run `federation idp` on it; the caller looks at the exit code."""
        return _run(self.configuration, *arguments, stdin=stdin)

    def metadata(self) -> bytes:
        """Its signed metadata, as `publish` writes it for a partner."""
        path = self.configuration.with_name("published.xml")
        published = self.run("publish", str(path))
        assert published.returncode == 0, published.stderr
        return path.read_bytes()


@contextmanager
def identity_provider(directory: Path) -> Iterator[IdentityProvider]:
    """Install an IdP into `directory`, with two people, and serve it until the block is left."""
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    configuration = directory / "idp.ini"
    configuration.write_text(CONFIGURATION.format(url=url, port=port, directory=directory))
    people = directory / "people.csv"
    people.write_text(PEOPLE)
    for arguments, stdin in (
        (["upgrade"], None),
        (["audience", "create", "Staff"], None),
        (["import-people", str(people), "--password-file", "-"], PASSWORD),
        (["enable"], None),
    ):
        done = _run(configuration, *arguments, stdin=stdin)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
    pserve = [str(Path(sys.executable).with_name("pserve")), str(configuration)]
    with Process(pserve, log=directory / "pserve.log", cwd=ROOT) as server:
        server.wait_until(lambda: answers(f"{url}/healthz"), "healthz answered 200")
        yield IdentityProvider(url, configuration, server)


def _run(configuration: Path, *arguments: str, stdin: str | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "idp", "-c", configuration, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
