"""A scoped value is believed from the identity provider whose metadata lists the scope, and from no other."""

import pytest

from federation.attributes.catalogue import CATALOGUE
from federation.attributes.scopes import believed
from federation.saml.messages import Attribute
from federation.saml.metadata.entity import Entity, IdPRole

FOREIGN = ("c@evil.example", "d", "e@example.org@evil.example", "@example.org")


def idp(*scopes: str) -> Entity:
    return Entity("https://idp.example.org", idp=IdPRole(scopes=scopes))


def told(key: str, *values: str) -> Attribute:
    return Attribute(CATALOGUE[key].name, values, name_format=CATALOGUE[key].name_format)


@pytest.mark.conformance("SDP-SP17")
@pytest.mark.parametrize("key", ["principal_name", "scoped_affiliation"])
def test_values_of_another_scope_are_dropped_and_said(key: str) -> None:
    mixed = told(
        key, "a@example.org", "b@EXAMPLE.org", "c@evil.example", "d", "e@example.org@evil.example", "@example.org"
    )
    kept, checks = believed([mixed], idp("example.org"))
    assert kept == (told(key, "a@example.org", "b@EXAMPLE.org"),)
    assert [check.rule for check in checks] == ["attribute.scope"]
    assert "dropped 4" in checks[0].received
    assert believed([told(key, "a@evil.example")], idp("example.org"))[0] == ()
    assert believed([told(key, "a@example.org")], idp())[0] == ()


def test_what_has_no_scope_is_left_alone() -> None:
    plain = (told("mail", "a@evil.example"), told("pairwise_id", "x@evil.example"), Attribute("urn:x", ("a@b",)))
    assert believed(plain, idp("example.org")) == (plain, ())
