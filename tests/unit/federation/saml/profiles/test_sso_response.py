"""A response is built and accepted as SAML Profiles 4.1.4.2 has it, in every legal shape."""

import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest
from lxml import etree

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import encryption, signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.codec.response import ENCRYPTED_ASSERTION
from federation.saml.messages import Attribute, NameID, RequestedAuthnContext, Status, SubjectConfirmation
from federation.saml.metadata.entity import Entity, KeyDescriptor
from federation.saml.names import SAML, AuthnContextClass, NameIDFormat, StatusCode
from federation.saml.profiles import sso_response
from federation.saml.profiles.refusals import StatusRefused
from tests import factories, trees
from tests.factories import accept_response, assertion, authn_statement, confirmation, envelope, signed_response

A = f"{{{SAML}}}"
MINUTE = timedelta(minutes=1)

# Building and accepting


@pytest.mark.conformance("IIP-IDP09", "SDP-IDP09", "SDP-IDP11")
def test_the_default_response_is_signed_and_its_assertion_encrypted() -> None:
    document = factories.response_xml()
    root = xml.parse(document)
    assert signature.is_signed(root)
    assert [element.tag for element in response_codec.assertions_in(root)] == [ENCRYPTED_ASSERTION]
    assert b"alice" not in document
    assert b"Alice" not in document


def test_what_the_idp_states_is_what_the_sp_reads() -> None:
    accepted = accept_response(factories.response_xml())
    assert accepted.name_id == NameID("_f81d", NameIDFormat.TRANSIENT, factories.IDP, factories.SP)
    assert accepted.attributes == factories.ATTRIBUTES
    assert accepted.session_index == "_session"
    assert accepted.session_not_on_or_after is None
    assert accepted.response == envelope()
    assert accepted.assertion == assertion(attributes=factories.ATTRIBUTES)
    assert all(check.ok for check in accepted.checks)
    assert all(check.reference for check in accepted.checks)


@pytest.mark.parametrize("sign_response", [True, False])
@pytest.mark.parametrize("sign_assertion", [True, False])
@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.conformance("IIP-SSO04", "SDP-SP10")
def test_every_way_to_sign_and_encrypt_is_accepted(sign_response: bool, sign_assertion: bool, encrypted: bool) -> None:
    key = factories.descriptor(factories.decryption_key(), "encryption") if encrypted else None
    document = factories.response_xml(sign_response=sign_response, sign_assertion=sign_assertion, encrypt_to=key)
    accepted = accept_response(document)
    names = [check.rule for check in accepted.checks if check.rule == "signature.value"]
    assert len(names) == max(1, sign_response + sign_assertion), "something is always signed"


def test_an_ec_key_signs_as_well() -> None:
    key = factories.ec_signing_key()
    document = factories.response_xml(signing_key=key, sign_assertion=True)
    assert accept_response(document, idp=factories.idp_entity(key))


@pytest.mark.conformance("IIP-IDP11")
def test_the_name_may_be_left_out() -> None:
    assert accept_response(factories.response_xml(name_id=None)).name_id is None


def test_values_are_escaped_by_the_tree() -> None:
    hostile = "</saml:AttributeValue><saml:AttributeValue>admin ]]> & \"'"
    attributes = (Attribute("urn:x", (hostile, " blank ", "\r\n\t", "\U0001f600")),)
    accepted = accept_response(factories.response_xml(attributes=attributes))
    assert accepted.attributes == attributes


def test_a_value_that_xml_cannot_carry_is_our_own_mistake() -> None:
    with pytest.raises(ConfigurationError):
        factories.response_xml(attributes=(Attribute("urn:x", ("\0",)),))


def test_an_error_is_told_with_its_status() -> None:
    status = Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED, "This person may not use this site.")
    document = sso_response.build_error(
        response_id=factories.RESPONSE_ID,
        issuer=factories.IDP,
        acs=factories.acs(),
        in_response_to=factories.REQUEST_ID,
        status=status,
        now=factories.NOW,
        signing_key=factories.signing_key(),
    ).octets
    with pytest.raises(StatusRefused) as caught:
        accept_response(document)
    assert caught.value.status == status
    assert caught.value.rule == "response.status"
    assert "signature.value" in [check.rule for check in caught.value.checks]


def test_an_error_is_for_us_and_for_this_request_too() -> None:
    status = Status(StatusCode.RESPONDER)
    for wrong in ({"destination": "https://other.example.net/acs"}, {"in_response_to": "_other"}, {"issuer": "urn:x"}):
        with pytest.raises(Refused) as caught:
            accept_response(xml.serialise(response_codec.write(envelope(status=status, **wrong))))
        assert not isinstance(caught.value, StatusRefused)


# Looking up


def test_issuer_and_request_are_read_to_look_them_up() -> None:
    received = factories.posted(factories.response_xml())
    assert sso_response.issuer_of(received) == factories.IDP
    assert sso_response.in_response_to_of(received) == factories.REQUEST_ID


def test_the_issuer_may_stand_in_the_assertion_alone() -> None:
    document = signed_response(inside=envelope(issuer=None), sign="assertion")
    assert sso_response.issuer_of(factories.posted(document)) == factories.IDP


def test_what_is_no_response_cannot_be_looked_up() -> None:
    for look_up in (sso_response.issuer_of, sso_response.in_response_to_of):
        with pytest.raises(Malformed):
            look_up(factories.posted(b"<x/>"))
    nothing = xml.serialise(response_codec.write(envelope(issuer=None, in_response_to=None)))
    assert sso_response.in_response_to_of(factories.posted(nothing)) is None
    with pytest.raises(Malformed):
        sso_response.issuer_of(factories.posted(nothing))


# Unsolicited


def test_an_unsolicited_response_is_accepted_where_allowed() -> None:
    document = factories.response_xml(in_response_to=None)
    assert accept_response(document, request_id=None, allow_unsolicited=True).response.in_response_to is None


def test_an_answer_to_a_request_of_ours_needs_no_permission_to_be_unsolicited() -> None:
    assert accept_response(factories.response_xml(), allow_unsolicited=True)


# Replay


def test_the_replay_key_names_the_assertion_of_this_issuer() -> None:
    accepted = accept_response(factories.response_xml())
    assert accepted.replay_key == hashlib.sha256(f"{factories.IDP}\n{factories.ASSERTION_ID}".encode()).hexdigest()


def test_the_replay_key_is_the_same_however_the_assertion_is_wrapped() -> None:
    first = factories.response_xml(sign_assertion=True)
    second = factories.response_xml(sign_assertion=True, response_id="_other", encrypt_to=None)
    assert accept_response(first).replay_key == accept_response(second).replay_key


def test_the_replay_key_is_kept_as_long_as_the_assertion_could_come_back() -> None:
    document = factories.response_xml(lifetime=timedelta(minutes=7))
    until = accept_response(document).replay_until
    assert until == factories.NOW + timedelta(minutes=10)
    with pytest.raises(Refused):
        accept_response(document, now=until)
    assert accept_response(document, now=until - timedelta(seconds=1))


# Legal but unusual


def test_one_of_several_confirmations_is_enough() -> None:
    confirmations = (
        SubjectConfirmation("urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
        confirmation(recipient="https://other.example.net/acs"),
        confirmation(address="192.0.2.1"),
    )
    assert accept_response(signed_response(assertion(subject_confirmations=confirmations)))


def test_one_confirmation_must_pass_every_rule_by_itself() -> None:
    confirmations = (
        confirmation(recipient="https://other.example.net/acs"),
        confirmation(not_on_or_after=factories.NOW - 10 * MINUTE),
    )
    with pytest.raises(Refused) as caught:
        accept_response(signed_response(assertion(subject_confirmations=confirmations)))
    assert caught.value.rule == "confirmation.recipient"


def test_several_restrictions_may_all_name_us() -> None:
    conditions = assertion().conditions
    assert conditions is not None
    restrictions = ((factories.OTHER_SP, factories.SP), (factories.SP,))
    whole = assertion(conditions=replace(conditions, audience_restrictions=restrictions))
    assert accept_response(signed_response(whole))


def test_conditions_may_have_no_window_and_may_be_for_one_use() -> None:
    conditions = assertion().conditions
    assert conditions is not None
    bare = replace(conditions, not_before=None, not_on_or_after=None, one_time_use=True, proxy_restriction=True)
    assert accept_response(signed_response(assertion(conditions=bare)))


def test_several_authentications_may_be_stated_and_the_latest_counts() -> None:
    statements = (
        authn_statement(session_index="old", authn_instant=factories.NOW - 60 * MINUTE),
        authn_statement(session_index="new", session_not_on_or_after=factories.NOW + 60 * MINUTE),
        authn_statement(
            session_index="older",
            authn_instant=factories.NOW - 90 * MINUTE,
            session_not_on_or_after=factories.NOW + 30 * MINUTE,
        ),
    )
    accepted = accept_response(signed_response(assertion(authn_statements=statements)))
    assert accepted.session_index == "new"
    assert accepted.session_not_on_or_after == factories.NOW + 30 * MINUTE, "the earliest end counts"


def test_an_unsigned_response_around_a_signed_assertion_may_leave_out_issuer_and_destination() -> None:
    bare = envelope(issuer=None, destination=None)
    assert accept_response(signed_response(inside=bare, sign="assertion"))


@pytest.mark.conformance("IIP-EXT01")
def test_advice_may_hold_whatever_it_likes() -> None:
    evidence = xml.lift(assertion_codec.write(assertion(id="_evidence", issuer="urn:somebody")))
    signature.sign(evidence, key=factories.signing_key("somebody"))

    def advise(element: etree._Element) -> None:
        advice = etree.Element(f"{A}Advice")
        advice.append(evidence)
        etree.SubElement(advice, "{urn:x}anything", x="y")
        element.insert(3, advice)

    for sign in ("response", "assertion", "both"):
        document = signed_response(sign=sign, change_assertion=advise)
        assert accept_response(document).assertion.issuer == factories.IDP
    assert accept_response(encrypted_response(change=advise)).assertion.issuer == factories.IDP


def encrypted_response(change: factories.Change | None = None, *, sign: str = "response") -> bytes:
    element = xml.lift(assertion_codec.write(assertion()))
    if change is not None:
        change(element)
    if sign == "assertion":
        signature.sign(element, key=factories.signing_key())
    wrapper = trees.new(ENCRYPTED_ASSERTION, {"saml": SAML})
    key = factories.descriptor(factories.decryption_key(), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(element, key=key)))
    root = trees.response(envelope(), wrapper)
    if sign == "response":
        signature.sign(root, key=factories.signing_key())
    return xml.serialise(root)


def test_a_signed_response_with_an_unsigned_encrypted_assertion_is_fine() -> None:
    assert accept_response(encrypted_response())


@pytest.mark.conformance("IIP-EXT01")
def test_unknown_extensions_change_nothing() -> None:
    def extend(root: etree._Element) -> None:
        extensions = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
        etree.SubElement(extensions, "{urn:x}anything", id="7").text = "text"
        root.insert(1, extensions)
        root.set("{urn:x}attribute", "x")

    assert accept_response(signed_response(change=extend))


def test_comments_added_on_the_way_change_nothing() -> None:
    document = signed_response().replace(b"Alice Archer", b"Alice <!-- hello -->Archer")
    assert accept_response(document).attributes[0].values == ("Alice Archer",)


def test_the_document_may_come_in_utf_16() -> None:
    document = "<?xml version='1.0' encoding='UTF-16'?>" + signed_response().decode()
    assert accept_response(document.encode("utf-16"))


@pytest.mark.conformance("IIP-MD07", "IIP-SP08", "SDP-SP37", "SDP-SP38")
def test_several_signing_keys_and_several_decryption_keys_are_tried() -> None:
    idp = factories.idp_entity(factories.signing_key("next"), factories.signing_key())
    keys = (factories.decryption_key("next"), factories.decryption_key())
    assert accept_response(factories.response_xml(), idp=idp, decryption_keys=keys)


def test_a_key_without_use_signs_too() -> None:
    idp = factories.idp_entity(keys=(KeyDescriptor(None, factories.signing_key().public_key),))
    assert accept_response(factories.response_xml(), idp=idp)


# Context


@pytest.mark.conformance("IIP-SP07")
def test_the_requested_authentication_context_came_back() -> None:
    wanted = (AuthnContextClass.REFEDS_MFA, AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT)
    assert accept_response(factories.response_xml(), requested_authn_context=RequestedAuthnContext(wanted))


def test_a_forced_sign_in_was_after_the_request() -> None:
    document = factories.response_xml(authn_instant=factories.NOW)
    assert accept_response(document, force_authn=True, request_instant=factories.NOW - MINUTE)


def test_expectations_that_cannot_be_checked_are_our_own_mistake() -> None:
    with pytest.raises(ConfigurationError):
        factories.expectations(force_authn=True)
    with pytest.raises(ConfigurationError):
        factories.expectations(idp=Entity(factories.IDP))


@pytest.mark.conformance("IIP-G01", "SDP-G01")
def test_clocks_may_differ_by_the_skew_and_no_more() -> None:
    document = factories.response_xml()
    latest = factories.NOW + timedelta(minutes=8)
    assert accept_response(document, now=factories.NOW - 3 * MINUTE)
    assert accept_response(document, now=latest - timedelta(seconds=1))
    for now in (factories.NOW - 3 * MINUTE - timedelta(seconds=1), latest):
        with pytest.raises(Refused):
            accept_response(document, now=now)


# Encrypted parts


@pytest.mark.parametrize(
    "parts", [("name-id",), ("attributes",), ("name-id", "attributes"), ("assertion", "name-id", "attributes")]
)
@pytest.mark.parametrize("sign_assertion", [True, False])
@pytest.mark.conformance("IIP-IDP09", "IIP-SP08")
def test_names_and_attributes_may_be_encrypted_one_by_one(parts: tuple[str, ...], sign_assertion: bool) -> None:
    document = factories.response_xml(encrypt=parts, sign_assertion=sign_assertion)
    for part, tag in (("name-id", b"EncryptedID"), ("attributes", b"EncryptedAttribute")):
        assert (tag in document) == (part in parts and "assertion" not in parts)
    keys = (factories.decryption_key("other"), factories.decryption_key())
    accepted = factories.accept_response(document, decryption_keys=keys)
    plain = factories.accept_response(factories.response_xml())
    assert (accepted.name_id, accepted.attributes) == (plain.name_id, plain.attributes)
    with pytest.raises(Refused) as caught:
        factories.accept_response(document, decryption_keys=(factories.decryption_key("other"),))
    assert caught.value.rule == "encryption.opens"
