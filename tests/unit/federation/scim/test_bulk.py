"""Bulk requests (RFC 7644 3.7)."""

from __future__ import annotations

from typing import Any

import pytest

from federation.scim import urns
from federation.scim.limits import Limits
from tests.scim_factories import bulk, group, op, patch, user
from tests.unit.federation.scim.test_server import BASE, Harness, content, error


def post(bulk_id: str, path: str, data: Any, **more: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data, **more}


def run(scim: Harness, *operations: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    response = scim.send("POST", "/Bulk", bulk(*operations, **more))
    assert response.status == 200, response.body
    body = content(response)
    assert body["schemas"] == [urns.BULK_RESPONSE]
    return list(body["Operations"])


@pytest.fixture
def scim() -> Harness:
    return Harness()


def test_each_operation_has_its_line(scim: Harness) -> None:
    alice = scim.alice()
    lines = run(
        scim,
        post("b", "/Users", user("b-1", "bob")),
        {"method": "PUT", "path": f"/Users/{alice}", "data": user("a-1", "al")},
        {"method": "patch", "path": f"/Users/{alice}", "bulkId": "p", "data": patch(op("add", "title", value="Dr"))},
        {"method": "DELETE", "path": f"/Users/{alice}"},
        post("again", "/Users", user("b-2", "BOB")),
    )
    assert [line["status"] for line in lines] == ["201", "200", "200", "204", "409"]
    assert [line.get("bulkId") for line in lines] == ["b", None, "p", None, "again"]
    assert lines[0]["location"].startswith(f"{BASE}/Users/")
    assert lines[0]["version"] == 'W/"1"'
    assert lines[3]["location"] == f"{BASE}/Users/{alice}"
    assert "location" not in lines[4]
    assert lines[4]["response"] == {
        "schemas": [urns.ERROR],
        "status": "409",
        "scimType": "uniqueness",
        "detail": "another user has this userName",
    }


def test_a_later_operation_refers_to_an_earlier_one(scim: Harness) -> None:
    lines = run(scim, post("a", "/Users", user()), post("g", "/Groups", group("G", "bulkId:a")))
    [(group_id, members)] = scim.store.members.items()
    assert lines[0]["location"].endswith(members[0])
    assert lines[1]["location"].endswith(group_id)


def test_an_earlier_operation_refers_to_a_later_one_and_the_lines_keep_their_order(scim: Harness) -> None:
    lines = run(scim, post("g", "/Groups", group("G", "bulkId:a")), post("a", "/Users", user()))
    assert [(line["bulkId"], line["status"]) for line in lines] == [("g", "201"), ("a", "201")]
    assert list(scim.store.members.values()) == [["u1"]]


def test_a_path_may_refer_too(scim: Harness) -> None:
    change = {"method": "PATCH", "path": "/Users/bulkId:a", "data": patch(op("replace", "active", value=False))}
    assert [line["status"] for line in run(scim, change, post("a", "/Users", user()))] == ["200", "201"]


def test_operations_keep_their_order_around_references(scim: Harness) -> None:
    lines = run(
        scim,
        post("a", "/Users", user("a-1", "one")),
        {"method": "PATCH", "path": "/Users/bulkId:a", "data": patch(op("replace", "userName", value="two"))},
        post("b", "/Users", user("b-1", "one")),
    )
    assert [line["status"] for line in lines] == ["201", "200", "201"]


def test_a_circle_is_refused_and_the_rest_is_done(scim: Harness) -> None:
    lines = run(
        scim,
        post("g", "/Groups", group("G", "bulkId:h")),
        post("h", "/Groups", group("H", "bulkId:g")),
        post("a", "/Users", user()),
    )
    assert [line["status"] for line in lines] == ["409", "409", "201"]


def test_a_reference_to_what_failed_or_never_was_fails(scim: Harness) -> None:
    lines = run(
        scim,
        post("a", "/Users", {"displayName": "no user name"}),
        post("g", "/Groups", group("G", "bulkId:a")),
        post("h", "/Groups", group("H", "bulkId:never")),
    )
    assert [line["status"] for line in lines] == ["400", "409", "409"]
    assert not scim.store.records["Group"]


def test_it_stops_after_that_many_errors(scim: Harness) -> None:
    bad = post("x", "/Users", {})
    lines = run(scim, bad, post("a", "/Users", user()), bad, post("b", "/Users", user("b", "bob")), failOnErrors=2)
    assert [line["status"] for line in lines] == ["400", "201", "400"]
    assert len(scim.store.records["User"]) == 1


def test_a_version_fences_an_operation(scim: Harness) -> None:
    alice = scim.alice()
    change = {"method": "PATCH", "path": f"/Users/{alice}", "data": patch(op("add", "title", value="Dr"))}
    lines = run(scim, change | {"version": 'W/"7"'}, change | {"version": 'W/"1"'})
    assert [line["status"] for line in lines] == ["412", "200"]


@pytest.mark.parametrize(
    "operation",
    [
        {"method": "POST", "path": "/Users", "data": user()},
        {"method": "GET", "path": "/Users"},
        {"method": "POST", "path": "Users", "bulkId": "a", "data": user()},
        {"method": "POST", "path": "/Users", "bulkId": "a"},
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": []},
        {"method": "PUT", "path": "/Users", "data": user()},
        {"method": "DELETE", "path": "/Users/17"},
        {"method": "DELETE", "path": "/Me"},
        {"method": "POST", "path": "/Bulk", "bulkId": "a", "data": {}},
        {"method": "POST", "path": "/Users/.search", "bulkId": "a", "data": {}},
    ],
)
def test_an_operation_that_cannot_be_done_fails_alone(scim: Harness, operation: dict[str, Any]) -> None:
    lines = run(scim, operation, post("b", "/Users", user("b", "bob")))
    assert int(lines[0]["status"]) >= 400
    assert lines[1]["status"] == "201"


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"Operations": {}},
        {"Operations": ["x"]},
        {"Operations": [{"path": "/Users"}]},
        {"Operations": [{"method": "POST"}]},
        {"Operations": [{"method": "POST", "path": "/Users", "bulkId": 7}]},
        {"Operations": [], "failOnErrors": "1"},
        {"Operations": [], "failOnErrors": True},
    ],
)
def test_what_is_no_bulk_request_is_refused_as_such(scim: Harness, message: dict[str, Any]) -> None:
    assert error(scim.send("POST", "/Bulk", message))[0] == 400


def test_there_may_be_as_many_operations_as_announced() -> None:
    scim = Harness(Limits(bulk_operations=2))
    config = content(scim.send("GET", "/ServiceProviderConfig"))
    assert config["bulk"] == {"supported": True, "maxOperations": 2, "maxPayloadSize": 1_048_576}
    assert error(scim.send("POST", "/Bulk", bulk(*[{"method": "DELETE", "path": "/Users/1"}] * 3)))[0] == 413


def test_data_that_is_nested_too_deep_is_refused(scim: Harness) -> None:
    data: Any = "bulkId:a"
    for _ in range(200):
        data = [data]
    assert error(scim.send("POST", "/Bulk", bulk(post("b", "/Users", {"x": data}))))[0] == 400
