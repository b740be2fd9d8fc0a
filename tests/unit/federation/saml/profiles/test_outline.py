"""An outline shows how a message is made and nothing that it says about a person."""

from __future__ import annotations

import json

import pytest

from federation.saml import certificates
from federation.saml.messages import Attribute, NameID, Received, Status
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import outline, sso_response
from tests import factories


def outlined(document: bytes) -> dict[str, object]:
    return outline.of(Received(Binding.POST, "SAMLResponse", document))


def test_structure_and_plain_facts_are_shown_and_values_are_masked() -> None:
    document = factories.response_xml(
        name_id=NameID("alice-secret-name", NameIDFormat.PERSISTENT),
        attributes=(Attribute("mail", ("alice@secret.example",)),),
        session_index="session-secret",
        encrypt_to=None,
    )
    shown = outlined(document)
    text = json.dumps(shown)
    assert shown["kind"] == "Response"
    assert shown["issuer"] == factories.IDP
    for plain in (factories.SP, factories.ACS_URL, NameIDFormat.PERSISTENT, "AuthnInstant", '"mail"'):
        assert plain in text
    assert "secret" not in text
    lines = {line["name"]: line for line in shown["lines"]}
    assert lines["NameID"]["text"] == lines["AttributeValue"]["text"] == outline.MASKED
    assert "SignatureValue" not in lines


def test_a_certificate_is_shown_by_its_fingerprint() -> None:
    shown = outlined(factories.response_xml())
    expected = certificates.fingerprint(certificates.load_certificate(factories.key_pair("idp")[1]))
    assert outline.certificates_in(shown) == [expected]


def test_what_nobody_knows_is_masked_and_what_cannot_be_read_has_no_lines() -> None:
    shown = outlined(b'<a xmlns="urn:x" secret="s1" ID="plain"><b>s2</b><X509Certificate>!</X509Certificate></a>')
    assert "s1" not in json.dumps(shown)
    assert "s2" not in json.dumps(shown)
    assert shown["id"] == "plain"
    assert outlined(b"<broken")["lines"] == []


def test_a_long_message_is_cut() -> None:
    shown = outlined(b"<a>" + b"<b/>" * 400 + b"</a>")
    assert len(shown["lines"]) == outline.MAX_LINES + 1
    assert "and more" in json.dumps(shown)
    wordy = outlined(b"<a>" + b'<Issuer ID="%s"/>' % (b"x" * 5000) * 70 + b"</a>")
    assert len(json.dumps(wordy)) < 2 * outline.MAX_OCTETS


@pytest.mark.parametrize("encrypt", [(), ("assertion",), ("name-id", "attributes")])
@pytest.mark.parametrize("sign_assertion", [True, False])
def test_what_we_send_is_outlined_as_whoever_receives_it_would_see_it(
    encrypt: tuple[str, ...], sign_assertion: bool
) -> None:
    sent = factories.response(encrypt=encrypt, sign_assertion=sign_assertion)
    shown = json.loads(sent.outline)
    assert shown == outlined(sent.octets) | {"direction": "sent"}
    assert len(shown["lines"]) > 10


def test_an_error_and_a_request_of_ours_are_outlined_so_too() -> None:
    error = sso_response.build_error(
        response_id=factories.RESPONSE_ID,
        issuer=factories.IDP,
        acs=factories.acs(),
        in_response_to=None,
        status=Status(StatusCode.RESPONDER, StatusCode.NO_PASSIVE, "Nobody is here."),
        now=factories.NOW,
        signing_key=factories.signing_key(),
    )
    assert json.loads(error.outline) == outlined(error.octets) | {"direction": "sent"}


def test_a_long_message_of_ours_is_cut_as_one_that_comes() -> None:
    many = factories.response(attributes=(Attribute("groups", tuple(map(str, range(200)))),), encrypt=())
    wordy = factories.response(
        attributes=(Attribute("n" * 400, ("v" * 20_000, " ", "")),), audience="a" * 400, encrypt=()
    )
    proxied = factories.response(authenticating_authorities=[f"urn:authority:{index}" for index in range(100)])
    for sent in (many, wordy, proxied):
        assert json.loads(sent.outline) == outlined(sent.octets) | {"direction": "sent"}
