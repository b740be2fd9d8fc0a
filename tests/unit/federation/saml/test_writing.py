"""What we write is its own exclusive canonical form: libxml2, reading it, has nothing to change."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import ConfigurationError
from federation.saml import encryption, signature, xml
from federation.saml.codec import artifact, authn_request, logout, response
from federation.saml.codec import assertion as assertion_codec
from federation.saml.messages import (
    ArtifactResolve,
    ArtifactResponse,
    Attribute,
    AuthnRequest,
    AuthnStatement,
    LogoutRequest,
    LogoutResponse,
    NameID,
    NameIDPolicy,
    RequestedAuthnContext,
    Scoping,
    Status,
)
from federation.saml.names import DS, SAML, SAMLP, XENC, XENC11, StatusCode
from federation.saml.xml import Element
from tests import factories
from tests.factories import NOW

TEXTS = st.text(
    st.one_of(
        st.sampled_from("&<>\"'\t\n\r ]\x7f\x85\u2028\ufffd\U0001f600\U0010ffff"),
        st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"),
    ),
    max_size=12,
)
"""Everything that XML can carry."""
TAGS = st.sampled_from([f"{{{namespace}}}{name}" for namespace in (SAML, SAMLP, DS, XENC, XENC11) for name in "aB"])
ATTRIBUTES = st.dictionaries(st.sampled_from(["ID", "B", "a", "b", "Zz", "a-b", "a.b"]), st.none() | TEXTS)


def made(tag: str, text: str | None, attributes: dict[str, str | None], children: list[Element]) -> Element:
    element = Element(tag, text, attributes)
    element.extend(children)
    return element


TREES = st.recursive(
    st.builds(made, TAGS, st.none() | TEXTS, ATTRIBUTES, st.just([])),
    lambda inner: st.builds(made, TAGS, st.none() | TEXTS, ATTRIBUTES, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def same(ours: Element, parsed: Any) -> bool:
    return (
        (ours.tag, ours.text or "", dict(ours.items())) == (parsed.tag, parsed.text or "", dict(parsed.items()))
        and len(ours) == len(parsed)
        and all(map(same, ours, parsed))
    )


@given(TREES)
def test_whatever_is_written_is_canonical_and_is_read_as_it_was(tree: Element) -> None:
    octets = xml.serialise(tree)
    parsed = xml.lift(tree)
    assert xml.canonical(parsed) == octets
    assert same(tree, parsed)
    assert "".join(xml.parts(tree)).encode() == octets
    inside = "".join(xml.inside(tree.tag, child) for child in tree)
    assert "".join(xml.tags_inside(tree.tag, tree)) in xml.inside(
        tree.tag, made(tree.tag, tree.text, dict(tree.items()), [])
    )
    assert inside.encode() in octets
    for ours, theirs in zip(tree, parsed, strict=True):
        assert xml.canonical(theirs) == xml.serialise(ours), "each element alone, as a signature sees it"


@given(st.lists(TEXTS, min_size=12, max_size=12))
def test_every_message_is_written_canonically(values: list[str]) -> None:
    a, b, c, d, e, f, g, h, i, j, k, m = values
    name_id = NameID(a, b, c, d, e)
    status = Status(StatusCode.REQUESTER, f, g)
    assertion = assertion_codec.write(
        factories.assertion(
            name_id=name_id,
            authn_statements=(AuthnStatement(NOW, f, NOW, g, (h, i)),),
            attributes=(Attribute(j, (k, m, ""), a, b), Attribute(c, ())),
        )
    )
    sealed = encryption.encrypt(assertion, key=factories.descriptor(factories.decryption_key()), recipient=a)
    written = [
        authn_request.write(
            AuthnRequest(
                id=a,
                issuer=b,
                issue_instant=NOW,
                destination=c,
                assertion_consumer_service_url=d,
                name_id_policy=NameIDPolicy(e, f, allow_create=True),
                requested_authn_context=RequestedAuthnContext((g, h), declaration_refs=(i,)),
                scoping=Scoping(1, (j,), (k,)),
                subject=name_id,
                provider_name=m,
            )
        ),
        response.write(factories.envelope(status=status), assertion),
        response.write(factories.envelope(issuer=a, consent=b), sealed),
        logout.write_request(LogoutRequest(a, b, NOW, name_id, (c, d), e, NOW, f, asynchronous=True)),
        logout.write_response(LogoutResponse(a, b, NOW, status, c, d)),
        artifact.write_resolve(ArtifactResolve(a, b, NOW, c, d)),
        artifact.write_response(ArtifactResponse(a, b, NOW, status, c)),
    ]
    for element in written:
        assert xml.canonical(xml.lift(element)) == xml.serialise(element)
        if element.get("ID"):
            octets = signature.signed(element, key=factories.signing_key())
            parsed = xml.reparse(octets)
            assert xml.canonical(parsed) == octets
            parsed.remove(next(parsed.iterchildren(f"{{{DS}}}Signature")))
            assert xml.canonical(parsed) == xml.serialise(element)


def test_attributes_and_prefixes_stand_as_the_canonical_form_has_them() -> None:
    root = xml.new(f"{{{SAMLP}}}R", {"Z": "1", "ID": "_1", "None": None})
    xml.add(root, f"{{{SAML}}}Issuer", "<&>\"'", {"Format": '"<'})
    xml.add(root, "plain")
    issuer = f'<saml:Issuer xmlns:saml="{SAML}" Format="&quot;&lt;">&lt;&amp;&gt;"\'</saml:Issuer>'
    expected = f'<samlp:R xmlns:samlp="{SAMLP}" ID="_1" Z="1">{issuer}<plain></plain></samlp:R>'
    assert xml.serialise(root).decode() == expected
    assert (root.get("ID"), root.get("None"), list(root.items())) == ("_1", None, [("Z", "1"), ("ID", "_1")])


@pytest.mark.parametrize("value", ["\0", "a\x1bb", "\ud800", "\ufffe", "&\uffff"])
def test_a_value_that_xml_cannot_carry_is_our_own_mistake(value: str) -> None:
    for content, attributes in ((value, None), (None, {"b": value})):
        root = xml.new("r")
        xml.add(root, "a", content, attributes)
        with pytest.raises(ConfigurationError, match="a: a value holds a character"):
            xml.serialise(root)
