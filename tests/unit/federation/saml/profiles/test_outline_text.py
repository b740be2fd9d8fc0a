"""An outline that is filled in reads as the one made of the whole message."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from federation.saml import xml
from federation.saml.names import SAML, SAMLP, Binding
from federation.saml.profiles import outline, outline_text
from tests.unit.federation.saml.test_writing import TEXTS

AWKWARD = TEXTS | st.sampled_from(
    ["", " ", "\t\n\r", "\x85", "\xa0", '"', "\\", '","text":"', '"text":""', '{"depth":', "%s", "%", "\x7f", "Jörg 名"]
)
VALUES = st.builds(str.__mul__, AWKWARD, st.sampled_from([1, 1, 1, 30, 301]))
"""Everything that XML can carry, and sometimes more than is shown of it."""


def tree(attribute: str, texts: list[str], within: list[xml.Element], between: list[xml.Element]) -> xml.Element:
    root = xml.new(f"{{{SAMLP}}}Response", {"ID": attribute, "Destination": "100%"})
    for text in texts:
        xml.add(root, f"{{{SAML}}}Issuer", text, {"Secret": attribute, "Format": attribute, "Name": '%s \\"'})
    root.extend(between)
    xml.add(root, f"{{{SAML}}}Unknown", "secret").extend(within)
    return root


STENCIL = outline_text.Stencil(
    tree(xml.hole("attribute"), [xml.hole("first"), xml.hole("second")], [xml.gap("within")], [xml.cut()])
)


@given(VALUES, VALUES, VALUES, st.lists(st.tuples(VALUES, VALUES), max_size=2))
@example("_id", "urn:issuer", "urn:other", [("urn:name", "value")])
def test_a_filled_outline_is_that_of_the_tree(
    attribute: str, first: str, second: str, inside: list[tuple[str, str]]
) -> None:
    within = [xml.Element(f"{{{SAML}}}Attribute", value, {"Name": name}) for name, value in inside]
    whole = tree(attribute, [first, second], within, [])
    octets = len(xml.serialise(whole))
    start, end = STENCIL.fill(
        {"binding": "HTTP-POST", "attribute": attribute, "first": first, "second": second},
        {"within": "".join(outline_text.lines_of(each, 2) for each in within)},
    )
    expected = outline.of_ours(Binding.POST, whole, octets)
    assert json.loads(outline_text.fitting(start + end, octets)) == expected
    assert json.loads(outline_text.of_ours(Binding.POST, whole, octets)) == expected


@pytest.mark.parametrize("number", [outline.MAX_LINES - 7, outline.MAX_LINES, 3 * outline.MAX_LINES])
@pytest.mark.parametrize("length", [1, 150])
def test_a_long_one_is_cut_as_that_of_the_tree(number: int, length: int) -> None:
    within = [xml.new(f"{{{SAML}}}Attribute", {"Name": '"' * length}) for _ in range(number)]
    whole = tree("_id", ["a", "b"], within, [])
    octets = len(xml.serialise(whole))
    filled = STENCIL.fill(
        {"binding": "HTTP-POST", "attribute": "_id", "first": "a", "second": "b"},
        {"within": "".join(outline_text.lines_of(each, 2) for each in within)},
    )
    assert json.loads(outline_text.fitting("".join(filled), octets)) == outline.of_ours(Binding.POST, whole, octets)
