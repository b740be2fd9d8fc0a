"""attributes and excludedAttributes (RFC 7644 3.9)."""

from __future__ import annotations

from typing import Any

import pytest

from federation.scim import selection, urns
from federation.scim.catalogue import GROUP, USER
from federation.scim.errors import ScimError

ALICE: dict[str, Any] = {
    "schemas": [urns.USER],
    "id": "1",
    "userName": "alice",
    "name": {"givenName": "Alice", "familyName": "Archer"},
    "emails": [{"value": "a@b.c", "type": "work"}, {"type": "home"}],
    urns.ENTERPRISE_USER: {"department": "Physics", "division": "D"},
    "meta": {"version": "1"},
}


def shown(attributes: str | None = None, excluded: str | None = None) -> dict[str, Any]:
    return selection.read(attributes, excluded, USER).apply(ALICE, USER)


def test_by_default_everything_is_shown() -> None:
    assert shown() == ALICE


def test_only_what_is_named_and_what_is_always_shown() -> None:
    assert shown("USERNAME") == {"schemas": [urns.USER], "id": "1", "userName": "alice"}


def test_a_part_of_an_attribute() -> None:
    assert shown("name.givenName, emails.value") == {
        "schemas": [urns.USER],
        "id": "1",
        "name": {"givenName": "Alice"},
        "emails": [{"value": "a@b.c"}],
    }


def test_an_extension_and_a_part_of_it() -> None:
    assert shown(urns.ENTERPRISE_USER)[urns.ENTERPRISE_USER] == ALICE[urns.ENTERPRISE_USER]
    assert shown(f"{urns.ENTERPRISE_USER}:division")[urns.ENTERPRISE_USER] == {"division": "D"}


def test_everything_but_what_is_excluded() -> None:
    assert "emails" not in shown(excluded="emails")
    assert shown(excluded="name.givenName")["name"] == {"familyName": "Archer"}
    assert shown(excluded="emails.type")["emails"] == [{"value": "a@b.c"}]
    assert urns.ENTERPRISE_USER not in shown(excluded=urns.ENTERPRISE_USER)
    assert shown(excluded=f"{urns.ENTERPRISE_USER}:division")[urns.ENTERPRISE_USER] == {"department": "Physics"}


def test_what_is_always_shown_cannot_be_excluded() -> None:
    assert shown(excluded="id,schemas") == ALICE


def test_an_unknown_name_selects_nothing() -> None:
    assert shown("nothing") == {"schemas": [urns.USER], "id": "1"}


def test_both_lists_at_once_are_refused() -> None:
    with pytest.raises(ScimError):
        selection.read("userName", "title", USER)


def test_a_list_has_a_limit() -> None:
    with pytest.raises(ScimError):
        selection.read(",".join(["userName"] * 300), None, USER)


def test_rows_that_are_not_shown_need_not_be_loaded() -> None:
    assert selection.read(None, None, GROUP).edges(GROUP) == {"members"}
    assert selection.read(None, "members", GROUP).edges(GROUP) == set()
    assert selection.read("displayName", None, GROUP).edges(GROUP) == set()
    assert selection.read("members.value", None, GROUP).edges(GROUP) == {"members"}
