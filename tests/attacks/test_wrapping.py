"""Signature wrapping: what is verified is not what is read. Whatever the arrangement, nobody becomes mallory."""

from collections.abc import Callable

import pytest
from lxml import etree

from federation.errors import Refused
from federation.saml import xml
from federation.saml.names import SAML, SAMLP
from tests import factories, trees
from tests.attacks.forging import (
    MALLORY,
    A,
    D,
    P,
    assertion_in,
    copied,
    evil_assertion,
    evil_response,
    genuine,
    signature_in,
    without_signature,
)

Forgery = Callable[[], etree._Element]


def rule_of(document: etree._Element) -> str:
    with pytest.raises(Refused) as caught:
        factories.accept_response(xml.serialise(document))
    return caught.value.rule


def child(parent: etree._Element, tag: str, position: int | None = None) -> etree._Element:
    element = etree.Element(tag)
    parent.insert(len(parent) if position is None else position, element)
    return element


# The eight arrangements of "On Breaking SAML", and their mirror


def xsw1() -> etree._Element:
    """Forged response; the moved signature contains the original response."""
    original = genuine("response")
    forged = evil_response(evil_assertion())
    block = copied(signature_in(original))
    block.append(without_signature(original))
    forged.insert(1, block)
    return forged


def xsw2() -> etree._Element:
    """Forged response; original response and signature are siblings inside it."""
    original = genuine("response")
    forged = evil_response(evil_assertion())
    forged.insert(1, copied(signature_in(original)))
    forged.insert(1, without_signature(original))
    return forged


def xsw3() -> etree._Element:
    """Forged assertion before the signed one."""
    root = genuine()
    root.insert(root.index(assertion_in(root)), evil_assertion())
    return root


def xsw3_mirrored() -> etree._Element:
    """Forged assertion after the signed one."""
    root = genuine()
    root.append(evil_assertion())
    return root


def xsw4() -> etree._Element:
    """Forged assertion is the parent of the signed one."""
    root = genuine()
    forged = evil_assertion()
    forged.append(assertion_in(root))
    root.append(forged)
    return root


def xsw5() -> etree._Element:
    """Forged assertion carries the signature, the bare original follows."""
    root = genuine()
    original = assertion_in(root)
    forged = evil_assertion()
    forged.insert(1, signature_in(original))
    root.insert(root.index(original), forged)
    return root


def xsw6() -> etree._Element:
    """Forged assertion > signature > original."""
    root = genuine()
    original = assertion_in(root)
    forged = evil_assertion()
    block = signature_in(original)
    forged.insert(1, block)
    block.append(original)
    root.append(forged)
    return root


def xsw7() -> etree._Element:
    """Forged assertion in Extensions."""
    root = genuine()
    child(root, f"{P}Extensions", 1).append(evil_assertion())
    return root


def xsw8() -> etree._Element:
    """The original in an Object of the signature that the forged one shows."""
    root = genuine()
    original = assertion_in(root)
    forged = evil_assertion()
    block = signature_in(original)
    forged.insert(1, block)
    child(block, f"{D}Object").append(original)
    root.append(forged)
    return root


def parked(path: str) -> Forgery:
    """The original parked in a container of a forged response whose forged assertion shows its signature."""

    def forge() -> etree._Element:
        original = assertion_in(genuine())
        forged = evil_assertion()
        forged.insert(1, copied(signature_in(original)))
        root = evil_response(forged)
        place = {
            "Extensions": lambda: child(root, f"{P}Extensions", 1),
            "StatusDetail": lambda: child(root[1], f"{P}StatusDetail"),
            "Advice": lambda: child(forged, f"{A}Advice", 4),
            "SubjectConfirmationData": lambda: next(forged.iter(f"{A}SubjectConfirmationData")),
            "AttributeValue": lambda: next(forged.iter(f"{A}AttributeValue")),
            "KeyInfo": lambda: next(forged.iter(f"{D}KeyInfo")),
        }[path]()
        place.append(copied(original))
        return root

    return forge


def same_id(first: bool) -> Forgery:
    """Two elements with one ID: the resolver takes one, the reader the other."""

    def forge() -> etree._Element:
        root = genuine()
        root.insert(2 if first else 3, evil_assertion(factories.ASSERTION_ID))
        return root

    return forge


def foreign_root(tag: str) -> Forgery:
    """Another element as the document, the forged response inside, a genuine one beside it."""

    def forge() -> etree._Element:
        root = etree.Element(tag)
        root.append(evil_response(evil_assertion()))
        root.append(genuine("response"))
        return root

    return forge


@pytest.mark.parametrize(
    ("rule", "forge"),
    [
        ("response.assertions", xsw1),
        ("response.assertions", xsw2),
        ("response.one_assertion", xsw3),
        ("response.one_assertion", xsw3_mirrored),
        ("response.signatures", xsw4),
        ("response.one_assertion", xsw5),
        ("response.assertions", xsw6),
        ("response.assertions", xsw7),
        ("response.assertions", xsw8),
        ("response.signatures", parked("Extensions")),
        ("response.signatures", parked("StatusDetail")),
        ("signature.reference", parked("Advice")),
        ("response.signatures", parked("SubjectConfirmationData")),
        ("response.signatures", parked("AttributeValue")),
        ("response.signatures", parked("KeyInfo")),
        ("xml.ids", same_id(first=True)),
        ("xml.ids", same_id(first=False)),
        ("response.root", foreign_root("wrapper")),
        ("response.root", foreign_root("{http://schemas.xmlsoap.org/soap/envelope/}Envelope")),
        ("response.root", foreign_root(f"{P}LogoutResponse")),
        ("response.root", foreign_root(f"{P}ArtifactResponse")),
    ],
)
def test_wrapped_messages_are_refused(rule: str, forge: Forgery) -> None:
    assert rule_of(forge()) == rule


def test_an_advice_that_is_signed_by_somebody_is_only_advice() -> None:
    """The place where more assertions are legal is inside the signature and is never read."""
    original = genuine()
    forged = evil_assertion()
    child(forged, f"{A}Advice", 3).append(copied(assertion_in(original)))
    assert rule_of(evil_response(forged)) == "assertion.signed"


@pytest.mark.parametrize("position", [0, 1, 2, 3])
def test_a_second_signature_is_refused_wherever_it_stands(position: int) -> None:
    root = genuine("response")
    root.insert(position, copied(signature_in(root)))
    assert rule_of(root) == "signature.place"


def test_a_signed_error_is_no_carrier_for_an_assertion() -> None:
    """A signed response without assertion, with unsigned content in its signature or appended to it."""
    from federation.saml.codec import response as codec
    from federation.saml.messages import Status
    from federation.saml.names import StatusCode
    from federation.saml.signature import sign

    def error() -> etree._Element:
        element = xml.lift(codec.write(factories.envelope(status=Status(StatusCode.RESPONDER))))
        sign(element, key=factories.signing_key())
        return element

    in_object = error()
    child(signature_in(in_object), f"{D}Object").append(evil_assertion())
    assert rule_of(in_object) == "response.assertions"
    in_key_info = error()
    next(in_key_info.iter(f"{D}X509Data")).append(evil_assertion())
    assert rule_of(in_key_info) == "response.assertions"
    appended = error()
    appended.append(evil_assertion())
    assert rule_of(appended) == "signature.content"


@pytest.mark.parametrize("tag", [f"{P}AuthnRequest", f"{P}LogoutRequest", f"{P}LogoutResponse"])
def test_another_message_that_the_idp_signed_is_no_response(tag: str) -> None:
    from federation.saml.signature import sign

    element = trees.new(tag, {"samlp": SAMLP, "saml": SAML}, {"ID": "_1", "Version": "2.0"})
    trees.add(element, f"{A}Issuer", factories.IDP)
    element.append(evil_assertion())
    sign(element, key=factories.signing_key())
    assert rule_of(element) == "response.root"


def test_a_bare_assertion_is_no_response() -> None:
    assert rule_of(xml.lift(assertion_in(genuine()))) == "response.root"


def test_namespaces_are_part_of_names() -> None:
    root = evil_response(evil_assertion())
    document = xml.serialise(root).replace(SAMLP.encode(), b"urn:oasis:names:tc:SAML:2.0:protocol#")
    with pytest.raises(Refused) as caught:
        factories.accept_response(document)
    assert caught.value.rule == "response.root"
    root = genuine()
    forged = etree.Element("{urn:not-saml}Assertion")
    forged.extend(list(evil_assertion()))
    root.append(forged)
    assert rule_of(root) == "xml.shape"


def test_what_is_accepted_is_the_genuine_one() -> None:
    accepted = factories.accept_response(xml.serialise(genuine()))
    assert accepted.name_id is not None
    assert accepted.name_id.value != MALLORY
