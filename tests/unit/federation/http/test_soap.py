"""The back channel without a network: what is sent, and what counts as an answer."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from federation.http import BackChannel, Forbidden, Policy, Unreachable

URL = "https://idp.example.org/saml/artifact"


def channel(handler: Callable[[httpx.Request], httpx.Response], **options: int) -> BackChannel:
    return BackChannel(Policy(), transport=httpx.MockTransport(handler), **options)


def response(status: int, content: bytes = b"") -> httpx.Response:
    return httpx.Response(status, stream=httpx.ByteStream(content))


def test_an_envelope_is_posted_as_soap_and_the_answer_comes_back() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", URL)
        assert request.headers["content-type"] == "text/xml; charset=utf-8"
        assert request.headers["soapaction"] == '"http://www.oasis-open.org/committees/security"'
        return response(200, request.read())

    assert channel(handler).exchange(URL, b"<envelope/>") == b"<envelope/>"


@pytest.mark.parametrize("status", [204, 403, 404, 500, 503])
def test_any_other_status_is_no_answer(status: int) -> None:
    with pytest.raises(Unreachable, match=f"HTTP status {status}"):
        channel(lambda _: response(status, b"<fault/>")).exchange(URL, b"<envelope/>")


def test_too_large_an_answer_is_not_read_to_its_end() -> None:
    with pytest.raises(Forbidden, match="more than 10 bytes"):
        channel(lambda _: response(200, b"x" * 11), max_bytes=10).exchange(URL, b"<envelope/>")


def test_plain_http_is_not_spoken() -> None:
    with pytest.raises(Forbidden, match="only https"):
        channel(lambda _: response(200)).exchange("http://idp.example.org/saml/artifact", b"<envelope/>")
