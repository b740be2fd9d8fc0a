"""What is filled in stands as the writer of trees would have written it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ConfigurationError
from federation.saml import xml
from federation.saml.names import SAML, SAMLP
from tests.unit.federation.saml.test_writing import TEXTS


def tree(attribute: str, text: str, between: list[xml.Element]) -> xml.Element:
    root = xml.new(f"{{{SAMLP}}}R", {"ID": attribute, "B": "100%"})
    xml.add(root, f"{{{SAML}}}Issuer", text, {"Again": attribute, "Fixed": "%(text)s"})
    root.extend(between)
    xml.add(root, f"{{{SAML}}}Audience", text)
    return root


STENCIL = xml.Stencil(xml.serialise(tree(xml.hole("attribute"), xml.hole("text"), [xml.cut()])).decode())


@given(TEXTS, TEXTS)
def test_a_filled_stencil_is_the_written_tree(attribute: str, text: str) -> None:
    pieces = STENCIL.fill({"attribute": attribute, "text": text, "unused": "<"})
    assert len(pieces) == 2
    assert "".join(pieces) == xml.serialise(tree(attribute, text, [])).decode()


@given(TEXTS, st.lists(st.tuples(TEXTS, TEXTS), max_size=2))
def test_elements_stand_in_a_gap_as_they_would_in_the_tree(text: str, inside: list[tuple[str, str]]) -> None:
    within = [xml.Element(f"{{{SAML}}}Issuer", *each) for each in ((value, {"A": name}) for name, value in inside)]
    stencil = xml.Stencil(xml.serialise(tree("a", xml.hole("text"), [xml.gap("within")])).decode())
    texts = "".join(xml.inside(f"{{{SAMLP}}}R", each) for each in within)
    assert stencil.fill({"text": text}, {"within": texts}) == [xml.serialise(tree("a", text, within)).decode()]


@given(st.sampled_from(["<cut></cut>", "%(text)s", "%s", xml.hole("text"), '" B="', "</saml:Issuer>", "&amp;"]))
def test_a_value_is_never_more_than_a_value(value: str) -> None:
    pieces = STENCIL.fill({"attribute": value, "text": value})
    root = xml.reparse("".join(pieces).encode())
    assert len(pieces) == 2
    assert [child.text for child in root] == [value, value]
    assert (root.get("ID"), root.get("B"), root[0].get("Again")) == (value, "100%", value)


@pytest.mark.parametrize("value", ["\0", "\ud800", "\ufffe"])
@pytest.mark.parametrize("name", ["attribute", "text"])
def test_a_value_that_xml_cannot_carry_is_our_own_mistake(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name}: a value holds a character"):
        STENCIL.fill({"attribute": "", "text": "", name: value})


@pytest.mark.parametrize("hole", ["\ufffc", xml.hole("a b"), xml.hole("both")])
def test_a_hole_has_one_name_and_one_kind_of_place(hole: str) -> None:
    root = xml.new("a", {"b": xml.hole("both")})
    root.text = hole
    with pytest.raises(ValueError, match="a hole"):
        xml.Stencil(xml.serialise(root).decode())
