"""What a provisioning client understands of what servers really answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from federation.scim import urns
from federation.scim.client import Client
from federation.scim.results import Capabilities, Found, Operation, RequestFailed, Result, SeveralFound

CONFIG = {"bulk": {"supported": True, "maxOperations": 2, "maxPayloadSize": 5000}, "etag": {"supported": True}}
CREATE = Operation("POST", "/Users", {"userName": "a"})
CHANGE = Operation("PATCH", "/Users/1", {"Operations": []}, version='W/"3"')


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass
class Server:
    """Answers in order; keeps what was asked."""

    answers: list[Any]
    asked: list[tuple[str, str, Mapping[str, str], Any]] = field(default_factory=list)

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Answer:
        self.asked.append((method, url.removeprefix("https://sp"), headers or {}, json.loads(content or b"null")))
        status, body, *more = self.answers.pop(0)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return Answer(status, more[0] if more else {}, raw)


def client(*answers: Any) -> tuple[Client, Server]:
    server = Server(list(answers))
    return Client(server, base_url="https://sp", token="t"), server


def perform(scim: Client, *operations: Operation) -> list[Result]:
    return [result for _, result in scim.perform(operations, key="k")]


@pytest.mark.parametrize(
    ("status", "config", "expected"),
    [
        (200, CONFIG, Capabilities(2, 5000, etag=True)),
        (200, {"bulk": {"supported": False, "maxOperations": 9, "maxPayloadSize": 9}}, Capabilities()),
        (200, {"bulk": {"supported": True, "maxOperations": "many"}}, Capabilities()),
        (200, {"bulk": None, "etag": []}, Capabilities()),
        (200, {}, Capabilities()),
        (404, {}, Capabilities()),
        (501, b"no", Capabilities()),
    ],
)
def test_capabilities_are_what_can_be_read_of_them(status: int, config: Any, expected: Capabilities) -> None:
    scim, server = client((status, config))
    assert scim.capabilities == expected
    assert scim.capabilities == expected
    assert len(server.asked) == 1


def test_operations_go_in_batches_of_what_the_server_takes() -> None:
    line = {"status": "201", "location": "https://sp/Users/a%2Fb", "version": 'W/"1"'}
    scim, server = client(
        (200, CONFIG),
        (200, {"Operations": [line | {"bulkId": "0"}, line | {"bulkId": "1"}]}),
        (200, {"Operations": [line | {"bulkId": "2"}]}),
    )
    assert perform(scim, CREATE, CREATE, CREATE) == [Result(201, "a/b", 'W/"1"')] * 3
    assert [(method, path) for method, path, _, _ in server.asked[1:]] == [("POST", "/Bulk")] * 2
    assert [headers["Idempotency-Key"] for _, _, headers, _ in server.asked[1:]] == ["k.0", "k.1"]


def test_a_batch_is_no_larger_than_the_server_takes() -> None:
    config = {"bulk": {"supported": True, "maxOperations": 100, "maxPayloadSize": 400}}
    done = (200, {"Operations": [{"status": "201"}]})
    scim, server = client((200, config), done, done)
    perform(scim, *[Operation("POST", "/Users", {"userName": "x" * 150})] * 2)
    assert len(server.asked) == 3


def test_a_version_is_sent_to_a_server_that_knows_versions() -> None:
    for etag in (True, False):
        config = CONFIG | {"etag": {"supported": etag}}
        scim, server = client((200, config), (200, {"Operations": [{"status": "200"}]}))
        perform(scim, CHANGE)
        assert ("version" in server.asked[1][3]["Operations"][0]) is etag


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ({"status": "200"}, Result(200)),
        ({"status": 200}, Result(200)),
        ({"status": {"code": "200"}}, Result(200)),
        ({"status": "fine"}, Result(0)),
        ({"status": True}, Result(0)),
        ({}, Result(0)),
        (
            {"status": "409", "response": {"scimType": "uniqueness", "detail": "taken"}},
            Result(409, None, None, "uniqueness", "taken"),
        ),
        ({"status": "400", "response": "bad"}, Result(400)),
        ({"status": "400", "response": {"detail": "x" * 5000, "scimType": 7}}, Result(400, detail="x" * 300)),
        ({"status": "201", "location": 7, "version": 8}, Result(201)),
    ],
)
def test_a_line_is_read_for_what_it_is_worth(line: dict[str, Any], expected: Result) -> None:
    scim, _ = client((200, CONFIG), (200, {"Operations": [line]}))
    assert perform(scim, CHANGE) == [expected]


def test_an_operation_without_a_line_has_no_result() -> None:
    scim, _ = client((200, CONFIG), (200, {"Operations": [{"bulkId": "1", "status": "200"}]}))
    assert perform(scim, CHANGE, CHANGE) == [Result(0), Result(200)]


def test_a_batch_that_is_too_large_after_all_is_halved() -> None:
    config = CONFIG | {"bulk": {"supported": True, "maxOperations": 10, "maxPayloadSize": 5000}}
    done = (200, {"Operations": [{"status": "200"}]})
    scim, _ = client((200, config), (413, {}), done, (413, {"detail": "no"}))
    assert perform(scim, CHANGE, CHANGE) == [Result(200), Result(413, detail="no")]


def test_without_bulk_each_operation_is_a_request() -> None:
    scim, server = client(
        (200, {"etag": {"supported": True}}),
        (201, {"id": "7"}),
        (204, b"", {"etag": 'W/"4"'}),
        (404, {"detail": "gone"}),
        (409, b"<html>"),
    )
    delete = Operation("DELETE", "/Users/1")
    assert perform(scim, CREATE, CHANGE, delete, CREATE) == [
        Result(201, "7"),
        Result(204, None, 'W/"4"'),
        Result(404, detail="gone"),
        Result(409),
    ]
    assert server.asked[2][2]["If-Match"] == 'W/"3"'


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_request_that_is_refused_as_such_is_no_result(status: int) -> None:
    scim, _ = client((200, {}), (status, {"detail": "no"}, {"retry-after": "7"}))
    with pytest.raises(RequestFailed) as failed:
        perform(scim, CREATE)
    assert (failed.value.status, failed.value.retry_after) == (status, 7)
    assert failed.value.denied is (status in (401, 403))


@pytest.mark.parametrize("value", ["", "soon", "-1", "Wed, 21 Oct 2026 07:28:00 GMT", "9" * 40])
def test_a_time_to_wait_that_cannot_be_read_is_none(value: str) -> None:
    scim, _ = client((503, {}, {"retry-after": value}))
    with pytest.raises(RequestFailed) as failed:
        _ = scim.capabilities
    assert failed.value.retry_after is None


def test_a_look_up_finds_one_or_none_and_never_guesses() -> None:
    one = {"Resources": [{"id": "7", "meta": {"version": 'W/"1"'}}]}
    scim, server = client((200, one), (200, {"totalResults": 0}), (200, {"Resources": [{"id": "1"}, {"id": "2"}]}))
    assert scim.find("/Users", 'a"b') == Found("7", 'W/"1"')
    assert server.asked[0][1].startswith("/Users?filter=externalId%20eq%20%22a%5C%22b%22")
    assert scim.find("/Users", "x") is None
    with pytest.raises(SeveralFound):
        scim.find("/Users", "x")


@pytest.mark.parametrize("body", [b"<html>", [], {"Resources": [{"name": "no id"}]}, {"Resources": ["x"]}])
def test_a_look_up_that_cannot_be_read_is_a_failure(body: Any) -> None:
    scim, _ = client((200, body))
    with pytest.raises(RequestFailed):
        scim.find("/Users", "x")


def test_a_resource_is_read_or_gone() -> None:
    scim, _ = client((200, {"id": "7", "schemas": [urns.USER]}), (404, {}))
    assert scim.read("/Users/7") == Found("7", None)
    assert scim.read("/Users/7") is None


def test_the_token_goes_with_every_request() -> None:
    scim, server = client((200, {}), (200, {"Resources": []}))
    _ = scim.capabilities
    scim.find("/Users", "x")
    assert {headers["Authorization"] for _, _, headers, _ in server.asked} == {"Bearer t"}
