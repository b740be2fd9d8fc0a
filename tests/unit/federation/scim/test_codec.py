"""From JSON to a document."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.scim import codec, urns
from federation.scim.catalogue import GROUP, USER
from federation.scim.errors import ScimError
from federation.scim.schema import MAX_VALUES


def test_names_are_read_in_any_letter_case_and_come_out_in_their_own() -> None:
    data = {
        "USERNAME": "alice",
        "Name": {"GIVENNAME": "Alice"},
        "EMAILS": [{"Value": "a@b.c", "TYPE": "work"}],
        urns.ENTERPRISE_USER.upper(): {"Department": "X"},
    }
    assert codec.read(data, USER) == {
        "userName": "alice",
        "name": {"givenName": "Alice"},
        "emails": [{"value": "a@b.c", "type": "work"}],
        urns.ENTERPRISE_USER: {"department": "X"},
    }


def test_what_the_client_may_not_write_and_what_nobody_knows_is_left_out() -> None:
    data = {
        "schemas": [urns.USER, "urn:something:else"],
        "id": "17",
        "meta": {"version": "1"},
        "groups": [{"value": "1"}],
        "password": "secret",
        "favouriteColour": "blue",
        "urn:something:else": {"x": 1},
        "userName": "alice",
        urns.ENTERPRISE_USER: {"manager": {"value": "9", "displayName": "Bob"}},
    }
    assert codec.read(data, USER) == {"userName": "alice", urns.ENTERPRISE_USER: {"manager": {"value": "9"}}}


def test_null_the_empty_list_and_the_empty_text_are_no_value() -> None:
    data = {"userName": "a", "title": None, "nickName": "", "emails": [], "name": {"givenName": None}, "roles": None}
    assert codec.read(data, USER) == {"userName": "a"}


def test_what_real_clients_send_is_understood() -> None:
    data = {
        "userName": "a",
        "active": "False",
        "emails": {"value": "a@b.c"},
        "roles": ["admin"],
        urns.ENTERPRISE_USER: {"manager": [{"value": "9"}], "employeeNumber": 701984},
    }
    assert codec.read(data, USER) == {
        "userName": "a",
        "active": False,
        "emails": [{"value": "a@b.c"}],
        "roles": [{"value": "admin"}],
        urns.ENTERPRISE_USER: {"manager": {"value": "9"}, "employeeNumber": "701984"},
    }
    assert codec.read({urns.ENTERPRISE_USER: {"manager": "9"}}, USER)[urns.ENTERPRISE_USER] == {
        "manager": {"value": "9"}
    }


def test_members_are_no_part_of_a_group_s_document() -> None:
    assert codec.read({"displayName": "G", "members": [{"value": "1"}]}, GROUP) == {"displayName": "G"}


def test_a_value_that_comes_twice_is_kept_once() -> None:
    email = {"value": "a@b.c", "type": "work"}
    assert codec.read({"emails": [email, dict(email)]}, USER) == {"emails": [email]}


@pytest.mark.parametrize(
    "data",
    [
        {"userName": ["a"]},
        {"userName": {"value": "a"}},
        {"userName": True},
        {"userName": "x" * 257},
        {"userName": "a\0b"},
        {"userName": "\ud800"},
        {"active": "perhaps"},
        {"active": 1},
        {"name": "Alice"},
        {"name": ["Alice"]},
        {"emails": [["a@b.c"]]},
        {"emails": [{"value": "a", "primary": True}, {"value": "b", "primary": True}]},
        {"emails": [{"value": f"{n}@b.c"} for n in range(MAX_VALUES + 1)]},
        {urns.ENTERPRISE_USER: "x"},
    ],
)
def test_a_value_of_the_wrong_kind_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as refused:
        codec.read(data, USER)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidValue")


@pytest.mark.parametrize("data", [{"userName": "a", "username": "b"}, {"name": {"givenName": "a", "GivenName": "b"}}])
def test_an_attribute_that_is_given_twice_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as refused:
        codec.read(data, USER)
    assert refused.value.scim_type == "invalidSyntax"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[1]", b'"x"', b"null", b'{"a": NaN}', b"\xff", b'{"a": ' + b"1" * 5000 + b"}", b"[" * 100_000],
)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ScimError) as refused:
        codec.load_object(body)
    assert refused.value.scim_type == "invalidSyntax"


def test_a_required_attribute_is_missed() -> None:
    with pytest.raises(ScimError, match="userName is required"):
        codec.require({"displayName": "A"}, USER)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=8)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["userName", "name", "givenName", "emails", "value", "primary", "active", "manager", "x"])
            | st.just(urns.ENTERPRISE_USER),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["userName", "name", "emails", "active", "roles", urns.ENTERPRISE_USER]), JSON))
def test_whatever_arrives_is_a_document_that_reads_as_itself_or_an_error(data: dict[str, Any]) -> None:
    try:
        document = codec.read(data, USER)
    except ScimError as error:
        assert error.status == 400  # noqa: PT017 (either is right)
    else:
        assert codec.read(document, USER) == document
