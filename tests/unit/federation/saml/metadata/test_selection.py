"""Which entities of a source are taken."""

from dataclasses import replace

import pytest

from federation.saml.metadata.selection import ASSURANCE_CERTIFICATION, ENTITY_CATEGORY, Selection
from tests.metadata_factories import IDP_ID, SP_ID, idp_entity, sp_entity

SIRTFI = "https://refeds.org/sirtfi"
RESEARCH = "http://refeds.org/category/research-and-scholarship"
SP = sp_entity(
    registration_authority="https://a.example.org",
    attributes=((ENTITY_CATEGORY, (RESEARCH,)), (ASSURANCE_CERTIFICATION, (SIRTFI,))),
)
IDP = idp_entity()


def test_without_parts_everything_is_taken():
    assert Selection().takes(SP)
    assert Selection().takes(IDP)


@pytest.mark.parametrize(
    "part",
    [
        {"roles": frozenset({"sp"})},
        {"registrars": frozenset({"https://a.example.org", "https://b.example.org"})},
        {"categories": frozenset({RESEARCH})},
        {"categories": frozenset({SIRTFI})},
        {"entity_ids": frozenset({SP_ID})},
    ],
)
def test_one_match_within_a_part_is_enough(part):
    assert Selection(**part).takes(SP)
    assert not Selection(**part).takes(IDP)


def test_every_part_must_match():
    selection = Selection(roles=frozenset({"sp"}), categories=frozenset({RESEARCH}))
    assert selection.takes(SP)
    assert not selection.takes(replace(SP, attributes=()))


def test_an_entity_with_both_roles_is_taken_for_either():
    both = replace(IDP, sp=SP.sp)
    assert Selection(roles=frozenset({"sp"})).takes(both)
    assert Selection(roles=frozenset({"idp"}), entity_ids=frozenset({IDP_ID})).takes(both)
