"""Below httpx: connections to checked addresses, and none that outlasts the exchange it was made for."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import httpcore
import httpx

from federation.http.addresses import Address, Policy, embedded
from federation.http.errors import UNRESOLVED, Forbidden

Resolver = Callable[[str, int], Sequence[str]]


def system_addresses(host: str, port: int) -> Sequence[str]:
    """The addresses that the system knows for a host name, as text."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class Bounds:
    """What holds for the exchange under way: until when, and whether it is plain http."""

    deadline: float = 0.0
    plain: bool = False

    def remaining(self) -> float:
        """Seconds that a single step may take. Raises the timeout itself when there are none."""
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout("the time for the whole exchange is over")
        return left


class Transport(httpx.BaseTransport):
    """httpx over connections that the backend has checked."""

    def __init__(self, backend: httpcore.NetworkBackend, ssl_context: ssl.SSLContext | None) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=ssl_context or httpx.create_ssl_context(), max_connections=4, network_backend=backend
        )

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        response = self._pool.handle_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx.Response(response.status, headers=response.headers, stream=_Body(response))

    def close(self) -> None:
        self._pool.close()


class _Body(httpx.SyncByteStream):
    def __init__(self, response: httpcore.Response) -> None:
        self._response = response

    def __iter__(self) -> Iterator[bytes]:
        return self._response.iter_stream()

    def close(self) -> None:
        self._response.close()


class CheckedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, policy: Policy, bounds: Bounds, resolve: Resolver) -> None:
        self._policy = policy
        self._bounds = bounds
        self._resolve = resolve
        self._backend = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Any = None,
    ) -> httpcore.NetworkStream:
        last: Exception = httpcore.ConnectError("the host name has no address")
        for address in self._checked(host, port):
            try:
                stream = self._backend.connect_tcp(
                    str(address), port, self._bounds.remaining(), local_address, socket_options
                )
                return _BoundedStream(stream, self._bounds)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                last = error
        raise last

    def _checked(self, host: str, port: int) -> list[Address]:
        """Every address of the host. One that is not allowed spoils them all: which one answers is not our choice."""
        try:
            found = [ipaddress.ip_address(text.partition("%")[0]) for text in self._resolve(host, port)]
        except (OSError, UnicodeError, ValueError):
            raise httpcore.ConnectError(UNRESOLVED) from None
        for address in found:
            if not self._policy.allows(address):
                raise Forbidden(host, "its address is private or special, and no setting allows it")
            if self._bounds.plain and not embedded(address).is_loopback:
                raise Forbidden(host, "plain http is used on loopback addresses alone")
        return found


class _BoundedStream(httpcore.NetworkStream):
    """A stream whose every step ends with the exchange: a partner that sends a byte a minute holds nobody."""

    def __init__(self, stream: httpcore.NetworkStream, bounds: Bounds) -> None:
        self._stream = stream
        self._bounds = bounds

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._bounds.remaining())

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._bounds.remaining())

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        stream = self._stream.start_tls(ssl_context, server_hostname, self._bounds.remaining())
        return _BoundedStream(stream, self._bounds)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
