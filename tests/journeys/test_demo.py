"""The demo's command: it comes up, comes down, and comes up again with everything kept."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from pathlib import Path

import httpx

from tests.demo_sites import COMMAND, READY, ROOT, SITES
from tests.journeys.plain_browser import PlainBrowser
from tests.live import Process, free_ports, listening


def test_a_second_start_keeps_keys_people_and_connections_and_ctrl_c_stops_everything(tmp_path: Path) -> None:
    ports = free_ports(3)
    arguments = [str(COMMAND), "demo", "run", f"--var={tmp_path}"]
    arguments += [f"--{site}-port={port}" for site, port in zip(SITES, ports, strict=True)]
    seen = []
    for start in ("first", "second"):
        with Process(arguments, log=tmp_path / f"{start}.log", cwd=ROOT) as demo:
            demo.wait_until(lambda: READY in demo.output, "ready", seconds=90)
            seen.append([httpx.get(f"http://localhost:{port}/saml/metadata", trust_env=False) for port in ports])
            with PlainBrowser() as browser:
                browser.open(f"http://localhost:{ports[1]}/private")
                browser.sign_in("alice")
                assert browser.url == f"http://localhost:{ports[1]}/private"
            os.kill(demo.pid, signal.SIGINT)
            assert demo.wait() == 0
        assert not any(map(listening, ports))

    first, second = [[_certificates(answer.text) for answer in answers] for answers in seen]
    assert first == second


def test_a_busy_port_is_told_in_one_sentence_before_anything_is_written(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        ports = [f"--{site}-port={number}" for site, number in zip(SITES, [port, *free_ports(2)], strict=True)]
        done = subprocess.run(
            [COMMAND, "demo", "run", f"--var={tmp_path / 'var'}", *ports],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert done.returncode == 1
    assert f"port {port}" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.rglob("*.sqlite"))


def _certificates(metadata: str) -> list[str]:
    return sorted(set(metadata.split("X509Certificate>")[1::2]))
