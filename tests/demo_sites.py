"""The demo federation, started for a test by the very command that `make run` uses, in a directory of its own."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificate_authority import CertificateAuthority
from tests.live import Process, answers, free_ports, listening

ROOT = Path(__file__).parent.parent
COMMAND = Path(sys.executable).with_name("federation")
READY = "Ready. Ctrl-C stops everything."
PASSWORD = "federation"
SITES = ("idp", "intranet", "learning")
HOSTS = ("idp.test", "intranet.test", "learning.test")
"""Three distinct sites (no two share a registrable domain) for a browser told to find them on loopback."""


@dataclass(frozen=True)
class DemoSites:
    """Three running sites by their public addresses; `directory` holds their configuration, databases and keys."""

    directory: Path
    idp: str
    intranet: str
    learning: str

    def run_idp(self, *arguments: str) -> str:
        """Run `federation idp` on the running IdP; answer what it printed. Raises CalledProcessError."""
        return self._run("idp", self.directory / "development.ini", arguments)

    def run_sp(self, section: str, *arguments: str) -> str:
        """Run `federation sp` on the running SP of that ini section (`sp` is Intranet, `learning` Learning)."""
        return self._run("sp", f"{self.directory / 'development.ini'}#{section}", arguments)

    def let_time_pass_for_sign_ins(self, site: str) -> None:
        """Make every sign-in that began at the SP `site` look as if it had begun too long ago."""
        with closing(sqlite3.connect(self.directory / f"var/{site}.sqlite")) as database, database:
            database.execute("UPDATE sp_pending_request SET expires_at = issued_at")

    @staticmethod
    def _run(group: str, config: Path | str, arguments: Sequence[str]) -> str:
        done = subprocess.run(
            [COMMAND, group, "-c", config, *arguments], check=True, capture_output=True, text=True, timeout=60
        )
        return done.stdout


@contextmanager
def demo_sites(directory: Path, *, authority: CertificateAuthority | None = None) -> Iterator[DemoSites]:
    """Run the demo on free ports: plain http on one host name, or https on three sites that `authority` certifies."""
    with ExitStack() as stack:
        ports = free_ports(3)
        if authority is None:
            urls = [f"http://localhost:{port}" for port in ports]
        else:
            tls_ports = stack.enter_context(tls_ports_before(ports, authority, directory))
            urls = [f"https://{host}:{port}" for host, port in zip(HOSTS, tls_ports, strict=True)]
        addresses = [f"--{site}-port={port}" for site, port in zip(SITES, ports, strict=True)]
        addresses += [f"--{site}-url={url}" for site, url in zip(SITES, urls, strict=True)]
        arguments = [str(COMMAND), "demo", "run", "-c", str(ROOT / "development.ini"), f"--var={directory}", *addresses]
        demo = stack.enter_context(Process(arguments, log=directory / "demo.log", cwd=ROOT))
        demo.wait_until(lambda: READY in demo.output, "all sites were ready", seconds=240)
        assert all(answers(f"http://localhost:{port}/healthz") for port in ports), demo.output
        yield DemoSites(directory, *urls)


@contextmanager
def tls_ports_before(ports: Sequence[int], authority: CertificateAuthority, directory: Path) -> Iterator[list[int]]:
    """Put a TLS front before each of the plain `ports`; yields its ports, in the same order."""
    tls_ports = free_ports(len(ports))
    pairs = [f"{tls}:{plain}" for tls, plain in zip(tls_ports, ports, strict=True)]
    certificate, key = authority.issue(HOSTS, directory)
    arguments = [sys.executable, "-m", "tests.tls_front", str(certificate), str(key), *pairs]
    with Process(arguments, log=directory / "tls-front.log", cwd=ROOT) as front:
        front.wait_until(lambda: all(map(listening, tls_ports)), "listening")
        yield tls_ports
