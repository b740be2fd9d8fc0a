"""The client on a real network: addresses are resolved once and checked, and time is bounded."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from federation.http import Client, Forbidden, Policy, Unreachable
from tests.live import free_ports

LOOPBACK = Policy(allow_loopback=True)


@contextmanager
def server(*answers: bytes, pause: float = 0) -> Iterator[int]:
    """A server on loopback that answers each connection with pieces, with a pause between them; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        connection.recv(65536)
                        for piece in answers:
                            connection.sendall(piece)
                            if stop.wait(pause):
                                return
                    except OSError:
                        continue

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            stop.set()
            listener.close()
            # Wakes an accept that is still waiting.
            thread.join(2)


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def test_plain_http_on_loopback_where_the_settings_allow_it() -> None:
    with server(OK) as port, Client(LOOPBACK) as client:
        assert client.request("GET", f"http://localhost:{port}/").content == b"ok"
        assert client.request("GET", f"http://127.0.0.1:{port}/").content == b"ok"


def test_a_name_is_resolved_once_and_the_checked_address_is_used() -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with server(OK) as port, Client(LOOPBACK, resolve=resolve) as client:
        assert client.request("GET", f"http://rebinding.example.org:{port}/").content == b"ok"
    assert asked == ["rebinding.example.org"]


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["127.0.0.1"], ["93.184.216.34", "169.254.169.254"]])
def test_a_name_with_one_address_that_is_not_allowed_is_refused(addresses: list[str]) -> None:
    with Client(Policy(), resolve=lambda *_: addresses) as client, pytest.raises(Forbidden):
        client.request("GET", "https://internal.example.org/")


def test_plain_http_goes_to_loopback_and_nowhere_else() -> None:
    with (
        Client(LOOPBACK, resolve=lambda *_: ["93.184.216.34"]) as client,
        pytest.raises(Forbidden, match="plain http"),
    ):
        client.request("GET", "http://public.example.org/")


def test_a_name_that_cannot_be_resolved_is_unreachable() -> None:
    def resolve(*_: object) -> list[str]:
        raise OSError("no such name")

    with Client(Policy(), resolve=resolve) as client, pytest.raises(Unreachable) as failed:
        client.request("GET", "https://nowhere.example.org/")
    assert not failed.value.sent


def test_a_port_where_nobody_listens_is_unreachable() -> None:
    [port] = free_ports(1)
    with Client(LOOPBACK) as client, pytest.raises(Unreachable) as failed:
        client.request("GET", f"http://127.0.0.1:{port}/")
    assert not failed.value.sent


def test_a_certificate_is_checked() -> None:
    with server(b"hello") as port, Client(LOOPBACK) as client, pytest.raises(Unreachable) as failed:
        client.request("GET", f"https://localhost:{port}/")
    assert not failed.value.sent


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
def test_a_partner_that_sends_a_byte_now_and_then_does_not_hold_us(head: bytes) -> None:
    with server(head, *[b"x"] * 100, pause=0.1) as port, Client(LOOPBACK, timeout=0.5) as client:
        began = time.monotonic()
        with pytest.raises(Unreachable) as failed:
            client.request("GET", f"http://127.0.0.1:{port}/")
        assert time.monotonic() - began < 2
    assert failed.value.sent


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab") as port, Client(LOOPBACK) as client:
        with pytest.raises(Unreachable) as failed:
            client.request("GET", f"http://127.0.0.1:{port}/")
        assert failed.value.sent


def test_what_is_no_http_is_no_answer() -> None:
    with server(b"220 smtp.example.org ESMTP\r\n") as port, Client(LOOPBACK) as client, pytest.raises(Unreachable):
        client.request("GET", f"http://127.0.0.1:{port}/")
