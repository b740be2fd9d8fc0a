"""Anybody can encrypt to a service provider: encryption hides, and proves nothing."""

import base64
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from federation.errors import Refused
from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.names import SAML, SAMLP, XENC
from tests import factories, trees
from tests.attacks.forging import (
    A,
    D,
    P,
    assertion_in,
    copied,
    encrypted,
    evil_assertion,
    evil_response,
    genuine,
    signed_around,
)
from tests.factories import accept_response, assertion, envelope

X = f"{{{XENC}}}"


def rule_of(document: bytes | etree._Element, **expected: object) -> str:
    with pytest.raises(Refused) as caught:
        accept_response(document, **expected)
    return caught.value.rule


def signed_assertion() -> etree._Element:
    element = xml.lift(assertion_codec.write(assertion()))
    signature.sign(element, key=factories.signing_key())
    return element


# Injection


def test_an_assertion_encrypted_by_anybody_is_not_believed() -> None:
    assert rule_of(evil_response(encrypted(evil_assertion()))) == "assertion.signed"


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("genuine_one", ["plain", "encrypted"])
def test_an_assertion_injected_beside_a_genuine_one_is_refused(first: bool, genuine_one: str) -> None:
    kept = signed_assertion() if genuine_one == "plain" else encrypted(signed_assertion())
    pair = [encrypted(evil_assertion()), kept]
    assert rule_of(evil_response(*(pair if first else reversed(pair)))) == "response.one_assertion"


def test_a_genuine_plain_assertion_cannot_be_swapped_for_an_encrypted_one() -> None:
    root = genuine("response")
    root.replace(assertion_in(root), encrypted(evil_assertion()))
    assert rule_of(root) == "signature.content"


def test_a_genuine_assertion_may_be_encrypted_by_whoever_carries_it_and_is_still_the_genuine_one() -> None:
    root = evil_response(encrypted(signed_assertion()))
    accepted = accept_response(root)
    assert accepted.name_id == assertion().name_id
    assert accepted.replay_key == accept_response(genuine()).replay_key, "so it cannot be used twice either"


def test_a_signature_of_somebody_else_inside_is_refused() -> None:
    element = evil_assertion()
    signature.sign(element, key=factories.signing_key("mallory"))
    assert rule_of(evil_response(encrypted(element))) == "signature.value"


# What comes out is as hostile as what comes in


def both(*elements: etree._Element) -> bytes:
    return b"".join(xml.serialise(element) for element in elements)


def wrapping() -> etree._Element:
    """A forged assertion around the genuine signed one."""
    forged = evil_assertion()
    forged.append(signed_assertion())
    return forged


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (lambda: both(evil_assertion(), signed_assertion()), "encryption.opens"),
        (lambda: b"<x>" + both(evil_assertion(), signed_assertion()) + b"</x>", "assertion.root"),
        (lambda: evil_response(signed_assertion()), "assertion.root"),
        (lambda: encrypted(signed_assertion()), "assertion.root"),
        (wrapping, "assertion.assertions"),
        (lambda: b"<!DOCTYPE x [<!ENTITY e 'x'>]>" + xml.serialise(signed_assertion()), "encryption.opens"),
        (lambda: xml.serialise(signed_assertion()).replace(b">_f81d<", b">_f8<?x y?>1d<"), "encryption.opens"),
        (lambda: xml.serialise(signed_assertion()).replace(b">_f81d<", b">admin<"), "signature.content"),
        (lambda: b"text", "encryption.opens"),
        (lambda: b"", "encryption.opens"),
    ],
)
def test_the_plaintext_passes_every_check_again(content: Callable[[], etree._Element | bytes], rule: str) -> None:
    assert rule_of(evil_response(encrypted(content()))) == rule


def test_identifiers_are_unique_across_the_ciphertext() -> None:
    element = xml.lift(assertion_codec.write(assertion(id=factories.RESPONSE_ID)))
    assert rule_of(signed_around(encrypted(element))) == "xml.ids"
    element = xml.lift(assertion_codec.write(assertion(id="_data")))
    document = signed_around(encrypted(element, lambda wrapper: wrapper[0].set("Id", "_data")))
    assert rule_of(document) == "xml.ids"


def test_an_assertion_is_not_read_from_a_comment_closed_in_the_ciphertext() -> None:
    """Text around the plaintext cannot open or close anything: it is a document of its own."""
    assert (
        rule_of(evil_response(encrypted(b"--></surroundings>" + xml.serialise(signed_assertion()))))
        == "encryption.opens"
    )


# Methods


def put(tag: str, attribute: str, value: str, position: int = 0) -> Callable[[etree._Element], None]:
    return lambda wrapper: list(wrapper.iter(tag))[position].set(attribute, value)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("encryption.method", put(f"{X}EncryptionMethod", "Algorithm", f"{XENC}aes256-cbc")),
        ("encryption.method", put(f"{X}EncryptionMethod", "Algorithm", f"{XENC}tripledes-cbc")),
        ("encryption.key_transport", put(f"{X}EncryptionMethod", "Algorithm", f"{XENC}rsa-1_5", 1)),
        ("encryption.key_transport", put(f"{X}EncryptionMethod", "Algorithm", f"{XENC}kw-aes256", 1)),
    ],
)
def test_methods_with_known_attacks_are_refused_even_when_signed(
    rule: str, change: Callable[[etree._Element], None]
) -> None:
    assert rule_of(signed_around(encrypted(signed_assertion(), change))) == rule


@pytest.mark.parametrize("length", [0, 1, 4, 8, 12, 15])
def test_a_shortened_tag_is_refused(length: int) -> None:
    def shorten(wrapper: etree._Element) -> None:
        value = list(wrapper.iter(f"{X}CipherValue"))[1]
        sealed = base64.b64decode(value.text or "")
        value.text = factories.base64_text(sealed[: len(sealed) - 16 + length])

    assert rule_of(signed_around(encrypted(signed_assertion(), shorten))) == "encryption.opens"


@pytest.mark.parametrize("position", range(0, 60, 7))
def test_a_changed_octet_anywhere_in_the_ciphertext_is_refused(position: int) -> None:
    def change(wrapper: etree._Element) -> None:
        value = list(wrapper.iter(f"{X}CipherValue"))[1]
        sealed = bytearray(base64.b64decode(value.text or ""))
        sealed[position * len(sealed) // 60] ^= 0x40
        value.text = factories.base64_text(bytes(sealed))

    assert rule_of(signed_around(encrypted(signed_assertion(), change))) == "encryption.opens"


def test_a_content_key_of_another_size_opens_nothing() -> None:
    def rewrap(wrapper: etree._Element) -> None:
        public = serialization.load_der_public_key(factories.decryption_key().public_key)
        assert isinstance(public, rsa.RSAPublicKey)
        oaep = padding.OAEP(mgf=padding.MGF1(hashes.SHA1()), algorithm=hashes.SHA1(), label=None)
        values = list(wrapper.iter(f"{X}CipherValue"))
        values[0].text = factories.base64_text(public.encrypt(b"k" * 16, oaep))
        sealed = b"n" * 12 + AESGCM(b"k" * 16).encrypt(b"n" * 12, xml.serialise(signed_assertion()), None)
        values[1].text = factories.base64_text(sealed)

    assert rule_of(signed_around(encrypted(signed_assertion(), rewrap))) == "encryption.opens"


# Fetching


@pytest.mark.parametrize("uri", ["file:///etc/passwd", "http://127.0.0.1:9/", "#_elsewhere", ""])
@pytest.mark.parametrize("position", [0, 1])
def test_a_value_to_be_fetched_is_refused(uri: str, position: int) -> None:
    def refer(wrapper: etree._Element) -> None:
        holder = list(wrapper.iter(f"{X}CipherData"))[position]
        reference = etree.Element(f"{X}CipherReference", URI=uri)
        transforms = etree.SubElement(reference, f"{X}Transforms")
        etree.SubElement(transforms, f"{D}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116")
        holder.replace(holder[0], reference)

    assert rule_of(evil_response(encrypted(evil_assertion(), refer))) == "encryption.inline"


def test_many_wrapped_keys_are_not_tried() -> None:
    def repeat(wrapper: etree._Element) -> None:
        holder = next(wrapper.iter(f"{D}KeyInfo"))
        for _ in range(1000):
            holder.append(copied(holder[0]))

    assert rule_of(evil_response(encrypted(evil_assertion(), repeat))) == "encryption.keys"


def test_the_answer_to_a_failed_decryption_tells_nothing() -> None:
    """Wrong key, wrong tag, wrong plaintext: one and the same check, so that nobody learns by asking."""
    refusals = []
    for content, keys in (
        (xml.serialise(signed_assertion()), (factories.decryption_key("other"),)),
        (b"no document", (factories.decryption_key(),)),
        (b"<a>", ()),
    ):
        with pytest.raises(Refused) as caught:
            accept_response(evil_response(encrypted(content)), decryption_keys=keys)
        refusals.append(caught.value.failed)
    assert len(set(refusals)) == 1


# Encrypted identifiers and attributes


def test_encrypted_parts_of_a_signed_assertion_are_read() -> None:
    def encrypt_name(element: etree._Element) -> None:
        subject = element.find(f"{A}Subject")
        assert subject is not None
        wrapper = trees.new(f"{A}EncryptedID", {"saml": SAML})
        wrapper.append(encrypted(xml.lift(subject[0]))[0])
        subject.replace(subject[0], wrapper)

    accepted = accept_response(factories.signed_response(change_assertion=encrypt_name))
    assert accepted.name_id == assertion().name_id


def test_an_encrypted_identifier_that_nobody_can_open_is_not_taken_for_none() -> None:
    def encrypt_name(element: etree._Element) -> None:
        subject = element.find(f"{A}Subject")
        assert subject is not None
        wrapper = trees.new(f"{A}EncryptedID", {"saml": SAML})
        wrapper.append(encrypted(b"<x/>")[0])
        subject.replace(subject[0], wrapper)

    document = factories.signed_response(change_assertion=encrypt_name)
    assert rule_of(document) == "xml.root"
    assert rule_of(document, decryption_keys=()) == "encryption.opens"


def test_an_identifier_of_the_document_does_not_come_again_out_of_an_encrypted_name() -> None:
    def encrypt_name(element: etree._Element) -> None:
        subject = element.find(f"{A}Subject")
        assert subject is not None
        wrapper = trees.new(f"{A}EncryptedID", {"saml": SAML})
        subject[0].set("ID", element.get("ID") or "")
        wrapper.append(encrypted(xml.lift(subject[0]))[0])
        subject.replace(subject[0], wrapper)

    assert rule_of(factories.signed_response(change_assertion=encrypt_name)) == "xml.ids"


def test_an_encrypted_assertion_outside_its_place_is_refused() -> None:
    root = xml.lift(response_codec.write(envelope()))
    extensions = etree.SubElement(root, f"{P}Extensions", nsmap={"samlp": SAMLP})
    extensions.append(encrypted(evil_assertion()))
    root.insert(1, extensions)
    root.append(signed_assertion())
    assert rule_of(root) == "response.assertions"
