"""A logout message ends sessions, so each is signed, addressed, fresh and from the partner whose sessions they are."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import certificates, encryption, signature, xml
from federation.saml.bindings import post, redirect, soap
from federation.saml.codec import logout as codec
from federation.saml.codec.common import A
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received, Status
from federation.saml.metadata.entity import Endpoint, Entity, KeyDescriptor, SPRole
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout
from federation.saml.profiles.logout import LogoutExpectations
from federation.saml.signature import SigningKey
from tests import trees

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
SP = "https://sp.test/saml/metadata"
IDP = "https://idp.test/saml/metadata"
SLO = "https://idp.test/saml/slo"
PRIVATE, CERTIFICATE = certificates.generate("sp", now=NOW, bits=2048)
OTHER_PRIVATE, OTHER_CERTIFICATE = certificates.generate("other", now=NOW, bits=2048)
KEY = SigningKey.from_pem(PRIVATE, CERTIFICATE)
OTHER_KEY = SigningKey.from_pem(OTHER_PRIVATE, OTHER_CERTIFICATE)
ROLE = SPRole(keys=(KeyDescriptor(use="signing", public_key=KEY.public_key),))
PARTNER = Entity(SP, sp=ROLE)
EXPECTED = LogoutExpectations(destination=SLO, partner=PARTNER, role=ROLE, now=NOW)
ANSWER_EXPECTED = replace(EXPECTED, request_id="_r1")

REQUEST = logout.build_request(
    id="_r1",
    issuer=SP,
    destination=SLO,
    name_id=NameID("_t1", NameIDFormat.TRANSIENT, name_qualifier=IDP, sp_name_qualifier=SP),
    session_indexes=["_s1"],
    now=NOW,
)
RESPONSE = logout.build_response(
    id="_a1", issuer=SP, destination=SLO, in_response_to="_r1", status=logout.SUCCESS, now=NOW
)


def by_redirect(message: LogoutRequest | LogoutResponse, key: SigningKey = KEY) -> Received:
    url = logout.send(message, binding=Binding.REDIRECT, key=key)
    assert isinstance(url, str)
    return redirect.decode(urlsplit(url).query.encode())


def by_post(message: LogoutRequest | LogoutResponse, key: SigningKey = KEY) -> Received:
    form = logout.send(message, binding=Binding.POST, key=key)
    assert isinstance(form, post.PostForm)
    return post.decode(form.fields)


def by_soap(message: LogoutRequest | LogoutResponse, key: SigningKey = KEY) -> Received:
    return soap.decode(logout.envelope(message, key=key))


WAYS = [by_redirect, by_post, by_soap]


def refused(rule: str, act: Callable[[], object]) -> None:
    with pytest.raises(Refused) as caught:
        act()
    assert caught.value.rule == rule


@pytest.mark.parametrize("way", WAYS)
def test_a_request_and_its_answer_are_accepted_by_every_binding(way: Callable[..., Received]) -> None:
    received = way(REQUEST)
    assert logout.issuer_of(received) == SP
    accepted = logout.accept_request(received, EXPECTED)
    assert accepted.request == REQUEST
    assert all(check.ok for check in accepted.checks)
    assert accepted.replay_until > NOW + EXPECTED.max_age
    answer = way(RESPONSE)
    assert logout.in_response_to_of(answer) == "_r1"
    assert logout.accept_response(answer, ANSWER_EXPECTED).outcome == "ended"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (replace(REQUEST, issuer="https://evil.test"), "logout.issuer"),
        (replace(REQUEST, destination="https://idp.test/saml/slo/"), "logout.destination"),
        (replace(REQUEST, issue_instant=NOW - timedelta(minutes=14)), "logout.issue_instant"),
        (replace(REQUEST, issue_instant=NOW + timedelta(minutes=4)), "logout.issue_instant"),
        (replace(REQUEST, not_on_or_after=NOW - timedelta(minutes=3)), "logout.not_on_or_after"),
    ],
)
def test_a_request_that_breaks_a_rule_is_refused_for_it(
    way: Callable[..., Received], message: LogoutRequest, rule: str
) -> None:
    refused(rule, lambda: logout.accept_request(way(message), EXPECTED))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.conformance("IIP-G01")
def test_a_clock_that_is_a_little_off_does_not_matter(way: Callable[..., Received]) -> None:
    for offset in (timedelta(minutes=2, seconds=59), timedelta(minutes=-12)):
        late = replace(REQUEST, issue_instant=NOW + offset, not_on_or_after=NOW - timedelta(minutes=2))
        assert logout.accept_request(way(late), EXPECTED)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (replace(RESPONSE, in_response_to="_other"), "logout.in_response_to"),
        (replace(RESPONSE, in_response_to=None), "logout.in_response_to"),
        (replace(RESPONSE, destination="https://elsewhere.test"), "logout.destination"),
        (replace(RESPONSE, issuer="https://evil.test"), "logout.issuer"),
    ],
)
def test_a_response_that_breaks_a_rule_is_refused_for_it(
    way: Callable[..., Received], message: LogoutResponse, rule: str
) -> None:
    refused(rule, lambda: logout.accept_response(way(message), ANSWER_EXPECTED))


def test_nobody_answers_a_request_that_was_not_made() -> None:
    refused("logout.in_response_to", lambda: logout.accept_response(by_post(RESPONSE), EXPECTED))


@pytest.mark.parametrize("way", WAYS)
def test_a_key_that_is_not_in_the_partners_metadata_signs_nothing(way: Callable[..., Received]) -> None:
    refused("signature.value", lambda: logout.accept_request(way(REQUEST, OTHER_KEY), EXPECTED))
    refused("signature.value", lambda: logout.accept_response(way(RESPONSE, OTHER_KEY), ANSWER_EXPECTED))


@pytest.mark.parametrize("way", WAYS)
def test_without_a_signature_nothing_ends(way: Callable[..., Received]) -> None:
    received = way(REQUEST)
    bare = received._replace(xml=xml.serialise(codec.write_request(REQUEST)), query_signature=None)
    refused("logout.signed", lambda: logout.accept_request(bare, EXPECTED))


def test_a_signature_inside_a_redirected_message_is_refused_even_when_it_verifies() -> None:
    element = xml.lift(codec.write_request(REQUEST))
    signature.sign(element, key=KEY)
    url = redirect.encode(xml.serialise(element), parameter="SAMLRequest", destination=SLO, key=KEY)
    received = redirect.decode(urlsplit(url).query.encode())
    refused("logout.embedded_signature", lambda: logout.accept_request(received, EXPECTED))


def test_a_signed_request_hidden_inside_a_forged_one_does_not_lend_its_signature() -> None:
    genuine = xml.parse(by_post(REQUEST).xml)
    forged = xml.lift(codec.write_request(replace(REQUEST, id="_forged", name_id=NameID("_victim"))))
    extensions = trees.add(forged, "{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    forged.insert(1, extensions)
    extensions.append(genuine)
    received = Received(Binding.POST, "SAMLRequest", xml.serialise(forged))
    refused("logout.signatures", lambda: logout.accept_request(received, EXPECTED))


def test_a_response_is_no_request_and_a_request_no_response() -> None:
    refused("logout.binding", lambda: logout.accept_request(by_post(RESPONSE), EXPECTED))
    relabelled = by_post(RESPONSE)._replace(parameter="SAMLRequest")
    refused("logout.root", lambda: logout.accept_request(relabelled, EXPECTED))
    refused("logout.binding", lambda: logout.accept_response(by_post(REQUEST), ANSWER_EXPECTED))


def test_a_partner_whose_metadata_has_expired_ends_nothing() -> None:
    expired = replace(PARTNER, valid_until=NOW - timedelta(seconds=1))
    refused(
        "logout.partner_metadata", lambda: logout.accept_request(by_post(REQUEST), replace(EXPECTED, partner=expired))
    )


@pytest.mark.parametrize("position", [0, 1])
def test_an_encrypted_identifier_is_opened_with_each_of_our_keys_in_turn(position: int) -> None:
    keys = [DecryptionKey.from_pem(PRIVATE), DecryptionKey.from_pem(OTHER_PRIVATE)]
    element = xml.lift(codec.write_request(REQUEST))
    name_id = element.find(f"{A}NameID")
    assert name_id is not None
    encrypted = trees.new(f"{A}EncryptedID", {})
    encrypted.append(
        xml.lift(encryption.encrypt(xml.lift(name_id), key=KeyDescriptor(None, keys[position].public_key)))
    )
    element.replace(name_id, encrypted)
    signature.sign(element, key=KEY)
    received = Received(Binding.POST, "SAMLRequest", xml.serialise(element))
    assert logout.accept_request(received, EXPECTED, decryption_keys=keys).request.name_id == REQUEST.name_id
    refused("encryption.opens", lambda: logout.accept_request(received, EXPECTED, decryption_keys=keys[:position]))


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (logout.SUCCESS, "ended"),
        (logout.PARTIAL, "partial"),
        (Status(StatusCode.RESPONDER, StatusCode.PARTIAL_LOGOUT), "partial"),
        (Status(StatusCode.REQUESTER, StatusCode.UNKNOWN_PRINCIPAL), "failed"),
    ],
)
def test_the_outcome_is_what_the_partner_says(status: Status, outcome: str) -> None:
    answer = by_post(replace(RESPONSE, status=status))
    assert logout.accept_response(answer, ANSWER_EXPECTED).outcome == outcome


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (REQUEST.name_id, True),
        (NameID("_t1"), True),
        (NameID("_t1", NameIDFormat.UNSPECIFIED), True),
        (NameID("_t1", NameIDFormat.TRANSIENT), True),
        (NameID("_T1", NameIDFormat.TRANSIENT), False),
        (NameID("_t1", NameIDFormat.PERSISTENT), False),
        (NameID("_t1", NameIDFormat.TRANSIENT, name_qualifier="https://other.test"), False),
        (NameID("_t1", NameIDFormat.TRANSIENT, sp_name_qualifier="https://other.test"), False),
    ],
)
def test_an_identifier_names_a_session_unless_something_it_says_differs(asked: NameID, named: bool) -> None:
    assert logout.names(asked, REQUEST.name_id) is named


@pytest.mark.parametrize(
    ("offered", "asked", "answered"),
    [
        ((Binding.POST, Binding.REDIRECT, Binding.SOAP), Binding.REDIRECT, Binding.REDIRECT),
        ((Binding.SOAP, Binding.POST), Binding.POST, Binding.POST),
        ((Binding.SOAP,), None, None),
        ((), None, None),
    ],
)
def test_a_partner_is_asked_and_answered_by_redirect_where_it_can_be(
    offered: tuple[str, ...], asked: str | None, answered: str | None
) -> None:
    role = SPRole(single_logout=tuple(Endpoint(binding, SLO, response_location=f"{SLO}/done") for binding in offered))
    assert logout.asked_at(role) == (Endpoint(asked, SLO) if asked else None)
    assert logout.answered_at(role) == (Endpoint(answered, f"{SLO}/done") if answered else None)


@pytest.mark.parametrize(
    "location", ["http://idp.test/slo", "javascript:alert(1)", "https://idp.test/slo?SAMLRequest="]
)
def test_no_browser_is_sent_to_an_unfit_address(location: str) -> None:
    unfit = Endpoint(Binding.REDIRECT, location)
    fit = Endpoint(Binding.POST, SLO)
    assert logout.asked_at(SPRole(single_logout=(unfit,))) is None
    assert logout.answered_at(SPRole(single_logout=(unfit, fit))) == fit


def test_what_cannot_be_sent_or_read_says_so() -> None:
    with pytest.raises(ConfigurationError):
        logout.send(REQUEST, binding=Binding.SOAP, key=KEY)
    with pytest.raises(ConfigurationError):
        logout.send(replace(REQUEST, destination=None), binding=Binding.POST, key=KEY)
    with pytest.raises(Malformed):
        logout.issuer_of(Received(Binding.POST, "SAMLRequest", b"<x/>"))
