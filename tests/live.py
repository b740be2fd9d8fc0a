"""Real processes for the tests that need them: started on free loopback ports, watched, and always stopped."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from waitress import create_server

REQUIRE_ALL = "FEDERATION_REQUIRE_ALL"
"""Set to 1 where everything must be there (CI): what is missing then fails instead of being skipped."""

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where Debian keeps servers; an ordinary user's PATH often lacks the sbin half."""


def require(present: bool, reason: str) -> None:
    """Skip the test with `reason` when what it needs is not `present`; fail instead where everything is required."""
    if present:
        return
    if os.environ.get(REQUIRE_ALL) == "1":
        pytest.fail(f"{reason} ({REQUIRE_ALL}=1 requires it)")
    pytest.skip(reason)


def program(name: str) -> str:
    """Answer the path of the installed program `name`; skip or fail the test when there is none."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SYSTEM_PATH}")
    require(found is not None, f"the program {name} is not installed")
    assert found is not None
    return found


def free_ports(count: int) -> list[int]:
    """Answer `count` different loopback ports that nobody listens on right now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def answers(url: str) -> bool:
    """Say whether `url` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def listening(port: int) -> bool:
    """Say whether somebody accepts connections on the loopback `port`."""
    with socket.socket() as client:
        client.settimeout(5)
        return client.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def serving(app: Any, port: int = 0) -> Iterator[int]:
    """Serve a WSGI application on loopback from a thread of this process; answers its port."""
    server = create_server(app, host="127.0.0.1", port=port, threads=4)

    def run() -> None:
        with suppress(OSError):  # its sockets are closed below while it waits for them
            server.run()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield server.effective_port
    finally:
        server.close()
        thread.join(timeout=20)


class Process:
    """One child process in its own process group, its output in a file. A context manager: leaving stops the group."""

    def __init__(
        self,
        arguments: Sequence[str | Path],
        *,
        log: Path,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        further_logs: Sequence[Path] = (),
    ) -> None:
        self.name = Path(arguments[0]).name
        self._logs = (log, *further_logs)
        with log.open("ab") as output:
            self._popen = subprocess.Popen(
                [str(argument) for argument in arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=cwd,
                env=None if env is None else dict(env),
                start_new_session=True,
                user=user,
                group=user,
                extra_groups=None if user is None else [],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def output(self) -> str:
        """All that the process has written so far, to its output and to its further logs."""
        return "\n".join(log.read_text(errors="replace") for log in self._logs if log.exists())

    def wait_until(self, ready: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait until `ready()`; fail the test with the output when the process ends before, or after `seconds`."""
        deadline = time.monotonic() + seconds
        while not ready():
            code = self._popen.poll()
            if code is not None:
                pytest.fail(f"{self.name} ended with {code} before {what}:\n{self.output}", pytrace=False)
            if time.monotonic() > deadline:
                pytest.fail(f"{self.name}: no {what} within {seconds:g} s:\n{self.output}", pytrace=False)
            time.sleep(0.1)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._popen.pid

    @property
    def processor_seconds(self) -> float:
        """Processor time that it and all its descendants have taken so far (Linux), those that have ended included."""
        ticks = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                fields = path.read_text().rpartition(") ")[2].split()
                # Fields 6 and 14 to 17 of proc(5): session, utime, stime, cutime, cstime.
                if int(fields[3]) == self._popen.pid:
                    ticks += sum(map(int, fields[11:15]))
        return ticks / os.sysconf("SC_CLK_TCK")

    def wait(self, seconds: float = 20) -> int:
        """Wait until it has ended by itself; answer its exit code."""
        return self._popen.wait(seconds)

    def stop(self, seconds: float = 10) -> int:
        """End the process as its operator would (SIGTERM) and the rest of its group by force; answer its exit code."""
        if self._popen.poll() is None:
            self._popen.terminate()
        try:
            return self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return -signal.SIGKILL
        finally:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, signal.SIGKILL)
            self._popen.wait()
