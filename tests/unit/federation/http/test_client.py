"""The client without a network: schemes, redirects, sizes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from federation.http import Client, Forbidden, Policy, Unreachable

URL = "https://sp.example.org/scim/v2/Bulk"


def client(handler: Callable[[httpx.Request], httpx.Response], **options: int) -> Client:
    return Client(Policy(), transport=httpx.MockTransport(handler), **options)


def response(status: int, content: bytes = b"", **headers: str) -> httpx.Response:
    """A response as a network delivers it: its body has not been read yet."""
    return httpx.Response(status, headers=headers, stream=httpx.ByteStream(content))


def answering(status: int, **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: response(status, **headers)


@pytest.mark.parametrize("status", [200, 204, 400, 404, 500])
def test_any_status_is_an_answer(status: int) -> None:
    answer = client(lambda _: response(status, b"body", thing="1")).request("GET", URL)
    assert (answer.status, answer.headers["thing"], answer.content) == (status, "1", b"body")


def test_what_is_sent_arrives() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        assert (request.method, str(request.url)) == ("POST", URL)
        assert request.headers["authorization"] == "Bearer t"
        assert request.headers["accept-encoding"] == "identity"
        return response(200, request.read())

    answer = client(handler).request("POST", URL, headers={"Authorization": "Bearer t"}, content=b"{}")
    assert answer.content == b"{}"


@pytest.mark.parametrize(
    "url",
    [
        "http://sp.example.org/",
        "http://localhost/",
        "ftp://sp.example.org/",
        "file:///etc/passwd",
        "//sp.example.org/",
        "https://",
        "https://user:secret@sp.example.org/",
        "javascript:alert(1)",
        "https://sp.example.org:99999999/",
        "https://[::1",
        "",
    ],
)
def test_only_https_addresses_without_credentials_are_used(url: str) -> None:
    with pytest.raises(Forbidden) as refused:
        client(answering(200)).request("GET", url)
    assert "secret" not in str(refused.value)


def test_a_redirect_on_the_same_origin_is_followed_with_everything() -> None:
    def handler(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/scim/v2/Bulk":
            return response(307, location="/scim/v3/Bulk")
        assert request.url.path == "/scim/v3/Bulk"
        assert request.headers["authorization"] == "Bearer t"
        return response(200, request.read())

    answer = client(handler).request("POST", URL, headers={"Authorization": "Bearer t"}, content=b"{}")
    assert answer.content == b"{}"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.example.org/scim/v2/Bulk",
        "https://sp.example.org:8443/scim/v2/Bulk",
        "http://sp.example.org/scim/v2/Bulk",
        "//evil.example.org/",
        "https://sp.example.org.evil.example.org/",
    ],
)
def test_a_redirect_to_another_origin_is_not(location: str) -> None:
    with pytest.raises(Forbidden, match=r"redirect (to another site|away from https)"):
        client(answering(308, location=location)).request("GET", URL)


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_post_never_becomes_a_get(status: int) -> None:
    with pytest.raises(Forbidden, match="not repeated as a GET"):
        client(answering(status, location="/elsewhere")).request("POST", URL, content=b"{}")
    assert client(answering(200)).request("GET", URL).status == 200


def test_redirects_come_to_an_end() -> None:
    with pytest.raises(Forbidden, match="more than 3 redirects"):
        client(answering(307, location="/again")).request("GET", URL)


def test_a_body_that_is_too_large_is_not_read_to_its_end() -> None:
    read = []

    def endless() -> object:
        while True:
            read.append(1)
            yield b"x" * 1000

    with pytest.raises(Forbidden, match="more than 5000 bytes"):
        client(lambda _: httpx.Response(200, content=endless()), max_bytes=5000).request("GET", URL)
    assert len(read) == 6


def test_a_compressed_answer_is_not_unpacked() -> None:
    def bomb(_request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=httpx.ByteStream(b"x"))

    with pytest.raises(Forbidden, match="compressed"):
        client(bomb).request("GET", URL)


def test_what_never_connected_was_not_sent_and_what_was_lost_may_have_been() -> None:
    def refuse(_request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    def lose(_request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow")

    with pytest.raises(Unreachable) as refused:
        client(refuse).request("GET", URL)
    with pytest.raises(Unreachable) as lost:
        client(lose).request("GET", URL)
    assert (refused.value.sent, lost.value.sent) == (False, True)
    assert str(refused.value) == "https://sp.example.org does not answer: refused"
