"""The bell, the clock and the process that hears them."""

from __future__ import annotations

import json
import logging
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from huey.registry import Message

from federation.errors import ConfigurationError
from idp_app.cli import idp as command
from idp_app.models import Change, ProvisioningLog
from idp_app.services import bell, people
from idp_app.services.provisioning import service
from idp_app.worker import Worker, work_once
from tests.idp_factories import make_settings
from tests.live import Process, serving
from tests.provisioning_factories import Sites

STAFF = {"Alice Archer": True, "Carol Clark": True, "Ada Min": True}


@contextmanager
def listening(sites: Sites) -> Iterator[str]:
    """The service provider on a port of its own; yields its SCIM address."""
    with serving(sites.sp.app) as port:
        url = f"http://localhost:{port}/scim/v2"
        with sites.idp.work() as session:
            from idp_app.services import connections

            connections.find(session, "Intranet").provisioning_url = url
        yield url


def ini(sites: Sites, folder: Path) -> Path:
    """The configuration of the identity provider, for commands."""
    names = ("public_url", "allow_http_loopback", "scope", "database_url", "keys_directory", "password_memory_kib")
    values = sites.idp.installation.settings.model_dump()
    lines = [f"idp.{name} = {str(values[name]).lower() if values[name] is True else values[name]}" for name in names]
    lines.append("idp.provisioning_interval = 30 seconds")
    path = folder / "idp.ini"
    path.write_text("\n".join(["[app:main]", "use = egg:saml-federation#idp", *lines]), encoding="utf-8")
    return path


def queued(sites: Sites) -> list[str]:
    """The tasks that wait in the queue."""
    url = sites.idp.installation.settings.database_url
    with sqlite3.connect(f"{url.removeprefix('sqlite:///')}-queue") as database:
        return [json.loads(data)["name"] for (data,) in database.execute("select data from task order by id")]


class TestTheBell:
    def test_it_rings_after_a_commit_in_which_something_changed(self, provisioned: Sites) -> None:
        before = len(queued(provisioned))
        provisioned.change("alice", people.suspend)
        assert len(queued(provisioned)) == before + 1

    def test_it_does_not_ring_for_what_was_taken_back_or_changed_nothing(self, provisioned: Sites) -> None:
        before = len(queued(provisioned))
        with provisioned.idp.work() as session:
            people.suspend(session, people.find(session, "alice"), provisioned.idp.act())
            session.rollback()
        with provisioned.idp.work() as session:
            people.find(session, "alice")
        assert len(queued(provisioned)) == before
        assert provisioned.idp.count(Change) == 0

    def test_a_bell_that_cannot_ring_hurts_nobody(self, provisioned: Sites, caplog: pytest.LogCaptureFixture) -> None:
        ring = bell.Ringer(make_settings(Path("/nowhere"), queue_url="sqlite:////proc/nowhere/queue"))
        with caplog.at_level(logging.WARNING):
            ring()
        assert "bell_failed" in caplog.text

    def test_what_is_queued_is_json_and_what_is_read_is_no_code(self) -> None:
        serializer = bell.JsonSerializer()
        message = Message(id="1", name="x.run", args=("c",), kwargs={})
        assert json.loads(serializer.serialize(message)) == {"id": "1", "name": "x.run", "args": ["c"]}
        assert serializer.deserialize(serializer.serialize(message)) == message
        for data in (b"", b"\x80\x04.", b"[]", b'{"id": 1}', b'{"id": 1, "name": "x", "args": 7}'):
            with pytest.raises(ValueError):
                serializer.deserialize(data)

    @pytest.mark.parametrize("url", ["mysql://x/y", "nonsense", "redis://localhost/0"])
    def test_a_queue_that_cannot_be_is_one_sentence(
        self, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        # An installation does not bring the package; what the tests install happens to.
        monkeypatch.setattr("huey.storage.Redis", None)
        with pytest.raises(ConfigurationError, match="queue_url"):
            bell.open_queue(make_settings(tmp_path, queue_url=url))

    def test_the_queue_is_readable_by_its_owner_alone(self, provisioned: Sites) -> None:
        url = provisioned.idp.installation.settings.database_url
        assert Path(f"{url.removeprefix('sqlite:///')}-queue").stat().st_mode & 0o077 == 0


class TestTheWorker:
    def test_a_ring_becomes_a_run(self, sites: Sites) -> None:
        queue = bell.open_queue(sites.idp.installation.settings)
        with listening(sites):
            Worker(sites.idp.installation, queue)
            while (task := queue.dequeue()) is not None:
                queue.execute(task)
        assert sites.accounts() == STAFF

    def test_the_clock_finds_what_no_bell_announced(self, sites: Sites) -> None:
        queue = bell.open_queue(sites.idp.installation.settings)
        queue.flush()
        worker = Worker(sites.idp.installation, queue)
        with listening(sites):
            worker.tick()
            while (task := queue.dequeue()) is not None:
                queue.execute(task)
        assert sites.accounts() == STAFF

    def test_once_an_hour_it_tidies_up(self, provisioned: Sites) -> None:
        worker = Worker(provisioned.idp.installation, bell.open_queue(provisioned.idp.installation.settings))
        worker.tick()
        assert provisioned.idp.count(ProvisioningLog) > 0
        provisioned.advance(days=400)
        worker.tick()
        assert provisioned.idp.count(ProvisioningLog) == 0

    def test_once_does_what_is_due(self, sites: Sites) -> None:
        with listening(sites):
            work_once(sites.idp.installation)
        assert sites.accounts() == STAFF


class TestTheCommand:
    def test_a_dry_run_says_what_would_happen_and_sends_nothing(self, sites: Sites, tmp_path: Path) -> None:
        done = CliRunner().invoke(command, ["-c", str(ini(sites, tmp_path)), "provision", "--dry-run"])
        assert done.exit_code == 0, done.output
        [alice] = [line for line in done.stdout.splitlines() if " alice " in line]
        assert alice.split()[:3] == ["Intranet", "alice", "create"]
        assert alice.endswith("+board +physics-staff")
        assert sites.accounts() == {}
        again = CliRunner().invoke(command, ["-c", str(ini(sites, tmp_path)), "provision", "--dry-run", "--json"])
        planned = {each["person"]: each for each in json.loads(again.stdout)["Intranet"]}
        assert set(planned) == {"alice", "carol", "admin"}
        assert planned["alice"]["joining"] == ["board", "physics-staff"]

    def test_it_provisions_and_says_what_it_did(self, sites: Sites, tmp_path: Path) -> None:
        with listening(sites):
            done = CliRunner().invoke(command, ["-c", str(ini(sites, tmp_path)), "provision"])
        assert done.exit_code == 0, done.output
        assert done.stdout.splitlines()[-1].split() == ["Intranet", "3", "0", "0", "0", "0", "0"]
        assert sites.accounts() == STAFF

    def test_a_site_that_does_not_answer_is_said_to_be_one(self, sites: Sites, tmp_path: Path) -> None:
        with listening(sites):
            pass
        done = CliRunner().invoke(command, ["-c", str(ini(sites, tmp_path)), "provision", "--connection", "Intranet"])
        assert done.exit_code == 1
        assert "does not answer" in done.stderr

    def test_a_connection_that_is_none_is_said_to_be_none(self, sites: Sites, tmp_path: Path) -> None:
        done = CliRunner().invoke(command, ["-c", str(ini(sites, tmp_path)), "provision", "--connection", "Nowhere"])
        assert done.exit_code == 1


@pytest.mark.slow
def test_a_suspension_by_command_reaches_the_partner_within_seconds(sites: Sites, tmp_path: Path) -> None:
    federation = Path(sys.executable).with_name("federation")
    arguments = [federation, "idp", "-c", ini(sites, tmp_path), "worker"]
    with listening(sites), Process(arguments, log=tmp_path / "worker.log") as worker:
        worker.wait_until(lambda: sites.accounts() == STAFF, "accounts were provisioned")
        with Process([*arguments[:-1], "suspend", "alice"], log=tmp_path / "suspend.log") as suspend:
            suspend.wait_until(lambda: "alice is suspended" in suspend.output, "alice was suspended")
        # The clock ticks every thirty seconds here: it is the bell that was heard.
        worker.wait_until(lambda: not sites.accounts()["Alice Archer"], "alice was locked out", seconds=10)
        assert worker.stop(seconds=20) == 0
    assert "worker_stopped" in worker.output
    assert "example.org" not in worker.output, "no identifier of a person in the log"
    with sites.idp.work() as session:
        assert not service.is_busy(session, sites.connection_id, sites.idp.clock())
