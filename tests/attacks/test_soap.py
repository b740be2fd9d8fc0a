"""SOAP: an envelope holds one message in one place, whatever else an attacker puts into it."""

from collections.abc import Callable

import pytest
from lxml import etree

from federation.errors import FederationError
from federation.saml import xml
from federation.saml.bindings import soap
from tests.attacks import deliveries
from tests.attacks.test_wrapping_everywhere import KINDS, borrowed

ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"


def enveloped(*body: etree._Element, header: etree._Element | None = None) -> etree._Element:
    envelope = etree.Element(f"{ENVELOPE}Envelope")
    if header is not None:
        etree.SubElement(envelope, f"{ENVELOPE}Header").append(header)
    inside = etree.SubElement(envelope, f"{ENVELOPE}Body")
    inside.extend(body)
    return envelope


def beside() -> etree._Element:
    """A second body with the forged message."""
    kind = KINDS["LogoutRequest"]
    envelope = enveloped(kind.signed())
    etree.SubElement(envelope, f"{ENVELOPE}Body").append(kind.forged())
    return envelope


def in_header() -> etree._Element:
    """The original in the header, the forged one with its signature in the body."""
    kind = KINDS["LogoutRequest"]
    return enveloped(borrowed(kind), header=kind.signed())


def both_in_body(*, first: bool) -> etree._Element:
    """Both messages in the body."""
    kind = KINDS["LogoutRequest"]
    pair = [kind.forged(), kind.signed()]
    return enveloped(*(pair if first else reversed(pair)))


def envelope_in_envelope() -> etree._Element:
    """An envelope in the body of another."""
    return enveloped(enveloped(KINDS["LogoutRequest"].signed()))


def in_a_header_alone() -> etree._Element:
    """The message in the header, nothing in the body."""
    return enveloped(header=KINDS["LogoutRequest"].signed())


def in_a_fault() -> etree._Element:
    """The message as the detail of a fault."""
    fault = etree.Element(f"{ENVELOPE}Fault")
    etree.SubElement(fault, "detail").append(KINDS["LogoutRequest"].signed())
    return enveloped(fault)


def header_last() -> etree._Element:
    """A header behind the body."""
    envelope = enveloped(KINDS["LogoutRequest"].signed())
    etree.SubElement(envelope, f"{ENVELOPE}Header").append(KINDS["LogoutRequest"].forged())
    return envelope


def of_soap_1_2() -> etree._Element:
    """An envelope of another version."""
    root = etree.Element("{http://www.w3.org/2003/05/soap-envelope}Envelope")
    etree.SubElement(root, "{http://www.w3.org/2003/05/soap-envelope}Body").append(KINDS["LogoutRequest"].signed())
    return root


def without_envelope() -> etree._Element:
    """The bare message."""
    return KINDS["LogoutRequest"].signed()


@pytest.mark.parametrize(
    ("rule", "forge"),
    [
        ("soap.envelope", beside),
        ("signature.reference", in_header),
        ("soap.body", lambda: both_in_body(first=True)),
        ("soap.body", lambda: both_in_body(first=False)),
        ("soap.body", envelope_in_envelope),
        ("soap.body", in_a_header_alone),
        ("soap.fault", in_a_fault),
        ("soap.envelope", header_last),
        ("xml.root", of_soap_1_2),
        ("xml.root", without_envelope),
    ],
)
def test_an_envelope_holds_one_message_in_one_place(rule: str, forge: Callable[[], etree._Element]) -> None:
    with pytest.raises(FederationError) as caught:
        deliveries.read_logout(soap.decode(xml.serialise(forge())))
    assert caught.value.rule == rule
