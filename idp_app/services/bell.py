"""The bell between whoever changes something and the worker, and the worker's clock: Huey.

No correctness rests on it. A ring that is lost costs one interval of the sweeper; one that comes twice finds nothing to
do. What is queued is the name of a task and a connection's id, as JSON: nothing that is read from the queue is code.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.exceptions import ConfigurationError as HueyConfigurationError
from huey.registry import Message
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from federation.errors import ConfigurationError
from federation.web import logs
from idp_app.settings import IdPSettings

log = logs.get_logger(__name__)

NAME: Final = "provisioning"
_TIMEOUT_S: Final = 1
"""How long a ring may wait for the queue: a person waits for the page meanwhile."""


class JsonSerializer:
    """Tasks as JSON: id, name, arguments. Anything else that Huey could carry is not used here."""

    def serialize(self, message: Message) -> bytes:
        """One task."""
        return json.dumps({"id": message.id, "name": message.name, "args": list(message.args or ())}).encode()

    def deserialize(self, data: bytes) -> Message:
        """One task. Raises ValueError for what is none."""
        try:
            fields = json.loads(bytes(data))
            return Message(id=str(fields["id"]), name=str(fields["name"]), args=tuple(fields["args"]), kwargs={})
        except (TypeError, KeyError) as error:
            raise ValueError("this is not a task") from error


def open_queue(settings: IdPSettings) -> Huey:
    """The queue that the settings name; beside the database unless told. Raises `ConfigurationError`."""
    url = _queue_url(settings)
    options: dict[str, Any] = {"results": False, "serializer": JsonSerializer()}
    match url.get_backend_name():
        case "sqlite":
            return SqliteHuey(NAME, filename=str(_private_file(url)), timeout=_TIMEOUT_S, **options)
        case "postgresql":
            dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
            return PostgresHuey(NAME, dsn=dsn, table_prefix="provisioning_queue", **options)
        case "redis" | "rediss":
            try:
                return RedisHuey(NAME, url=url.render_as_string(hide_password=False), **options)
            except (ImportError, HueyConfigurationError) as error:
                raise ConfigurationError("idp.queue_url names Redis: install the package redis") from error
        case other:
            raise ConfigurationError(f"idp.queue_url: {other} is none of sqlite, postgresql and redis")


class Ringer:
    """What rings the bell. The queue is opened at the first ring; one that fails is logged and never raises."""

    def __init__(self, settings: IdPSettings) -> None:
        self._settings = settings
        self._queue: Huey | None = None
        self._bell: Bell | None = None

    def __call__(self) -> None:
        """Ring."""
        try:
            if self._bell is None:
                self._queue = open_queue(self._settings)
                self._bell = Bell(self._queue)
            self._bell.ring_sweep()
        except Exception:  # the change is recorded and the sweeper will find it: nothing may hurt the one who made it
            log.warning("bell_failed", exc_info=True)

    def close(self) -> None:
        """Close the connection to the queue; the next ring opens another."""
        if self._queue is not None:
            self._queue.storage.close()
        self._queue = self._bell = None


class Bell:
    """The tasks under their names, the same for who rings and for who works.

    Whoever only rings gives no work: the tasks run in the worker's process.
    """

    def __init__(
        self, queue: Huey, *, sweep: Callable[[], None] | None = None, run: Callable[[str], None] | None = None
    ) -> None:
        # Huey knows a task by its module and name: both have to be these, whoever's method does the work.
        def do_sweep() -> None:
            if sweep is not None:
                sweep()

        def do_run(connection_id: str) -> None:
            if run is not None:
                run(connection_id)

        self.ring_sweep: Callable[[], Any] = queue.task(name="sweep")(do_sweep)
        self.ring_run: Callable[[str], Any] = queue.task(name="run")(do_run)


def every_tick(queue: Huey, name: str, work: Callable[[], None]) -> None:
    """Do something at every tick of the worker's clock."""

    def always(_now: datetime) -> bool:
        return True

    queue.periodic_task(always, name=name)(work)


def _queue_url(settings: IdPSettings) -> URL:
    if settings.queue_url:
        try:
            return make_url(settings.queue_url)
        except ArgumentError:
            raise ConfigurationError(
                "idp.queue_url is not an address: sqlite:///PATH, postgresql://…, redis://…"
            ) from None
    url = make_url(settings.database_url)
    if url.get_backend_name() == "sqlite" and url.database:
        return url.set(database=f"{url.database}-queue")
    return url


def _private_file(url: URL) -> Path:
    """The queue's file, made so that only we can read it, as the database's is."""
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(f"the queue file {path} cannot be opened for writing: {error.strerror}") from None
    return path
