"""Our service provider as a partner's test meets it: installed by its commands, served by pserve on a free port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.demo_sites import COMMAND, ROOT
from tests.live import Process, answers, free_ports

CONFIGURATION = """\
[app:sp]
use = egg:saml-federation#sp
sp.public_url = {url}
sp.allow_http_loopback = true
sp.site_name = Reading room
sp.database_url = sqlite:///{directory}/sp.sqlite
sp.keys_directory = {directory}/sp-keys
sp.default_target = /private
{settings}

[server:sp]
use = egg:waitress#main
listen = 127.0.0.1:{port}
ident =
"""


@dataclass(frozen=True)
class ServiceProvider:
    """One running SP; its page `/private` is for signed-in people."""

    url: str
    configuration: Path
    server: Process

    @property
    def entity_id(self) -> str:
        """Its entityID: the address of its metadata."""
        return f"{self.url}/saml/metadata"

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `federation sp` on it; the caller looks at the exit code."""
        return _run(self.configuration, *arguments)

    def metadata(self) -> bytes:
        """Its signed metadata, as `publish` writes it for a partner."""
        path = self.configuration.with_name("published-sp.xml")
        published = self.run("publish", str(path))
        assert published.returncode == 0, published.stderr
        return path.read_bytes()


@contextmanager
def service_provider(directory: Path, *, settings: str = "") -> Iterator[ServiceProvider]:
    """Install an SP into `directory` and serve it until the block is left. `settings` are further ini lines."""
    [port] = free_ports(1)
    url = f"http://localhost:{port}"
    configuration = directory / "sp.ini"
    configuration.write_text(CONFIGURATION.format(url=url, port=port, directory=directory, settings=settings))
    for arguments in (["upgrade"], ["enable"]):
        done = _run(configuration, *arguments)
        assert done.returncode == 0, f"{arguments}: {done.stderr}"
    pserve = [str(Path(sys.executable).with_name("pserve")), f"{configuration}#sp"]
    with Process(pserve, log=directory / "pserve-sp.log", cwd=ROOT) as server:
        server.wait_until(lambda: answers(f"{url}/healthz"), "healthz answered 200")
        yield ServiceProvider(url, configuration, server)


def _run(configuration: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, "sp", "-c", configuration, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
