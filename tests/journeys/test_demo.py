"""`federation demo run`: starts from nothing, starts again from what is there, stops whole, and says what is wrong."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.demo_sites import COMMAND, READY, ROOT, SITES
from tests.journeys.plain_browser import PlainBrowser
from tests.live import Process, answers, free_ports, listening

pytestmark = pytest.mark.slow


def arguments(directory: Path, ports: list[int]) -> list[str | Path]:
    flags = [f"--{site}-port={port}" for site, port in zip(SITES, ports, strict=True)]
    return [COMMAND, "demo", "run", "-c", ROOT / "development.ini", f"--var={directory}", *flags]


@contextmanager
def demo(directory: Path, ports: list[int]) -> Iterator[Process]:
    log = directory.with_suffix(".log")
    log.unlink(missing_ok=True)
    with Process(arguments(directory, ports), log=log, cwd=ROOT) as process:
        yield process


def run(directory: Path, ports: list[int]) -> subprocess.CompletedProcess[str]:
    """Run the demo where it is expected to end by itself."""
    return subprocess.run(
        arguments(directory, ports), capture_output=True, text=True, check=False, timeout=60, cwd=ROOT
    )


def children_of(pid: int) -> dict[int, str]:
    """Running children of a process, with their command lines."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid and fields[0] != "Z":
                found[int(status.parent.name)] = status.with_name("cmdline").read_text().replace("\0", " ")
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found


def sign_in(ports: list[int]) -> None:
    page = f"http://localhost:{ports[1]}/private"
    with PlainBrowser() as browser:
        browser.open(page)
        browser.sign_in("alice")
        assert browser.url == page


def status(directory: Path) -> dict:
    command = [COMMAND, "idp", "-c", directory / "development.ini", "status", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@dataclass(frozen=True)
class Started:
    """What was seen of a start, and what is left of it."""

    directory: Path
    ports: list[int]
    output: str
    code: int
    left: list[int]
    """Children that outlived it."""


def started_and_stopped(directory: Path, ports: list[int], by: signal.Signals) -> Started:
    """Start the demo, sign somebody in, and stop it by a signal."""
    with demo(directory, ports) as process:
        process.wait_until(lambda: READY in process.output, "ready", seconds=180)
        assert all(answers(f"http://localhost:{port}/healthz") for port in ports)
        sign_in(ports)
        children = children_of(process.pid)
        os.kill(process.pid, by)
        code = process.wait(20)
        left = [pid for pid in children if Path(f"/proc/{pid}").exists()]
        return Started(directory, ports, process.output, code, left)


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Started:
    """The first start in a directory, ended by Ctrl-C."""
    return started_and_stopped(tmp_path_factory.mktemp("demo") / "demo", free_ports(3), signal.SIGINT)


def test_the_first_start_ends_with_addresses_people_and_password(first):
    assert [f"http://localhost:{port}" in first.output for port in first.ports] == [True] * 3
    assert all(name in first.output for name in ("alice", "bob", "carol", "dave", "admin"))
    assert "password of each person is: federation" in first.output
    assert first.output.rstrip().endswith("Everything is stopped.")


def test_ctrl_c_stops_everything(first):
    assert first.code == 0
    assert first.left == []
    assert not any(listening(port) for port in first.ports)


def test_private_keys_are_for_their_owner_alone(first):
    keys = list((first.directory / "var" / "keys").rglob("*.key*"))
    assert len(keys) >= 3
    assert {path.stat().st_mode & 0o077 for path in keys} == {0}


def test_the_second_start_reuses_everything_and_sigterm_stops_it_too(first):
    made = status(first.directory)
    keys = {path: path.read_bytes() for path in (first.directory / "var" / "keys").rglob("*.*")}
    second = started_and_stopped(first.directory, first.ports, signal.SIGTERM)
    assert (second.code, second.left) == (0, [])
    assert not any(listening(port) for port in first.ports)
    assert "People and audiences" not in second.output
    assert "metadata published" not in second.output
    assert status(first.directory) == made
    assert {path: path.read_bytes() for path in keys} == keys


def test_when_one_process_dies_everything_stops_and_says_which(first):
    with demo(first.directory, first.ports) as process:
        process.wait_until(lambda: READY in process.output, "ready", seconds=120)
        children = children_of(process.pid)
        (learning,) = [pid for pid, line in children.items() if "--app-name=learning" in line]
        os.kill(learning, signal.SIGKILL)
        assert process.wait(20) == 1
        assert "Error: Learning ended with -9" in process.output
    assert not any(listening(port) for port in first.ports)


def test_a_busy_port_is_one_sentence_before_anything_is_made(tmp_path):
    ports = free_ports(3)
    with socket.create_server(("127.0.0.1", ports[1])):
        done = run(tmp_path / "demo", ports)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: port {ports[1]} (Intranet) is in use: stop what listens there, "
        "or choose another with FEDERATION_DEMO_INTRANET_PORT\n"
    )
    assert not (tmp_path / "demo" / "var").exists()


def test_a_broken_database_is_one_sentence_before_anything_starts(tmp_path):
    directory, ports = tmp_path / "demo", free_ports(3)
    (directory / "var").mkdir(parents=True)
    (directory / "var" / "idp.sqlite").write_bytes(b"this was a database once" * 100)
    done = run(directory, ports)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith("Error: Identity provider: ")
    assert "idp.sqlite" in sentence
    assert not (directory / "var" / "log").exists()


def test_a_directory_of_other_addresses_is_left_alone(tmp_path):
    directory = tmp_path / "demo"
    directory.mkdir()
    text = (ROOT / "development.ini").read_text().replace("idp_port = 6543", "idp_port = 6999")
    (directory / "development.ini").write_text(text)
    done = run(directory, free_ports(3))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {directory} belongs to a demo at other addresses")
    assert (directory / "development.ini").read_text() == text
