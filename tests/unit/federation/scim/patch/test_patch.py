"""PATCH (RFC 7644 3.5.2), as the standard says it and as clients send it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.scim import patch, urns
from federation.scim.catalogue import GROUP, USER
from federation.scim.codec import Document
from federation.scim.errors import ScimError
from federation.scim.patch import MemberAction, MemberChange
from federation.scim.schema import MAX_VALUES
from tests.scim_factories import op
from tests.scim_factories import patch as message

WORK = {"value": "alice@work.example", "type": "work", "primary": True}
HOME = {"value": "alice@home.example", "type": "home"}
ALICE: Document = {
    "userName": "alice",
    "displayName": "Alice",
    "name": {"givenName": "Alice", "familyName": "Archer"},
    "active": True,
    "emails": [WORK, HOME],
    urns.ENTERPRISE_USER: {"department": "Physics", "manager": {"value": "9"}},
}


def applied(*operations: dict[str, Any], to: Document = ALICE) -> Document:
    before = copy.deepcopy(to)
    after = patch.apply(patch.read(message(*operations), USER), to)
    assert to == before, "the original stays as it is"
    return after


def changed(**values: Any) -> Document:
    """Alice with other values; None takes one away."""
    return {key: value for key, value in (ALICE | values).items() if value is not None}


def members(*operations: dict[str, Any]) -> tuple[MemberChange, ...]:
    return patch.read(message(*operations), GROUP).members


class TestSingleValues:
    def test_replace_and_add_set_a_value(self) -> None:
        assert applied(op("replace", "displayName", value="Al")) == changed(displayName="Al")
        assert applied(op("add", "title", value="Dr")) == changed(title="Dr")

    def test_replace_of_what_is_not_there_adds_it(self) -> None:
        assert applied(op("replace", "nickName", value="Al")) == changed(nickName="Al")

    def test_operations_are_read_in_any_letter_case(self) -> None:
        assert applied({"OP": "Replace", "Path": "DISPLAYNAME", "Value": "Al"}) == changed(displayName="Al")

    def test_remove_unassigns(self) -> None:
        assert applied(op("remove", "displayName")) == changed(displayName=None)

    def test_null_unassigns(self) -> None:
        assert applied(op("replace", "displayName", value=None)) == changed(displayName=None)

    def test_a_text_is_a_truth_value_where_one_is_meant(self) -> None:
        assert applied(op("Replace", "active", value="False")) == changed(active=False)

    def test_each_operation_works_on_the_result_of_the_one_before(self) -> None:
        assert applied(op("remove", "title"), op("add", "title", value="Dr"), op("replace", "title", value="Prof")) == (
            changed(title="Prof")
        )

    def test_a_required_attribute_cannot_be_removed(self) -> None:
        with pytest.raises(ScimError) as refused:
            applied(op("remove", "userName"))
        assert refused.value.scim_type == "mutability"


class TestComplexValues:
    def test_only_the_parts_that_are_named_change(self) -> None:
        after = applied(op("replace", "name", value={"givenName": "Al"}))
        assert after["name"] == {"givenName": "Al", "familyName": "Archer"}

    def test_null_takes_one_part_away(self) -> None:
        assert applied(op("replace", "name", value={"givenName": None, "middleName": "B"}))["name"] == {
            "familyName": "Archer",
            "middleName": "B",
        }

    def test_a_part_is_set_and_removed_by_its_path(self) -> None:
        assert applied(op("replace", "name.givenName", value="Al"))["name"]["givenName"] == "Al"
        assert applied(op("remove", "name.givenName"))["name"] == {"familyName": "Archer"}

    def test_the_last_part_takes_the_attribute_with_it(self) -> None:
        assert "name" not in applied(op("remove", "name.givenName"), op("remove", "name.familyName"))

    @pytest.mark.parametrize("manager", ["7", {"value": "7"}, [{"value": "7"}], {"value": "7", "$ref": None}])
    def test_a_manager_comes_in_many_forms(self, manager: Any) -> None:
        after = applied(op("replace", f"{urns.ENTERPRISE_USER}:manager", value=manager))
        assert after[urns.ENTERPRISE_USER]["manager"]["value"] == "7"


class TestSeveralValues:
    def test_add_appends_and_says_nothing_twice(self) -> None:
        other = {"value": "a@other.example", "type": "other"}
        assert applied(op("add", "emails", value=[other]))["emails"] == [WORK, HOME, other]
        assert applied(op("add", "emails", value=[dict(HOME)])) == ALICE

    def test_replace_replaces_them_all(self) -> None:
        assert applied(op("replace", "emails", value=[HOME]))["emails"] == [HOME]
        assert "emails" not in applied(op("replace", "emails", value=[]))

    def test_a_new_primary_takes_it_from_the_others(self) -> None:
        new = {"value": "a@new.example", "primary": True}
        assert applied(op("add", "emails", value=[new]))["emails"] == [WORK | {"primary": False}, HOME, new]
        after = applied(op("replace", 'emails[type eq "home"].primary', value=True))["emails"]
        assert [email["primary"] for email in after] == [False, True]

    def test_a_filter_says_which_values_change(self) -> None:
        after = applied(op("replace", 'emails[type eq "home"].value', value="new@home.example"))
        assert after["emails"] == [WORK, HOME | {"value": "new@home.example"}]

    def test_a_value_that_a_filter_found_is_replaced_whole(self) -> None:
        after = applied(op("replace", 'emails[type eq "work"]', value={"value": "n@w.example"}))
        assert after["emails"] == [{"value": "n@w.example"}, HOME]

    def test_a_value_that_does_not_exist_is_made_from_a_filter_that_describes_it(self) -> None:
        after = applied(op("add", 'phoneNumbers[type eq "work"].value', value="+1"))
        assert after["phoneNumbers"] == [{"type": "work", "value": "+1"}]

    def test_a_filter_that_describes_nothing_finds_no_target(self) -> None:
        with pytest.raises(ScimError) as refused:
            applied(op("replace", 'emails[type sw "x"].value', value="a@b.c"))
        assert refused.value.scim_type == "noTarget"

    def test_remove_takes_all_or_those_a_filter_finds_or_a_part_of_them(self) -> None:
        assert "emails" not in applied(op("remove", "emails"))
        assert applied(op("remove", 'emails[type eq "work"]'))["emails"] == [HOME]
        after = applied(op("remove", 'emails[type eq "home"].type'))
        assert after["emails"] == [WORK, {"value": "alice@home.example"}]
        assert applied(op("remove", 'emails[type eq "other"]')) == ALICE

    def test_remove_with_a_value_removes_that_value_and_no_other(self) -> None:
        assert applied(op("remove", "emails", value=[{"value": "alice@home.example"}]))["emails"] == [WORK]
        assert applied(op("remove", "emails", value=[])) == ALICE

    def test_there_is_a_limit(self) -> None:
        many = [{"value": f"{number}@b.c"} for number in range(MAX_VALUES - 1)]
        with pytest.raises(ScimError):
            applied(op("add", "emails", value=many))


class TestWithoutPath:
    def test_the_value_is_an_object_of_attributes(self) -> None:
        assert applied(op("replace", value={"active": False, "displayName": "Al"})) == (
            changed(active=False, displayName="Al")
        )

    def test_keys_may_be_paths_and_urns(self) -> None:
        value = {
            "name.givenName": "Al",
            'emails[type eq "work"].value': "a@b.c",
            f"{urns.ENTERPRISE_USER}:department": "Art",
            urns.ENTERPRISE_USER: {"division": "D"},
        }
        after = applied(op("Add", value=value))
        assert after["name"]["givenName"] == "Al"
        assert after["emails"][0]["value"] == "a@b.c"
        assert after[urns.ENTERPRISE_USER] == {"department": "Art", "manager": {"value": "9"}, "division": "D"}

    def test_what_cannot_be_changed_or_is_unknown_is_ignored(self) -> None:
        value = {"id": "7", "schemas": [], "meta": {}, "groups": [], "favouriteColour": "blue", "displayName": "Al"}
        assert applied(op("replace", value=value)) == changed(displayName="Al")

    def test_remove_needs_a_path(self) -> None:
        with pytest.raises(ScimError) as refused:
            applied(op("remove", value={"displayName": "x"}))
        assert refused.value.scim_type == "noTarget"


class TestExtensions:
    def test_the_first_value_brings_the_extension_and_the_last_takes_it_away(self) -> None:
        bare: Document = {"userName": "a"}
        after = applied(op("add", f"{urns.ENTERPRISE_USER}:department", value="X"), to=bare)
        assert after == {"userName": "a", urns.ENTERPRISE_USER: {"department": "X"}}
        assert applied(op("remove", f"{urns.ENTERPRISE_USER}:department"), to=after) == bare

    def test_a_path_may_be_the_whole_extension(self) -> None:
        assert urns.ENTERPRISE_USER not in applied(op("remove", urns.ENTERPRISE_USER))
        after = applied(op("replace", urns.ENTERPRISE_USER, value={"department": "Art"}))
        assert after[urns.ENTERPRISE_USER]["department"] == "Art"


class TestMembers:
    def test_members_are_added_replaced_and_removed_as_ids(self) -> None:
        value = [{"$ref": None, "value": "1"}, {"value": "2", "display": "Bob"}]
        assert members(op("Add", "members", value=value)) == (MemberChange(MemberAction.ADD, ("1", "2")),)
        assert members(op("replace", "members", value=value)) == (MemberChange(MemberAction.REPLACE, ("1", "2")),)
        assert members(op("remove", 'members[value eq "1"]')) == (MemberChange(MemberAction.REMOVE, ("1",)),)

    def test_a_whole_list_is_removed_only_when_nobody_is_named(self) -> None:
        assert members(op("remove", "members")) == (MemberChange(MemberAction.REPLACE, ()),)
        assert members(op("replace", "members", value=[])) == (MemberChange(MemberAction.REPLACE, ()),)

    def test_remove_with_a_value_names_whom(self) -> None:
        assert members(op("Remove", "members", value=[{"value": "1"}])) == (MemberChange(MemberAction.REMOVE, ("1",)),)
        assert members(op("remove", "members", value={"value": "1"})) == (MemberChange(MemberAction.REMOVE, ("1",)),)

    def test_without_a_path_too(self) -> None:
        assert members(op("add", value={"members": [{"value": "1"}]})) == (MemberChange(MemberAction.ADD, ("1",)),)

    def test_fifty_operations_that_do_the_same_are_one_change(self) -> None:
        operations = [op("add", "members", value=[{"value": str(number)}]) for number in range(50)]
        assert members(*operations) == (MemberChange(MemberAction.ADD, tuple(map(str, range(50)))),)

    def test_another_filter_is_left_to_whoever_has_the_members(self) -> None:
        [change] = members(op("remove", 'members[type sw "U"]'))
        assert change.action is MemberAction.REMOVE_MATCHING

    def test_a_new_name_says_nothing_about_members(self) -> None:
        read = patch.read(message(op("replace", value={"id": "7", "displayName": "New"})), GROUP)
        assert (len(read.operations), read.members) == (1, ())

    @pytest.mark.parametrize(
        "operation",
        [
            op("add", "members", value=[{"display": "x"}]),
            op("add", "members", value=[{"value": 7}]),
            op("replace", "members.value", value="1"),
            op("add", 'members[value eq "1"]', value={"value": "2"}),
        ],
    )
    def test_what_makes_no_sense_is_refused(self, operation: dict[str, Any]) -> None:
        with pytest.raises(ScimError):
            members(operation)

    @given(
        st.sampled_from(["remove", "Remove", "REMOVE"]),
        st.lists(st.fixed_dictionaries({"value": st.text(min_size=1, max_size=5)}), max_size=5),
    )
    def test_remove_with_a_list_never_empties_a_group(self, kind: str, value: list[dict[str, str]]) -> None:
        [change] = members(op(kind, "members", value=value))
        assert change.action is MemberAction.REMOVE
        assert set(change.ids) == {each["value"] for each in value}


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"Operations": []},
        {"Operations": {}},
        {"Operations": ["x"]},
        {"Operations": [{"op": "move", "path": "title"}]},
        {"Operations": [{"path": "title"}]},
        {"Operations": [{"op": "add", "path": 7}]},
        {"Operations": [{"op": "add", "path": "nothing", "value": 1}]},
        {"Operations": [{"op": "add", "path": "id", "value": "1"}]},
        {"Operations": [{"op": "replace", "path": "meta.version", "value": "1"}]},
        {"Operations": [{"op": "replace", "path": "groups", "value": []}]},
        {"Operations": [{"op": "add", "value": "x"}]},
        {"Operations": [{"op": "add", "path": "userName[value eq 1]", "value": "x"}]},
    ],
)
def test_what_is_no_patch_is_refused(data: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as refused:
        patch.apply(patch.read(data, USER), ALICE)
    assert refused.value.status == 400


VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["value", "type", "primary", "givenName", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
PATHS = (
    st.sampled_from(
        [
            "",
            "userName",
            "active",
            "name",
            "name.givenName",
            "emails",
            "emails.value",
            'emails[type eq "work"]',
            "emails[primary eq true].value",
            "groups",
            "members",
            "nothing",
            "a[",
            urns.ENTERPRISE_USER,
            f"{urns.ENTERPRISE_USER}:manager",
        ]
    )
    | st.none()
)


@given(
    st.lists(
        st.fixed_dictionaries({"op": st.sampled_from(["add", "remove", "Replace"]), "path": PATHS, "value": VALUES})
    )
)
def test_whatever_arrives_is_applied_or_refused(operations: list[dict[str, Any]]) -> None:
    try:
        after = patch.apply(patch.read(message(*operations), USER), ALICE)
    except ScimError as error:
        assert error.status == 400  # noqa: PT017 (either is right)
    else:
        assert after["userName"]
        assert sum(1 for email in after.get("emails", ()) if email.get("primary") is True) <= 1
