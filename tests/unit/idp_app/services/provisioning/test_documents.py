"""What an account should hold, and differences between two states of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from federation.attributes.catalogue import CATALOGUE
from federation.scim import patch, urns
from federation.scim.catalogue import USER
from federation.scim.codec import read
from idp_app.services.provisioning import documents
from idp_app.services.provisioning.documents import Document

DEPARTMENT = f"{urns.ENTERPRISE_USER}:department"


def test_every_attribute_that_has_a_place_goes_there() -> None:
    released = {key: (f"{key}-1", f"{key}-2") for key in CATALOGUE}
    document = documents.of_account(released)
    assert document is not None
    assert document["externalId"] == "pairwise_id-1"
    assert document["userName"] == "username-1"
    assert document["emails"] == [
        {"value": "mail-1", "type": "work", "primary": True},
        {"value": "mail-2", "type": "work", "primary": False},
    ]
    resource = documents.resource(document, urns.USER)
    assert read(resource, USER) == {key: value for key, value in resource.items() if key != "schemas"}
    assert resource["schemas"] == [urns.USER, urns.ENTERPRISE_USER]


def test_without_the_identifier_there_is_no_account() -> None:
    assert documents.of_account({"display_name": ("Alice",)}) is None


def test_a_user_name_that_may_not_be_told_is_the_identifier() -> None:
    document = documents.of_account({"pairwise_id": ("a@b",)})
    assert document == {"externalId": "a@b", "userName": "a@b", "active": True}


def test_what_is_in_doubt_is_said_again() -> None:
    held: Document = {"userName": "a", DEPARTMENT: "X", "title": "Dr"}
    intended: Document = {"userName": "a", DEPARTMENT: "Y", "displayName": "A"}
    doubted = documents.doubted(held, intended)
    assert doubted == {"userName": "a", DEPARTMENT: None, "title": None, "displayName": None}
    assert documents.differences(doubted, held) == [
        {"op": "replace", "path": DEPARTMENT, "value": "X"},
        {"op": "replace", "path": "title", "value": "Dr"},
        {"op": "remove", "path": "displayName"},
    ]
    assert documents.doubted(held, None) is held


DOCUMENTS: st.SearchStrategy[Document] = st.fixed_dictionaries(
    {"userName": st.sampled_from(["a", "b"]), "active": st.booleans()},
    optional={
        "displayName": st.sampled_from(["A", "B"]),
        "name.givenName": st.sampled_from(["A", "B"]),
        "name.familyName": st.sampled_from(["A", "B"]),
        "emails": st.lists(st.sampled_from(["a@b", "c@d"]), min_size=1, unique=True).map(documents._typed),
        DEPARTMENT: st.sampled_from(["X", "Y"]),
    },
)


def held_by_a_server(document: Document) -> Document:
    return read(documents.resource(document, urns.USER), USER)


@given(DOCUMENTS, DOCUMENTS)
def test_the_operations_lead_from_one_document_to_the_other(before: Document, after: Document) -> None:
    operations = documents.differences(before, after)
    held = held_by_a_server(before)
    if operations:
        held = patch.apply(patch.read({"Operations": operations}, USER), held)
    assert held == held_by_a_server(after)


@given(DOCUMENTS, DOCUMENTS, DOCUMENTS)
def test_in_doubt_they_lead_there_from_either(before: Document, intended: Document, after: Document) -> None:
    operations = documents.differences(documents.doubted(before, intended), after)
    for start in (before, intended):
        held = held_by_a_server(start)
        if operations:
            held = patch.apply(patch.read({"Operations": operations}, USER), held)
        assert held == held_by_a_server(after)
