"""The client: schemes, redirects, sizes and the deadline."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

import httpcore
import httpx

from federation.http.addresses import Policy
from federation.http.errors import Forbidden, Unreachable
from federation.http.network import Bounds, CheckedBackend, Resolver, Transport, system_addresses

USER_AGENT: Final = "saml-federation"
_REDIRECTS: Final = (301, 302, 303, 307, 308)
_KEEPING_METHOD: Final = (307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, whatever its status. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Client:
    """A client for one thread at a time; connections are kept until it is closed.

    `timeout` is seconds for the whole exchange, redirects included; `max_bytes` bounds each body. `resolve` answers the
    addresses of a host name, as text. `transport` replaces the network (tests). With `other_sites` a redirect of a GET
    may lead to another site, under the same rules for its scheme and address: for documents that prove themselves.
    """

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = 30.0,
        max_bytes: int = 4_194_304,
        max_redirects: int = 3,
        ssl_context: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
        transport: httpx.BaseTransport | None = None,
        other_sites: bool = False,
    ) -> None:
        self._policy = policy
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._max_redirects = max_redirects
        self._other_sites = other_sites
        self._bounds = Bounds()
        backend = CheckedBackend(policy, self._bounds, resolve or system_addresses)
        # No proxy and no netrc from the environment: they would decide where we connect, and as whom.
        self._client = httpx.Client(transport=transport or Transport(backend, ssl_context), trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        """Send a request and read the answer. Raises `Unreachable`, `Forbidden`; any status is an answer."""
        self._bounds.deadline = time.monotonic() + self._timeout
        for _ in range(self._max_redirects + 1):
            self._bounds.plain = self._require_scheme(url) == "http"
            answer = self._exchange(method, url, headers or {}, content)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                return answer
            url = _redirected(method, url, answer, other_sites=self._other_sites)
        raise Forbidden(_origin(url), f"more than {self._max_redirects} redirects")

    def _require_scheme(self, url: str) -> str:
        parts = _parts(url)
        if parts.userinfo:
            raise Forbidden(_origin(url), "an address with a user name or a password in it is not used")
        if parts.port is not None and not 0 < parts.port < 65536:
            raise Forbidden(_origin(url), "there is no such port")
        if parts.host and (parts.scheme == "https" or (parts.scheme == "http" and self._policy.allow_loopback)):
            return parts.scheme
        raise Forbidden(_origin(url), "only https addresses are used")

    def _exchange(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        fixed = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
        try:
            with self._client.stream(method, url, headers={**fixed, **headers}, content=content) as response:
                return self._read(response, _origin(url))
        except (httpcore.ConnectError, httpcore.ConnectTimeout, httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unreachable(_origin(url), _reason(error), sent=False) from None
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
            raise Unreachable(_origin(url), _reason(error), sent=True) from None

    def _read(self, response: httpx.Response, origin: str) -> Answer:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Forbidden(origin, "the answer is compressed, though we did not ask for it")
        chunks, size = [], 0
        for chunk in response.iter_raw():
            size += len(chunk)
            if size > self._max_bytes:
                raise Forbidden(origin, f"the answer has more than {self._max_bytes} bytes")
            chunks.append(chunk)
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, b"".join(chunks))


def _redirected(method: str, url: str, answer: Answer, *, other_sites: bool) -> str:
    """Where a redirect goes. Raises `Forbidden` for another origin, from https to http, and for a POST made a GET."""
    target = str(_parts(url).join(_parts(answer.headers["location"])))
    if _parts(url).scheme == "https" and _parts(target).scheme != "https":
        raise Forbidden(_origin(url), "a redirect away from https is not followed")
    if _origin(target) != _origin(url) and not (other_sites and method in ("GET", "HEAD")):
        raise Forbidden(_origin(url), f"a redirect to another site ({_origin(target)}) is not followed")
    if method not in ("GET", "HEAD") and answer.status not in _KEEPING_METHOD:
        raise Forbidden(_origin(url), f"a {method} is not repeated as a GET")
    return target


def _parts(url: str) -> httpx.URL:
    try:
        return httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise Forbidden("an address", "it cannot be read") from None


def _origin(url: str) -> str:
    parts = _parts(url)
    return f"{parts.scheme}://{parts.netloc.decode('ascii', errors='replace').rpartition('@')[2]}"


def _reason(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
