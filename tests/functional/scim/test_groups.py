"""Groups and their members, as rows."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.scim_factories import ScimClient, group, op, user
from tests.sp_factories import Site


@pytest.fixture
def people(scim: ScimClient) -> list[str]:
    """Five users."""
    return [scim.create(user(f"id-{number}@example.org", f"user{number}"))["id"] for number in range(5)]


@pytest.fixture
def board(scim: ScimClient, people: list[str]) -> str:
    """A group with the first two."""
    return str(scim.create(group("Board", *people[:2], externalId="g-1"))["id"])


def test_members_come_and_go_one_by_one(scim: ScimClient, people: list[str], board: str) -> None:
    assert scim.patch(f"/Groups/{board}", op("add", "members", value=[{"value": people[2]}])).status_int == 204
    assert scim.members(board) == set(people[:3])
    assert scim.patch(f"/Groups/{board}", op("remove", f'members[value eq "{people[0]}"]')).status_int == 204
    assert scim.members(board) == set(people[1:3])


@pytest.mark.parametrize("form", ["list", "object"])
def test_remove_with_a_value_removes_whom_it_names(scim: ScimClient, people: list[str], board: str, form: str) -> None:
    value = {"value": people[0]}
    scim.patch(f"/Groups/{board}", op("Remove", "members", value=[value] if form == "list" else value))
    assert scim.members(board) == {people[1]}
    scim.patch(f"/Groups/{board}", op("remove", "members", value=[{"value": people[4]}]))
    assert scim.members(board) == {people[1]}


def test_a_group_is_emptied_only_when_that_is_said(scim: ScimClient, people: list[str], board: str) -> None:
    scim.patch(f"/Groups/{board}", op("remove", "members"))
    assert scim.members(board) == set()
    scim.patch(f"/Groups/{board}", op("replace", "members", value=[{"value": each} for each in people]))
    assert scim.members(board) == set(people)
    scim.patch(f"/Groups/{board}", op("replace", "members", value=[]))
    assert scim.members(board) == set()


def test_a_new_name_keeps_the_members(scim: ScimClient, people: list[str], board: str) -> None:
    scim.patch(f"/Groups/{board}", op("replace", value={"id": board, "displayName": "Council"}))
    assert scim.get(f"/Groups/{board}").json["displayName"] == "Council"
    assert scim.members(board) == set(people[:2])


def test_members_that_another_filter_finds(scim: ScimClient, people: list[str], board: str) -> None:
    scim.patch(f"/Groups/{board}", op("remove", f'members[value sw "{people[1][:13]}" and type eq "user"]'))
    assert scim.members(board) == {people[0]}


def test_adding_a_member_and_removing_a_stranger_twice_is_no_change(
    scim: ScimClient, people: list[str], board: str
) -> None:
    version = scim.get(f"/Groups/{board}").json["meta"]["version"]
    scim.patch(f"/Groups/{board}", op("add", "members", value=[{"value": people[0]}]))
    scim.patch(f"/Groups/{board}", op("remove", f'members[value eq "{people[4]}"]'))
    assert scim.get(f"/Groups/{board}").json["meta"]["version"] == version


def test_a_member_has_to_be_a_user_of_this_connection(scim: ScimClient, people: list[str], board: str) -> None:
    response = scim.patch(f"/Groups/{board}", op("add", "members", value=[{"value": people[2]}, {"value": "x"}]))
    assert (response.status_int, response.json["scimType"]) == (400, "invalidValue")
    assert scim.members(board) == set(people[:2])
    nested = scim.patch(f"/Groups/{board}", op("add", "members", value=[{"value": board}]))
    assert nested.status_int == 400


def test_a_deleted_user_is_in_no_group(scim: ScimClient, people: list[str], board: str) -> None:
    scim.delete(f"/Users/{people[0]}")
    assert scim.members(board) == {people[1]}


def test_a_deleted_group_is_in_no_user(scim: ScimClient, people: list[str], board: str) -> None:
    assert scim.get(f"/Users/{people[0]}").json["groups"][0]["display"] == "Board"
    assert scim.delete(f"/Groups/{board}").status_int == 204
    assert "groups" not in scim.get(f"/Users/{people[0]}").json
    assert scim.get(f"/Users/{people[0]}").status_int == 200


def test_five_hundred_and_more_members_at_once(scim: ScimClient, site: Site) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": user(f"n-{n}", f"n{n}")} for n in range(700)
    ]
    members = [{"value": f"bulkId:{n}"} for n in range(700)]
    big = {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {"displayName": "Big", "members": members}}
    lines = scim.bulk(*operations, big).json["Operations"]
    assert {line["status"] for line in lines} == {"201"}
    [(count,)] = site.rows("select count(*) from sp_scim_member")
    assert count == 700
    group_id = lines[-1]["location"].rpartition("/")[2]
    assert len(scim.members(group_id)) == 700
    read = scim.get(f"/Groups/{group_id}?excludedAttributes=members").json
    assert "members" not in read


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('displayName eq "BOARD"', 1),
        ('externalId eq "g-1"', 1),
        ('externalId eq "G-1"', 0),
        ('displayName sw "bo" and externalId pr', 1),
        ('members.value eq "nobody"', 0),
        ('members[type eq "Group"]', 0),
        ('members[type eq "User"]', 1),
    ],
)
def test_filters(scim: ScimClient, board: str, text: str, expected: int) -> None:
    assert scim.get(f"/Groups?filter={quote(text)}").json["totalResults"] == expected


def test_groups_are_found_by_their_members(scim: ScimClient, people: list[str], board: str) -> None:
    for text, expected in (
        (f'members.value eq "{people[0]}"', 1),
        (f'members[value eq "{people[1]}"]', 1),
        (f'members eq "{people[4]}"', 0),
        (f'not (members.value eq "{people[0]}")', 0),
    ):
        assert scim.get(f"/Groups?filter={quote(text)}").json["totalResults"] == expected


def test_an_external_id_belongs_to_one_group(scim: ScimClient, board: str) -> None:
    response = scim.post("/Groups", group("Other", externalId="g-1"))
    assert (response.status_int, response.json["scimType"]) == (409, "uniqueness")
    assert scim.put(f"/Groups/{board}", group("Board", externalId="g-1")).status_int == 200
