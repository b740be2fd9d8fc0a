"""An Apache of the test's own: configuration, logs and runtime files in one temporary directory, loopback only.

It touches nothing of the machine's Apache. Apache refuses to serve as root, so root hands everything to `user`; anybody
else runs it as themselves.
"""

from __future__ import annotations

import os
import pwd
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.live import SYSTEM_PATH, Process, answers, program, require

MODULES = Path("/usr/lib/apache2/modules")

CONFIGURATION = """\
ServerRoot "{base}"
DefaultRuntimeDir "{base}/run"
PidFile "{base}/run/apache2.pid"
Mutex "file:{base}/run" default
ServerName {url}
UseCanonicalName On
Listen 127.0.0.1:{port}
{modules}
StartServers 2
TypesConfig /etc/mime.types
ErrorLog "{base}/log/apache-error.log"
DocumentRoot "{base}/htdocs"
"""


class ApacheSite:
    """One site at `http://localhost:<port>` below `base`. A context manager: leaving stops everything and tidies up.

    `modules` maps names as LoadModule wants them to files. The rest of Apache's configuration is `directives`, in which
    `{base}` is the directory. `ready` is the path that answers 200 once the site can be used.
    """

    def __init__(self, *, port: int, user: str, modules: Mapping[str, str], directives: str, ready: str) -> None:
        self.url = f"http://localhost:{port}"
        self.user = user if os.geteuid() == 0 else None
        self._ready = ready
        self.base = Path(tempfile.mkdtemp(prefix="interop-"))
        for directory in ("etc", "log", "run", "htdocs"):
            self.base.joinpath(directory).mkdir()
        lines = [f"LoadModule {name} {MODULES / file}" for name, file in modules.items()]
        text = CONFIGURATION.format(base=self.base, url=self.url, port=port, modules="\n".join(lines))
        self.base.joinpath("etc/apache2.conf").write_text(text + directives.replace("{base}", str(self.base)))
        self.environment = {"PATH": SYSTEM_PATH, "LC_ALL": "C.UTF-8"}
        self._processes: list[Process] = []

    def start_before(self) -> None:
        """Start what Apache needs running; nothing unless a site says otherwise."""

    def start(self, arguments: Sequence[str], *, ready: Callable[[], bool], log: str) -> None:
        """Start one program and wait until it is ready; `log` names the file in `log/` that tells of its troubles."""
        name = Path(arguments[0]).name
        process = Process(
            arguments,
            log=self.base / f"log/{name}.out",
            further_logs=[self.base / "log" / log],
            cwd=self.base,
            env=self.environment,
            user=self.user,
        )
        self._processes.append(process)
        process.wait_until(ready, f"{name} was ready")

    @property
    def processor_seconds(self) -> float:
        """Processor time that all its programs have taken so far."""
        return sum(process.processor_seconds for process in self._processes)

    def __enter__(self) -> Self:
        try:
            if self.user is not None:
                self._hand_over(self.user)
            self.start_before()
            self.start(
                [program("apache2"), "-d", f"{self.base}", "-f", f"{self.base}/etc/apache2.conf", "-D", "FOREGROUND"],
                ready=lambda: answers(self.url + self._ready),
                log="apache-error.log",
            )
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop()

    def _hand_over(self, user: str) -> None:
        require(any(entry.pw_name == user for entry in pwd.getpwall()), f"there is no user {user} to run Apache")
        for path in (self.base, *self.base.rglob("*")):
            shutil.chown(path, user, user)

    def _stop(self) -> None:
        for process in reversed(self._processes):
            process.stop()
        shutil.rmtree(self.base)
