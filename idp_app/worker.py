"""The worker: it provisions what changed, tells sites of logouts, has metadata refreshed, and tidies up each hour.

Several may run at once.

It is woken by the bell and by its own clock. Every task is one function that may be called at any time, by anybody, as
often as they like: the outbox says what there is to do, and the lease who does it.
"""

from __future__ import annotations

import logging
import signal
import threading
import time
from datetime import date, datetime, timedelta
from random import random
from typing import Any, Final

from huey import Huey
from huey.consumer import Consumer, Scheduler

from federation.registry.work import ACTOR, run_elsewhere
from federation.storage.session import unit_of_work
from federation.web import logs
from federation.web.reference import new_reference
from idp_app.installation import Installation
from idp_app.services import bell, housekeeping, keys, metadata
from idp_app.services.act import Act
from idp_app.services.logout import ending
from idp_app.services.provisioning import journal, service
from idp_app.services.provisioning.run import Report, run

log = logs.get_logger(__name__)

_HOUSEKEEPING: Final = timedelta(hours=1)
_HEALTH_CHECK_S: Final = 10
_LONGEST_POLL_S: Final = 0.5
"""How long a queue without notifications (SQLite) is left alone."""
_STOP_S: Final = 40
"""How long a run may take to come to the end of its request."""


class Worker:
    """The tasks, and what they remember between two ticks."""

    def __init__(self, installation: Installation, queue: Huey) -> None:
        self._installation = installation
        self._connect = service.connector(installation)
        self._tidied: datetime | None = None
        self._warned: date | None = None
        self._refreshing: threading.Thread | None = None
        self.stopping = False
        self._queue = queue
        self._bell = bell.Bell(queue, sweep=self.sweep, run=self.run)
        bell.every_tick(queue, "tick", self.tick)

    def tick(self) -> None:
        """What the clock does: look for what no bell announced, and tidy up when an hour has passed."""
        self.sweep()
        self.refresh_metadata()
        look_after_keys(self._installation)
        now = self._installation.clock()
        if self._tidied is None or now - self._tidied >= _HOUSEKEEPING:
            self._tidied = now
            tidy(self._installation)
        if self._warned != now.date():
            self._warned = now.date()
            warn_about_keys(self._installation)

    def refresh_metadata(self) -> None:
        """Refresh the sources that are due, beside everything else: the work is another process's."""
        if self._refreshing is not None and self._refreshing.is_alive():
            return
        if metadata.desk(self._installation, ACTOR).refresher().has_work():
            self._refreshing = threading.Thread(target=refresh_metadata, args=(self._installation,), daemon=True)
            self._refreshing.start()

    def sweep(self) -> None:
        """Tell sites of logouts, work off the outbox, and queue a run for each connection with something to do."""
        tell_logouts(self._installation)
        for connection_id in service.sweep(self._installation):
            self._bell.ring_run(connection_id)

    def run(self, connection_id: str) -> None:
        """Work off what waits for one connection, unless somebody is at it."""
        report = run(
            self._installation,
            connection_id,
            connect=self._connect,
            owner=service.owner(),
            random=random,
            should_stop=lambda: self.stopping,
        )
        log_report(report)

    def work_forever(self) -> None:
        """Work until SIGTERM or SIGINT comes; a request that is on its way is waited for."""
        settings = self._installation.settings
        consumer = _consumer(self._queue, settings.provisioning_threads, settings.provisioning_interval)
        consumer.start()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        log.info("worker_started", threads=settings.provisioning_threads)
        try:
            while True:
                time.sleep(_HEALTH_CHECK_S)
                consumer.check_worker_health()
        except KeyboardInterrupt:
            self.stopping = True
            consumer.stop(graceful=True)
        log.info("worker_stopped")


def work(installation: Installation) -> None:
    """Be a worker until told to stop. Raises `ConfigurationError`."""
    quieten()
    queue = bell.open_queue(installation.settings)
    try:
        Worker(installation, queue).work_forever()
    finally:
        queue.storage.close()


def quieten() -> None:
    """Keep libraries from telling too much.

    Huey and Alembic tell of everyday things at INFO; httpx tells whole addresses, and a filter in one names a person.
    """
    for name in ("huey", "alembic", "httpx"):
        logging.getLogger(name).setLevel(logging.WARNING)


def work_once(installation: Installation) -> None:
    """Do what is due now, once for each connection, and tidy up."""
    quieten()
    tell_logouts(installation)
    for connection_id in service.sweep(installation):
        report = run(
            installation,
            connection_id,
            connect=service.connector(installation),
            owner=service.owner(),
            random=random,
        )
        log_report(report)
    if metadata.desk(installation, ACTOR).refresher().has_work():
        refresh_metadata(installation)
    look_after_keys(installation)
    warn_about_keys(installation)
    tidy(installation)


def tell_logouts(installation: Installation) -> None:
    """Tell sites of the sessions that ended without a browser at hand."""
    for sites in ending.tell_waiting(installation, new_reference()):
        for site in sites:
            log.info("logout_told", connection=site.name, state=site.state.value)


def tidy(installation: Installation) -> None:
    """Delete what nothing will ask for again."""
    now, settings = installation.clock(), installation.settings
    with unit_of_work(installation.sessions) as session:
        gone = housekeeping.purge(session, now=now, settings=settings)
        gone["provisioning log"] = journal.purge(session, now=now, keep=settings.audit_retention)
    if any(gone.values()):
        log.info("purged", **{name.replace(" ", "_"): count for name, count in gone.items() if count})


def look_after_keys(installation: Installation) -> None:
    """Promote the keys whose date has come, or that enough partners know."""
    if not any(each.promote_on or each.promote_share for each in installation.keys.index.records):
        return
    with unit_of_work(installation.sessions) as session:
        promoted = keys.desk(installation, session, Act(installation.clock(), ACTOR, new_reference())).advance()
    for name in promoted:
        log.info("key_promoted", key=name)


def warn_about_keys(installation: Installation) -> None:
    """What is to be done about keys, ours and partners', once a day."""
    with unit_of_work(installation.sessions) as session:
        found = keys.desk(installation, session, Act(installation.clock(), ACTOR, new_reference())).status().findings
    for finding in found:
        log.warning("key_warning", about=finding.about, level=finding.level.name.lower(), reason=finding.sentence)


def refresh_metadata(installation: Installation) -> None:
    """Refresh the sources that are due in another process, and wait for it."""
    reports = run_elsewhere(
        metadata.HOST_NAME,
        database_url=installation.settings.database_url,
        limits=metadata.limits_of(installation.settings),
        reference=new_reference(),
    )
    for report in reports:
        tell = log.info if report.ok else log.warning
        tell(
            "metadata_refreshed" if report.ok else "metadata_not_refreshed", source=report.source, said=report.sentence
        )


def log_report(report: Report) -> None:
    """One line for a run that did anything."""
    if report.done.total() or report.errors:
        log.info("provisioned", connection=report.connection, **{str(name): n for name, n in report.done.items()})
    for error in report.errors:
        log.warning("provisioning_failed", connection=report.connection, reason=error)
    if report.stopped:
        log.warning("provisioning_stopped", connection=report.connection, reason=report.stopped)


def _consumer(queue: Huey, threads: int, interval: timedelta) -> Consumer:
    seconds = int(interval.total_seconds())

    class Clock(Scheduler):
        """Huey's scheduler, whose minute is our interval."""

        periodic_task_seconds = seconds

    class TickingConsumer(Consumer):
        scheduler_class = Clock

    options: dict[str, Any] = {"workers": threads, "max_delay": _LONGEST_POLL_S, "shutdown_timeout": _STOP_S}
    return TickingConsumer(queue, **options)
