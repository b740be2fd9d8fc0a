"""AuthnRequests are written in schema order and read strictly, whatever legal shape they have."""

from datetime import UTC, datetime

import pytest
from lxml import etree

from federation.errors import FederationError, Malformed
from federation.saml import xml
from federation.saml.codec import authn_request as codec
from federation.saml.messages import AuthnRequest, NameID, NameIDPolicy, RequestedAuthnContext, Scoping
from federation.saml.names import SAML, SAMLP, Binding, NameIDFormat
from tests import factories

FULL = AuthnRequest(
    id="_1",
    issuer=factories.SP,
    issue_instant=factories.NOW,
    destination=factories.SSO_URL,
    assertion_consumer_service_url=factories.ACS_URL,
    attribute_consuming_service_index=3,
    protocol_binding=Binding.POST,
    name_id_policy=NameIDPolicy(NameIDFormat.PERSISTENT, factories.SP, allow_create=True),
    requested_authn_context=RequestedAuthnContext(("urn:a", "urn:b"), "minimum"),
    scoping=Scoping(2, (factories.IDP,), ("urn:requester",)),
    subject=NameID("alice", NameIDFormat.EMAIL),
    force_authn=True,
    is_passive=True,
    provider_name="Intranet",
    consent="urn:oasis:names:tc:SAML:2.0:consent:unspecified",
)


def read(
    inside: str = "", attributes: str = "", issuer: str = f"<saml:Issuer>{factories.SP}</saml:Issuer>"
) -> AuthnRequest:
    document = (
        f"<samlp:AuthnRequest xmlns:samlp='{SAMLP}' xmlns:saml='{SAML}' ID='_1' Version='2.0' "
        f"IssueInstant='2026-03-04T10:00:00Z' {attributes}>{issuer}{inside}</samlp:AuthnRequest>"
    )
    return codec.read(xml.parse(document.encode()))


def rule_of(inside: str = "", attributes: str = "", **more: str) -> str:
    with pytest.raises(Malformed) as caught:
        read(inside, attributes, **more)
    return caught.value.rule


def test_what_is_written_is_read() -> None:
    assert codec.read(xml.reparse(xml.serialise(codec.write(FULL)))) == FULL


def test_the_least_request_is_read() -> None:
    least = read()
    assert least == AuthnRequest(id="_1", issuer=factories.SP, issue_instant=datetime(2026, 3, 4, 10, tzinfo=UTC))
    assert codec.read(xml.lift(codec.write(least))) == least


def test_children_are_written_in_schema_order_with_the_usual_prefixes() -> None:
    element = xml.lift(codec.write(FULL))
    assert [xml.local_name(child) for child in element] == [
        "Issuer",
        "Subject",
        "NameIDPolicy",
        "RequestedAuthnContext",
        "Scoping",
    ]
    assert {(each.prefix, xml.namespace_of(each)) for each in element.iter()} == {("samlp", SAMLP), ("saml", SAML)}
    assert element.get("Version") == "2.0"


def test_a_policy_without_format_or_permission_to_create_is_legal() -> None:
    assert read("<samlp:NameIDPolicy/>").name_id_policy == NameIDPolicy()
    policy = read("<samlp:NameIDPolicy AllowCreate='0'/>").name_id_policy
    assert policy is not None
    assert not policy.allow_create


def test_unknown_extensions_are_not_looked_into() -> None:
    inside = "<samlp:Extensions><x:y xmlns:x='urn:x' id='1'>text<z xmlns=''/></x:y></samlp:Extensions>"
    assert read(inside).id == "_1"


def test_unknown_attributes_are_ignored() -> None:
    assert read(attributes="xmlns:x='urn:x' x:y='z'").id == "_1"


def test_conditions_are_noticed() -> None:
    assert read("<saml:Conditions NotOnOrAfter='2026-03-04T10:00:00Z'/>").has_conditions


def test_an_issuer_may_say_that_it_is_an_entity() -> None:
    issuer = f"<saml:Issuer Format='{NameIDFormat.ENTITY}'>urn:sp</saml:Issuer>"
    assert read(issuer=issuer).issuer == "urn:sp"


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        ("xml.shape", "<samlp:NameIDPolicy/><samlp:NameIDPolicy/>"),
        ("xml.shape", "<samlp:NameIDPolicy/><saml:Subject><saml:NameID>a</saml:NameID></saml:Subject>"),
        ("xml.shape", "<saml:Assertion/>"),
        ("xml.shape", "<unknown/>"),
        ("xml.shape", "text"),
        ("request.subject", "<saml:Subject/>"),
        ("xml.shape", "<saml:Subject><saml:NameID>a</saml:NameID><saml:EncryptedID/></saml:Subject>"),
        ("xml.shape", "<saml:Subject><saml:SubjectConfirmation Method='urn:m'/><saml:BaseID/></saml:Subject>"),
        ("xml.text", "<saml:Subject><saml:NameID> </saml:NameID></saml:Subject>"),
        ("request.comparison", "<samlp:RequestedAuthnContext Comparison='best'/>"),
        (
            "request.authn_context",
            "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef>a</saml:AuthnContextClassRef>\
<saml:AuthnContextDeclRef>b</saml:AuthnContextDeclRef></samlp:RequestedAuthnContext>",
        ),
        ("xml.text", "<samlp:RequestedAuthnContext><saml:AuthnContextClassRef/></samlp:RequestedAuthnContext>"),
        ("xml.shape", "<samlp:Scoping><samlp:IDPList/></samlp:Scoping>"),
        ("xml.attribute", "<samlp:Scoping><samlp:IDPList><samlp:IDPEntry/></samlp:IDPList></samlp:Scoping>"),
        ("xml.attribute", "<samlp:Scoping ProxyCount='-1'/>"),
        ("xml.attribute", "<samlp:Scoping ProxyCount='+'/>"),
    ],
)
def test_other_content_is_malformed(rule: str, inside: str) -> None:
    assert rule_of(inside) == rule


@pytest.mark.parametrize(
    "attributes",
    [
        "AssertionConsumerServiceIndex='-1'",
        "AssertionConsumerServiceIndex='70000'",
        "AttributeConsumingServiceIndex='x'",
        "ForceAuthn='yes'",
        "IsPassive=''",
    ],
)
def test_attributes_have_the_types_of_the_schema(attributes: str) -> None:
    assert rule_of(attributes=attributes) == "xml.attribute"


def test_a_request_has_an_issuer_that_is_an_entity() -> None:
    assert rule_of(issuer="") == "xml.shape"
    assert rule_of(issuer="<saml:Issuer/>") == "xml.text"
    assert rule_of(issuer="<saml:Issuer>a<b/></saml:Issuer>") == "xml.text"
    assert rule_of(issuer=f"<saml:Issuer Format='{NameIDFormat.EMAIL}'>a@b</saml:Issuer>") == "message.issuer_format"


@pytest.mark.parametrize("missing", ["ID", "IssueInstant"])
def test_identifier_and_instant_are_required(missing: str) -> None:
    element = xml.lift(codec.write(FULL))
    del element.attrib[missing]
    with pytest.raises(FederationError):
        codec.read(element)


def test_another_element_is_no_request() -> None:
    with pytest.raises(Malformed) as caught:
        codec.read(etree.Element(f"{{{SAMLP}}}LogoutRequest"))
    assert caught.value.rule == "xml.root"
