"""What an assertion says about a person."""

from __future__ import annotations

from federation.saml.messages import Attribute
from sp_app.services.identity import by_key
from tests.sp_factories import attribute, attributes


def test_attributes_are_told_apart_by_name_and_never_by_friendly_name() -> None:
    impostor = Attribute("urn:oid:1.2.3.4", ("eve",), None, "displayName")
    assert by_key((impostor, *attributes(None, mail="alice@example.org"))) == {"mail": ("alice@example.org",)}


def test_an_attribute_that_comes_twice_adds_up() -> None:
    assert by_key((attribute("mail", "a"), attribute("mail", "b", "c"))) == {"mail": ("a", "b", "c")}


def test_an_attribute_without_values_tells_nothing() -> None:
    assert by_key((attribute("mail"),)) == {}
