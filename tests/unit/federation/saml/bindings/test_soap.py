"""SOAP carries exactly one message in its body, and nothing that demands more of us."""

import pytest

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.bindings import soap
from federation.saml.names import Binding

MESSAGE = b'<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1"/>'
ENVELOPE = soap.encode(MESSAGE)


def test_what_is_encoded_is_what_is_decoded() -> None:
    received = soap.decode(ENVELOPE)
    assert (received.binding, received.parameter) == (Binding.SOAP, "SAMLRequest")
    assert xml.canonical(xml.parse(received.xml)) == xml.canonical(xml.parse(MESSAGE))


def test_a_character_that_strays_into_the_envelope_does_no_harm() -> None:
    strayed = ENVELOPE.replace(b"<soap11:Body>", b"\\\n <soap11:Header/><soap11:Body>")
    assert soap.decode(strayed) == soap.decode(ENVELOPE)


def test_prefixes_of_the_envelope_stay_in_scope_for_the_message() -> None:
    envelope = (
        b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        b' xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"><s:Header><x xmlns="urn:x" s:mustUnderstand="0"/></s:Header>'
        b'<s:Body><p:ArtifactResponse ID="_1"/></s:Body></s:Envelope>'
    )
    received = soap.decode(envelope)
    assert received.parameter == "SAMLResponse"
    assert xml.parse(received.xml).tag.endswith("}ArtifactResponse")


@pytest.mark.parametrize(
    ("envelope", "rule"),
    [
        (MESSAGE, "xml.root"),
        (soap.encode(MESSAGE).split(b"<soap11:Body>")[0] + b"<soap11:Body/></soap11:Envelope>", "soap.body"),
        (soap.fault("Client", "no"), "soap.fault"),
        (ENVELOPE.replace(b"SAML:2.0:protocol", b"SAML:9.0:protocol"), "soap.body"),
        (
            ENVELOPE.replace(
                b"<soap11:Body>", b"<soap11:Header><x soap11:mustUnderstand='1'/></soap11:Header><soap11:Body>"
            ),
            "soap.header",
        ),
        (ENVELOPE.replace(b"<soap11:Body>", b"<x/><soap11:Body>"), "soap.envelope"),
        (b"<!DOCTYPE x []>" + ENVELOPE, "xml.doctype"),
    ],
)
def test_anything_but_one_message_is_refused(envelope: bytes, rule: str) -> None:
    with pytest.raises(Malformed) as caught:
        soap.decode(envelope)
    assert caught.value.rule == rule


def test_two_messages_in_one_body_are_refused() -> None:
    body = ENVELOPE[ENVELOPE.index(b"<soap11:Body>") + 13 : ENVELOPE.index(b"</soap11:Body>")]
    with pytest.raises(Malformed) as caught:
        soap.decode(ENVELOPE.replace(body, body + body))
    assert caught.value.rule == "soap.body"
