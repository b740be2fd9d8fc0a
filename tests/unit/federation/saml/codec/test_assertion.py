"""Assertions are written in schema order and read whole; what is not understood is noticed or knowingly left aside."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from federation.errors import Malformed
from federation.saml import encryption, xml
from federation.saml.codec import assertion as codec
from federation.saml.messages import Assertion, Attribute, NameID, SubjectConfirmation
from federation.saml.names import SAML, XSI, NameIDFormat
from tests import factories, trees

A = f"{{{SAML}}}"
HEAD = (
    f"<saml:Assertion xmlns:saml='{SAML}' xmlns:xsi='{XSI}' xmlns:xs='http://www.w3.org/2001/XMLSchema' ID='_1' "
    "Version='2.0' IssueInstant='2026-03-04T10:00:00Z'><saml:Issuer>urn:idp</saml:Issuer>"
)


def read(inside: str) -> Assertion:
    return codec.read(xml.parse(f"{HEAD}{inside}</saml:Assertion>".encode()))


def rule_of(inside: str) -> str:
    with pytest.raises(Malformed) as caught:
        read(inside)
    return caught.value.rule


def values(inside: str) -> tuple[str, ...]:
    statement = f"<saml:AttributeStatement><saml:Attribute Name='a'>{inside}</saml:Attribute></saml:AttributeStatement>"
    return read(statement).attributes[0].values


def test_what_is_written_is_read() -> None:
    whole = factories.assertion()
    assert codec.read(xml.reparse(xml.serialise(codec.write(whole)))) == whole


def test_everything_that_can_be_said_is_written_and_read() -> None:
    statement = factories.authn_statement(
        session_not_on_or_after=factories.NOW + timedelta(hours=8), authenticating_authorities=("urn:a", "urn:b")
    )
    whole = factories.assertion(
        name_id=NameID("x", NameIDFormat.PERSISTENT, "q", "s", "p"),
        subject_confirmations=(
            factories.confirmation(not_before=factories.NOW, address="192.0.2.1"),
            SubjectConfirmation("urn:other"),
        ),
        conditions=replace(
            factories.assertion().conditions,  # type: ignore[type-var]
            audience_restrictions=(("urn:a", "urn:b"), ("urn:c",)),
            one_time_use=True,
            proxy_restriction=True,
        ),
        authn_statements=(statement,),
        attributes=(Attribute("empty", ()), Attribute("blank", ("", " "))),
    )
    assert codec.read(xml.reparse(xml.serialise(codec.write(whole)))) == whole


def test_children_are_written_in_schema_order_and_values_without_types() -> None:
    element = xml.lift(codec.write(factories.assertion()))
    names = ["Issuer", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"]
    assert [xml.local_name(child) for child in element] == names
    assert b"xsi" not in xml.serialise(element)


def test_an_assertion_may_say_next_to_nothing() -> None:
    least = read("")
    assert (least.name_id, least.conditions, least.attributes) == (None, None, ())
    assert codec.read(xml.lift(codec.write(least))) == least


def test_advice_and_other_statements_are_not_looked_into() -> None:
    inside = (
        "<saml:Advice><saml:AssertionIDRef>_x</saml:AssertionIDRef><x xmlns='urn:x'/></saml:Advice>"
        "<saml:Statement xsi:type='x'/><saml:AuthzDecisionStatement Resource='x' Decision='Permit'/>"
    )
    assert read(inside).id == "_1"


# Conditions


def test_every_audience_restriction_is_kept_apart() -> None:
    inside = "<saml:AudienceRestriction><saml:Audience>\n urn:a </saml:Audience></saml:AudienceRestriction>"
    conditions = read(f"<saml:Conditions>{inside * 2}</saml:Conditions>").conditions
    assert conditions is not None
    assert conditions.audience_restrictions == (("urn:a",), ("urn:a",))


@pytest.mark.parametrize(
    ("condition", "name"),
    [
        ("<saml:Condition xsi:type='x:Delegation' xmlns:x='urn:x'/>", "x:Delegation"),
        ("<x:Own xmlns:x='urn:x'/>", "Own"),
        ("<saml:OneTimeUse/><saml:OneTimeUse/>", "OneTimeUse"),
    ],
)
def test_unknown_conditions_are_noticed(condition: str, name: str) -> None:
    conditions = read(f"<saml:Conditions>{condition}</saml:Conditions>").conditions
    assert conditions is not None
    assert conditions.unknown == (name,)


def test_an_audience_restriction_names_somebody() -> None:
    assert rule_of("<saml:Conditions><saml:AudienceRestriction/></saml:Conditions>") == "xml.shape"


# Subject


def test_a_name_is_read_whole_even_when_comments_were_in_it() -> None:
    name_id = read("<saml:Subject><saml:NameID>admin<!-- -->.evil</saml:NameID></saml:Subject>").name_id
    assert name_id == NameID("admin.evil")


@pytest.mark.parametrize(
    "name", ["<saml:NameID/>", "<saml:NameID> </saml:NameID>", "<saml:NameID>a<b/>c</saml:NameID>"]
)
def test_a_name_is_one_text_and_not_blank(name: str) -> None:
    assert rule_of(f"<saml:Subject>{name}</saml:Subject>") == "xml.text"


def test_there_is_one_subject_with_one_identifier() -> None:
    name = "<saml:NameID>a</saml:NameID>"
    assert rule_of(f"<saml:Subject>{name}{name}</saml:Subject>") == "xml.shape"
    assert rule_of(f"<saml:Subject>{name}</saml:Subject><saml:Subject>{name}</saml:Subject>") == "xml.shape"
    assert rule_of("<saml:Subject><saml:BaseID/></saml:Subject>") == "xml.shape"


def test_a_confirmation_may_hold_keys_or_whatever_its_method_needs() -> None:
    data = "<saml:SubjectConfirmationData><x xmlns='urn:x'/></saml:SubjectConfirmationData>"
    inside = f"<saml:Subject><saml:SubjectConfirmation Method='urn:m'>{data}</saml:SubjectConfirmation></saml:Subject>"
    assert read(inside).subject_confirmations == (SubjectConfirmation("urn:m"),)


# Attributes


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("", ()),
        ("<saml:AttributeValue>x</saml:AttributeValue>", ("x",)),
        ("<saml:AttributeValue xsi:type='xs:string'>x</saml:AttributeValue>", ("x",)),
        ("<saml:AttributeValue xsi:type='xs:anyURI'> x </saml:AttributeValue>", (" x ",)),
        ("<saml:AttributeValue/>", ("",)),
        ("<saml:AttributeValue xsi:nil='true'/>", ()),
        ("<saml:AttributeValue>admin<!-- -->.evil</saml:AttributeValue>", ("admin.evil",)),
        ("<saml:AttributeValue> <saml:NameID>opaque</saml:NameID>\n</saml:AttributeValue>", ("opaque",)),
        ("<saml:AttributeValue>a<b/>c</saml:AttributeValue><saml:AttributeValue>x</saml:AttributeValue>", ("x",)),
        ("<saml:AttributeValue>a<saml:NameID>b</saml:NameID></saml:AttributeValue>", ()),
        ("<saml:AttributeValue><x><y>z</y></x></saml:AttributeValue>", ()),
    ],
)
@pytest.mark.conformance("IIP-SP02")
def test_values_are_read_as_text_or_not_at_all(inside: str, expected: tuple[str, ...]) -> None:
    assert values(inside) == expected


@pytest.mark.conformance("IIP-SP01")
def test_any_name_and_format_will_do() -> None:
    statement = "<saml:Attribute Name='any thing' NameFormat='urn:any' FriendlyName='f' x:y='z' xmlns:x='urn:x'/>"
    attribute = read(f"<saml:AttributeStatement>{statement}</saml:AttributeStatement>").attributes[0]
    assert attribute == Attribute("any thing", (), "urn:any", "f")


def test_several_statements_add_up() -> None:
    one = "<saml:AttributeStatement><saml:Attribute Name='a'/></saml:AttributeStatement>"
    assert [attribute.name for attribute in read(one * 2).attributes] == ["a", "a"]


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        ("xml.shape", "<saml:AttributeStatement/>"),
        ("xml.attribute", "<saml:AttributeStatement><saml:Attribute/></saml:AttributeStatement>"),
        (
            "xml.shape",
            "<saml:AttributeStatement><saml:Attribute Name='a'><x/></saml:Attribute></saml:AttributeStatement>",
        ),
        ("xml.shape", "<saml:AuthnStatement AuthnInstant='2026-03-04T10:00:00Z'/>"),
        ("xml.attribute", "<saml:AuthnStatement><saml:AuthnContext/></saml:AuthnStatement>"),
        ("times.instant", "<saml:Conditions NotBefore='yesterday'/>"),
        ("xml.shape", "<saml:Conditions/><saml:Subject/>"),
        ("xml.shape", "<saml:Assertion/>"),
    ],
)
def test_other_content_is_malformed(rule: str, inside: str) -> None:
    assert rule_of(inside) == rule


# Encrypted parts


def encrypted(tag: str, content: etree._Element) -> etree._Element:
    wrapper = trees.new(tag, {"saml": SAML})
    key = factories.descriptor(factories.decryption_key(), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(content, key=key)))
    return wrapper


def opener(*names: str) -> Callable[[etree._Element], etree._Element]:
    keys = [factories.decryption_key(name) for name in names]
    return lambda element: encryption.decrypt(element, keys)


def with_encrypted_parts() -> etree._Element:
    element = xml.lift(codec.write(factories.assertion()))
    name_id, attribute = element.find(f".//{A}NameID"), element.find(f".//{A}Attribute")
    for found, tag in ((name_id, f"{A}EncryptedID"), (attribute, f"{A}EncryptedAttribute")):
        assert found is not None
        parent = found.getparent()
        assert parent is not None
        parent.replace(found, encrypted(tag, xml.lift(found)))
    return xml.reparse(xml.serialise(element))


def test_encrypted_parts_are_opened() -> None:
    whole = codec.read(with_encrypted_parts(), open_encrypted=opener("old", "sp-encryption"))
    assert whole == factories.assertion()


def test_encrypted_parts_that_cannot_be_opened_are_never_taken_for_absent() -> None:
    with pytest.raises(Malformed) as caught:
        codec.read(with_encrypted_parts())
    assert caught.value.rule == "assertion.encrypted"


def test_an_encrypted_identifier_holds_an_identifier() -> None:
    element = xml.lift(codec.write(factories.assertion(attributes=())))
    subject = element.find(f"{A}Subject")
    assert subject is not None
    subject.replace(subject[0], encrypted(f"{A}EncryptedID", xml.parse(b"<other/>")))
    with pytest.raises(Malformed) as caught:
        codec.read(element, open_encrypted=opener("sp-encryption"))
    assert caught.value.rule == "xml.root"
