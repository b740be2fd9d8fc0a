"""The back channel: one SOAP exchange with a partner's server while a person waits (SAML Bindings 3.2.3).

An application has one `BackChannel`, and any thread may use it. What comes back is an envelope, nothing about it
verified: that is its profile's to do.
"""

from __future__ import annotations

import ssl
from functools import cached_property
from typing import Final

import httpx

from federation.http.addresses import Policy
from federation.http.client import Client
from federation.http.errors import Unreachable
from federation.saml.bindings import soap
from federation.saml.xml import MAX_BYTES

TIMEOUT: Final = 10.0
"""Seconds for one exchange: somebody sits in front of a browser."""
_HEADERS: Final = {"Content-Type": soap.MEDIA_TYPE, "SOAPAction": f'"{soap.ACTION}"', "Accept": "text/xml"}


class BackChannel:
    """SOAP over HTTP to partners, within a policy on addresses. `transport` replaces the network (tests)."""

    def __init__(
        self,
        policy: Policy,
        *,
        timeout: float = TIMEOUT,
        max_bytes: int = MAX_BYTES,
        ssl_context: ssl.SSLContext | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._policy = policy
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._given = ssl_context
        self._transport = transport

    def exchange(self, url: str, envelope: bytes) -> bytes:
        """Send an envelope and answer the one that comes back.

        Raises `Forbidden` for an address or an answer that policy does not allow, `Unreachable` where no envelope
        comes, a SOAP fault (HTTP status 500) included: it says nothing but that the partner would not.
        """
        with Client(
            self._policy,
            timeout=self._timeout,
            max_bytes=self._max_bytes,
            ssl_context=self._ssl_context if self._transport is None else None,
            transport=self._transport,
        ) as client:
            answer = client.request("POST", url, headers=_HEADERS, content=envelope)
        if answer.status != 200:
            raise Unreachable(url.partition("?")[0], f"it answered with HTTP status {answer.status}", sent=True)
        return answer.content

    @cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        """Trust anchors, read once: that takes longer than the exchange itself."""
        return self._given or httpx.create_ssl_context()
