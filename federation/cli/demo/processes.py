"""The demo's processes: commands that come to an end, and children that are looked after until everything stops."""

from __future__ import annotations

import contextlib
import http
import http.client
import signal
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from federation.cli.demo.sites import Federation, Site
from federation.errors import ConfigurationError

SCRIPTS = Path(sysconfig.get_path("scripts"))
READY_WITHIN = 60.0
"""Seconds a site may take until it answers."""
STOP_WITHIN = 10.0
"""Seconds a child may take to end by itself."""


def command(federation: Federation, site: Site, *arguments: str, typed: str | None = None) -> str:
    """Run `federation idp|sp ...` on a site and answer what it printed; `typed` is its standard input.

    Raises `ConfigurationError` with the command's own sentence when it fails.
    """
    done = subprocess.run(
        [SCRIPTS / "federation", site.command, "-c", f"{federation.config}#{site.section}", *arguments],
        input=typed or "",
        capture_output=True,
        text=True,
        check=False,
        cwd=federation.config.parent,
    )
    if done.returncode:
        _, _, sentence = f"\n{done.stderr}".rpartition("\nError: ")
        raise ConfigurationError(f"{site.name}: {sentence.strip() or f'ended with {done.returncode}'}")
    return done.stdout


@dataclass
class Child:
    """One running process and the file that holds what it writes."""

    name: str
    log: Path
    process: subprocess.Popen[bytes]

    def last_words(self, lines: int = 5) -> str:
        """The end of its log."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


@dataclass
class Children:
    """Children in the order they were started. A context manager: leaving stops them all, the last one first."""

    federation: Federation
    running: list[Child] = field(default_factory=list)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in reversed(self.running):
            child.process.terminate()
        deadline = time.monotonic() + STOP_WITHIN
        for child in reversed(self.running):
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()

    def serve(self, site: Site) -> None:
        """Start a site by `pserve`."""
        sections = [f"--app-name={site.section}", f"--server-name={site.section}"]
        self._start(site.name, site.section, ["pserve", str(self.federation.config), *sections])

    def work(self, site: Site) -> None:
        """Start a site's worker."""
        config = f"{self.federation.config}#{site.section}"
        self._start(
            f"{site.name}'s worker", f"{site.section}-worker", ["federation", site.command, "-c", config, "worker"]
        )

    def _start(self, name: str, log_name: str, arguments: list[str]) -> None:
        self.federation.logs.mkdir(parents=True, exist_ok=True)
        log = self.federation.logs / f"{log_name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(SCRIPTS / arguments[0]), *arguments[1:]],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.federation.config.parent,
                # Ctrl-C reaches the demo alone, which then stops its children in order.
                start_new_session=True,
            )
        self.running.append(Child(name, log, process))

    def check(self) -> None:
        """Raise `ConfigurationError` when a child has ended, with its last words."""
        for child in self.running:
            code = child.process.poll()
            if code is not None:
                raise ConfigurationError(
                    f"{child.name} ended with {code}; {child.log} ends with:\n{child.last_words()}"
                )

    def wait_until_ready(self, site: Site) -> None:
        """Return when the site answers on `/healthz`. Raises `ConfigurationError` when it ends or takes too long."""
        deadline = time.monotonic() + READY_WITHIN
        while not _is_ready(site):
            self.check()
            if time.monotonic() > deadline:
                raise ConfigurationError(f"{site.name} did not answer within {READY_WITHIN:g} seconds")
            time.sleep(0.1)

    def watch(self) -> None:
        """Return never: wait for a signal (`KeyboardInterrupt`) or a child's end (`ConfigurationError`)."""
        while True:
            self.check()
            time.sleep(0.5)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Inside, Ctrl-C, SIGTERM and a closed terminal all raise `KeyboardInterrupt`, even where a shell ignores SIGINT.

    The first one counts: while the children are being stopped, further ones are ignored.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def stop(_number: int, _frame: object) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _is_ready(site: Site) -> bool:
    """Ask the site itself, past any proxy that the environment names."""
    connection = http.client.HTTPConnection("localhost", site.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
