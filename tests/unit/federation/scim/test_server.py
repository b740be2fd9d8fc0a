"""The server engine over a store in memory: requests in, responses out."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.scim import urns
from federation.scim.exchange import MEDIA_TYPE, Request, Response
from federation.scim.limits import Limits
from federation.scim.server import Server
from tests.scim_factories import group, op, patch, user
from tests.scim_store import MemoryStore

BASE = "https://sp.example.org/scim/v2"


class Harness:
    """A server, and requests to it."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.store = MemoryStore()
        self.server = Server(self.store, base_url=BASE, limits=limits or Limits())

    def send(self, method: str, path: str, data: Any = None, **headers: str) -> Response:
        path, _, query = path.partition("?")
        pairs = [(name, value) for part in query.split("&") if part for name, _, value in [part.partition("=")]]
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        named = {"content-type": MEDIA_TYPE} | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.server.handle(Request(method, path, pairs, named, body))

    def alice(self) -> str:
        return str(content(self.send("POST", "/Users", user("a-1", "alice", displayName="Alice")))["id"])


def content(response: Response) -> Any:
    return json.loads(response.body)


def error(response: Response) -> tuple[int, str | None]:
    body = content(response)
    assert body["schemas"] == [urns.ERROR]
    assert body["status"] == str(response.status)
    return response.status, body.get("scimType")


@pytest.fixture
def scim() -> Harness:
    return Harness()


class TestCreate:
    def test_the_answer_is_the_whole_resource_where_it_is_and_its_version(self, scim: Harness) -> None:
        response = scim.send("POST", "/Users", user("a-1", "alice"))
        body = content(response)
        assert response.status == 201
        assert response.headers["Content-Type"] == MEDIA_TYPE
        assert response.headers["Location"] == body["meta"]["location"] == f"{BASE}/Users/{body['id']}"
        assert response.headers["ETag"] == body["meta"]["version"] == 'W/"1"'
        assert body["meta"]["resourceType"] == "User"
        assert body["schemas"] == [urns.USER]

    def test_the_client_does_not_choose_the_id(self, scim: Harness) -> None:
        assert content(scim.send("POST", "/Users", user(id="mine")))["id"] != "mine"

    def test_a_user_name_is_taken_whatever_its_letter_case(self, scim: Harness) -> None:
        scim.alice()
        assert error(scim.send("POST", "/Users", user("a-2", "ALICE"))) == (409, "uniqueness")

    def test_a_user_name_is_needed(self, scim: Harness) -> None:
        assert error(scim.send("POST", "/Users", {"displayName": "x"})) == (400, "invalidValue")

    def test_a_group_comes_with_its_members_or_not_at_all(self, scim: Harness) -> None:
        alice = scim.alice()
        body = content(scim.send("POST", "/Groups", group("G", alice)))
        assert body["members"] == [{"value": alice, "type": "User", "$ref": f"{BASE}/Users/{alice}"}]
        assert error(scim.send("POST", "/Groups", group("H", "nobody"))) == (400, "invalidValue")
        assert len(scim.store.records["Group"]) == 1

    def test_attributes_choose_what_the_answer_shows(self, scim: Harness) -> None:
        body = content(scim.send("POST", "/Users?attributes=userName", user()))
        assert set(body) == {"schemas", "id", "userName"}


class TestRead:
    def test_what_is_not_there_is_404(self, scim: Harness) -> None:
        assert error(scim.send("GET", "/Users/17"))[0] == 404

    def test_a_version_that_is_known_is_not_sent_again(self, scim: Harness) -> None:
        alice = scim.alice()
        assert scim.send("GET", f"/Users/{alice}", if_none_match='W/"1"').status == 304
        assert scim.send("GET", f"/Users/{alice}", if_none_match='W/"7"').status == 200

    def test_members_are_not_loaded_when_nobody_wants_them(self, scim: Harness) -> None:
        group_id = content(scim.send("POST", "/Groups", group("G", scim.alice())))["id"]
        scim.store.loaded.clear()
        assert "members" not in content(scim.send("GET", f"/Groups/{group_id}?excludedAttributes=members"))
        assert set(scim.store.loaded) == {frozenset()}

    def test_a_user_shows_its_groups(self, scim: Harness) -> None:
        alice = scim.alice()
        group_id = content(scim.send("POST", "/Groups", group("G", alice)))["id"]
        [shown] = content(scim.send("GET", f"/Users/{alice}"))["groups"]
        assert shown == {"value": group_id, "$ref": f"{BASE}/Groups/{group_id}"}


class TestSearch:
    def test_nothing_found_is_an_empty_list(self, scim: Harness) -> None:
        response = scim.send("GET", '/Users?filter=userName eq "nobody"')
        assert response.status == 200
        assert content(response) == {
            "schemas": [urns.LIST_RESPONSE],
            "totalResults": 0,
            "startIndex": 1,
            "itemsPerPage": 0,
            "Resources": [],
        }

    def test_pages_are_counted_from_one(self, scim: Harness) -> None:
        for number in range(5):
            scim.send("POST", "/Users", user(f"a-{number}", f"u{number}"))
        body = content(scim.send("GET", "/Users?startIndex=2&count=2"))
        assert (body["totalResults"], body["startIndex"], body["itemsPerPage"]) == (5, 2, 2)
        assert [each["userName"] for each in body["Resources"]] == ["u1", "u2"]
        assert content(scim.send("GET", "/Users?startIndex=0&count=-1"))["Resources"] == []
        assert content(scim.send("GET", "/Users?count=0"))["totalResults"] == 5
        assert content(scim.send("GET", "/Users?startIndex=9"))["Resources"] == []

    def test_a_page_has_a_limit(self) -> None:
        scim = Harness(Limits(page=2, default_page=1))
        for number in range(5):
            scim.send("POST", "/Users", user(f"a-{number}", f"u{number}"))
        assert content(scim.send("GET", "/Users?count=100"))["itemsPerPage"] == 2
        assert content(scim.send("GET", "/Users"))["itemsPerPage"] == 1

    @pytest.mark.parametrize("query", ["count=x", "startIndex=1.5", "count=99999999999", "count=--1"])
    def test_a_number_has_to_be_one(self, scim: Harness, query: str) -> None:
        assert error(scim.send("GET", f"/Users?{query}")) == (400, "invalidValue")

    def test_an_unknown_attribute_is_an_invalid_filter_at_one_type_and_no_match_at_the_root(
        self, scim: Harness
    ) -> None:
        scim.alice()
        scim.send("POST", "/Groups", group("Alice"))
        assert error(scim.send("GET", '/Users?filter=members.value eq "x"')) == (400, "invalidFilter")
        found = content(scim.send("POST", "/.search", {"filter": 'userName eq "alice" or displayName eq "Alice"'}))
        assert [each["meta"]["resourceType"] for each in found["Resources"]] == ["User", "Group"]
        assert content(scim.send("POST", "/.search", {"filter": 'userName eq "alice"'}))["totalResults"] == 1

    def test_the_root_has_one_list_of_pages(self, scim: Harness) -> None:
        for number in range(3):
            scim.send("POST", "/Users", user(f"a-{number}", f"u{number}"))
            scim.send("POST", "/Groups", group(f"g{number}"))
        body = content(scim.send("POST", "/.search", {"startIndex": 3, "count": 2}))
        assert body["totalResults"] == 6
        assert [each.get("userName", each.get("displayName")) for each in body["Resources"]] == ["u2", "g0"]

    def test_a_search_may_be_posted(self, scim: Harness) -> None:
        scim.alice()
        message = {"schemas": [urns.SEARCH_REQUEST], "filter": 'userName eq "alice"', "attributes": ["userName"]}
        [found] = content(scim.send("POST", "/Users/.search", message))["Resources"]
        assert set(found) == {"schemas", "id", "userName"}
        assert error(scim.send("POST", "/Users/.search", {"filter": 7}))[0] == 400
        assert error(scim.send("GET", "/Users/.search"))[0] == 405


class TestReplace:
    def test_what_is_omitted_is_cleared(self, scim: Harness) -> None:
        alice = scim.alice()
        body = content(scim.send("PUT", f"/Users/{alice}", user("a-1", "alice2")))
        assert body["userName"] == "alice2"
        assert "displayName" not in body

    def test_a_resource_may_be_put_back_as_it_was_read_and_nothing_changes(self, scim: Harness) -> None:
        alice = scim.alice()
        read = content(scim.send("GET", f"/Users/{alice}"))
        assert content(scim.send("PUT", f"/Users/{alice}", read)) == read

    def test_a_put_never_creates(self, scim: Harness) -> None:
        assert error(scim.send("PUT", "/Users/17", user()))[0] == 404

    def test_a_group_has_the_members_that_were_put(self, scim: Harness) -> None:
        alice = scim.alice()
        group_id = content(scim.send("POST", "/Groups", group("G", alice)))["id"]
        assert "members" not in content(scim.send("PUT", f"/Groups/{group_id}", group("G")))


class TestPatch:
    def test_the_answer_is_the_resource(self, scim: Harness) -> None:
        alice = scim.alice()
        response = scim.send("PATCH", f"/Users/{alice}", patch(op("replace", "active", value=False)))
        assert (response.status, content(response)["active"]) == (200, False)
        assert response.headers["ETag"] == 'W/"2"'

    def test_nothing_changes_unless_everything_can(self, scim: Harness) -> None:
        alice = scim.alice()
        data = patch(op("replace", "displayName", value="x"), op("add", "nothing", value=1))
        assert error(scim.send("PATCH", f"/Users/{alice}", data)) == (400, "invalidPath")
        assert content(scim.send("GET", f"/Users/{alice}"))["displayName"] == "Alice"

    def test_a_change_that_changes_nothing_keeps_the_version(self, scim: Harness) -> None:
        alice = scim.alice()
        response = scim.send("PATCH", f"/Users/{alice}", patch(op("replace", "displayName", value="Alice")))
        assert response.headers["ETag"] == 'W/"1"'

    def test_members_answer_without_a_body_unless_it_is_asked_for(self, scim: Harness) -> None:
        alice = scim.alice()
        group_id = content(scim.send("POST", "/Groups", group("G")))["id"]
        add = patch(op("add", "members", value=[{"value": alice}]))
        response = scim.send("PATCH", f"/Groups/{group_id}", add)
        assert (response.status, response.body, response.headers["ETag"]) == (204, b"", 'W/"2"')
        response = scim.send("PATCH", f"/Groups/{group_id}?attributes=members", add)
        assert content(response)["members"][0]["value"] == alice

    def test_a_new_name_keeps_the_members(self, scim: Harness) -> None:
        group_id = content(scim.send("POST", "/Groups", group("G", scim.alice())))["id"]
        scim.send("PATCH", f"/Groups/{group_id}", patch(op("replace", value={"id": group_id, "displayName": "H"})))
        read = content(scim.send("GET", f"/Groups/{group_id}"))
        assert (read["displayName"], len(read["members"])) == ("H", 1)


class TestVersions:
    @pytest.mark.parametrize("tag", ['W/"1"', '"1"', "*", '"7", W/"1"'])
    def test_a_change_of_the_version_that_was_read(self, scim: Harness, tag: str) -> None:
        assert scim.send("DELETE", f"/Users/{scim.alice()}", if_match=tag).status == 204

    def test_a_change_of_an_older_version_is_refused(self, scim: Harness) -> None:
        alice = scim.alice()
        for method, data in (("DELETE", None), ("PUT", user()), ("PATCH", patch(op("remove", "title")))):
            assert error(scim.send(method, f"/Users/{alice}", data, if_match='W/"7"'))[0] == 412
        assert scim.send("GET", f"/Users/{alice}").status == 200

    def test_a_version_that_was_named_is_used_up(self, scim: Harness) -> None:
        alice = scim.alice()
        nothing = patch(op("replace", "displayName", value="Alice"))
        response = scim.send("PATCH", f"/Users/{alice}", nothing, if_match='W/"1"')
        assert (response.status, response.headers["ETag"]) == (200, 'W/"2"')
        assert error(scim.send("PATCH", f"/Users/{alice}", nothing, if_match='W/"1"'))[0] == 412


class TestDelete:
    def test_what_was_deleted_is_nowhere_any_more(self, scim: Harness) -> None:
        alice = scim.alice()
        group_id = content(scim.send("POST", "/Groups", group("G", alice)))["id"]
        assert scim.send("DELETE", f"/Users/{alice}").status == 204
        for method, data in (("GET", None), ("DELETE", None), ("PUT", user()), ("PATCH", patch(op("remove", "title")))):
            assert error(scim.send(method, f"/Users/{alice}", data))[0] == 404
        assert content(scim.send("GET", "/Users"))["totalResults"] == 0
        assert "members" not in content(scim.send("GET", f"/Groups/{group_id}"))
        assert scim.alice() != alice


class TestTransport:
    @pytest.mark.parametrize("media_type", ["", MEDIA_TYPE, "application/json", "Application/SCIM+JSON; charset=utf-8"])
    def test_json_under_its_names(self, scim: Harness, media_type: str) -> None:
        assert scim.send("POST", "/Users", user(), content_type=media_type).status == 201

    def test_another_media_type_is_refused(self, scim: Harness) -> None:
        assert error(scim.send("POST", "/Users", user(), content_type="text/xml"))[0] == 415

    def test_a_body_that_is_too_large_is_refused(self) -> None:
        scim = Harness(Limits(payload=100))
        assert error(scim.send("POST", "/Users", b" " * 101))[0] == 413

    @pytest.mark.parametrize(
        ("method", "path", "allowed"),
        [
            ("DELETE", "/Users", "GET, HEAD, POST"),
            ("POST", "/Users/17", "GET, HEAD, PUT, PATCH, DELETE"),
            ("GET", "/Bulk", "POST"),
            ("POST", "/Schemas", "GET, HEAD"),
            ("PUT", "/ServiceProviderConfig", "GET, HEAD"),
        ],
    )
    def test_another_method_is_told_which_there_are(self, scim: Harness, method: str, path: str, allowed: str) -> None:
        response = scim.send(method, path, {})
        assert error(response)[0] == 405
        assert response.headers["Allow"] == allowed

    @pytest.mark.parametrize("path", ["", "/", "/nothing", "/Users/1/x/y", "/nothing/1", "//Users"])
    def test_another_path_is_404(self, scim: Harness, path: str) -> None:
        assert error(scim.send("GET", path))[0] == 404

    def test_nobody_is_me(self, scim: Harness) -> None:
        assert error(scim.send("GET", "/Me"))[0] == 501


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "userName",
                    "displayName",
                    "members",
                    "value",
                    "Operations",
                    "op",
                    "path",
                    "method",
                    "data",
                    "bulkId",
                    "filter",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=10,
)


@settings(max_examples=200)
@given(
    st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "x"]),
    st.sampled_from(
        ["/Users", "/Users/u1", "/Groups", "/Groups/g2", "/Bulk", "/.search", "/Users/.search", "/Schemas", "/x"]
    )
    | st.text(max_size=10).map(lambda text: f"/{text}"),
    st.lists(
        st.tuples(st.sampled_from(["filter", "count", "startIndex", "attributes"]), st.text(max_size=8)), max_size=2
    ),
    JSON.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=20),
)
def test_whatever_arrives_there_is_an_answer(method: str, path: str, query: list[tuple[str, str]], body: bytes) -> None:
    scim = Harness()
    scim.send("POST", "/Users", user())
    scim.send("POST", "/Groups", group("G", "u1"))
    response = scim.server.handle(Request(method, path, query, {}, body))
    assert 200 <= response.status < 500 or response.status == 501
