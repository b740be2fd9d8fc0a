"""Tricks inside a signature: keys from the message, other algorithms, values that are read in two ways."""

import base64
import hashlib
import hmac
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from federation.errors import Refused
from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.names import DS, Algorithm
from tests import factories, trees
from tests.attacks.forging import D, copied, evil_assertion, evil_response, genuine, sign_as, signature_in
from tests.factories import accept_response, assertion, envelope, signed_response

MORE = "http://www.w3.org/2001/04/xmldsig-more#"


def rule_of(document: bytes | etree._Element, **expected: object) -> str:
    with pytest.raises(Refused) as caught:
        accept_response(document, **expected)
    return caught.value.rule


def response() -> etree._Element:
    return trees.response(envelope(), xml.lift(assertion_codec.write(assertion())))


# Missing, stripped, broken


def test_a_message_from_which_the_signature_was_taken_is_refused() -> None:
    for sign in ("response", "assertion"):
        root = genuine(sign)
        for block in list(root.iter(f"{D}Signature")):
            block.getparent().remove(block)  # type: ignore[union-attr]
        assert rule_of(root) == "assertion.signed"


@pytest.mark.parametrize("which", [0, 1])
def test_every_signature_that_is_there_must_verify(which: int) -> None:
    root = genuine("both")
    value = list(root.iter(f"{D}SignatureValue"))[which]
    value.text = factories.base64_text(b"\1" * 256)
    rule = rule_of(root)
    assert rule == ("signature.value" if which == 0 else "signature.content"), "the response covers its assertion"


def test_a_broken_assertion_signature_under_a_good_response_signature_is_refused() -> None:
    element = xml.lift(assertion_codec.write(assertion()))
    signature.sign(element, key=factories.signing_key())
    next(element.iter(f"{D}SignatureValue")).text = factories.base64_text(b"\1" * 256)
    root = trees.response(envelope(), element)
    signature.sign(root, key=factories.signing_key())
    assert rule_of(root) == "signature.value"


@pytest.mark.parametrize("part", ["SignatureValue", "DigestValue", "SignedInfo", "Reference", "SignatureMethod"])
def test_an_incomplete_signature_is_refused(part: str) -> None:
    root = genuine("response")
    found = next(root.iter(f"{D}{part}"))
    found.getparent().remove(found)  # type: ignore[union-attr]
    assert rule_of(root) == "signature.shape"


def test_an_empty_signature_is_refused() -> None:
    root = response()
    root.insert(1, etree.Element(f"{D}Signature"))
    assert rule_of(root) == "signature.shape"


def test_without_a_key_in_the_metadata_nothing_is_believed() -> None:
    assert rule_of(signed_response(), idp=factories.idp_entity(keys=())) == "signature.key"


# Whose key


def key_value(block: etree._Element) -> None:
    """Offer mallory's key as RSAKeyValue."""
    public = serialization.load_der_public_key(factories.signing_key("mallory").public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    numbers = public.public_numbers()
    info = etree.SubElement(block, f"{D}KeyInfo")
    value = etree.SubElement(etree.SubElement(info, f"{D}KeyValue"), f"{D}RSAKeyValue")
    for name, number in (("Modulus", numbers.n), ("Exponent", numbers.e)):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        etree.SubElement(value, f"{D}{name}").text = factories.base64_text(octets)


def certificate(block: etree._Element) -> None:
    """Offer mallory's certificate."""
    info = etree.SubElement(block, f"{D}KeyInfo")
    der = factories.signing_key("mallory").certificate
    assert der is not None
    holder = etree.SubElement(etree.SubElement(info, f"{D}X509Data"), f"{D}X509Certificate")
    holder.text = factories.base64_text(der)


def both(block: etree._Element) -> None:
    """Offer mallory's key value beside the IdP's genuine certificate."""
    key_value(block)
    der = factories.signing_key("idp").certificate
    assert der is not None
    holder = etree.SubElement(etree.SubElement(block[2], f"{D}X509Data"), f"{D}X509Certificate")
    holder.text = factories.base64_text(der)


@pytest.mark.parametrize("offer", [key_value, certificate, both])
def test_a_key_that_the_message_offers_is_never_used(offer: Callable[[etree._Element], None]) -> None:
    root = evil_response(evil_assertion())
    sign_as(root, key=factories.signing_key("mallory"), change=offer)
    assert rule_of(root) == "signature.value"


def test_the_right_certificate_does_not_help_a_wrong_signature() -> None:
    root = evil_response(evil_assertion())
    root.insert(1, copied(signature_in(genuine("response"))))
    assert rule_of(root) == "signature.reference"
    assert root.get("ID") is not None
    next(root.iter(f"{D}Reference")).set("URI", f"#{root.get('ID')}")
    assert rule_of(root) == "signature.content"


def test_a_key_of_another_identity_provider_signs_nothing_here() -> None:
    other = factories.signing_key("other-idp")
    assert rule_of(signed_response(key=other)) == "signature.value"
    assert accept_response(signed_response(key=other), idp=factories.idp_entity(other))


def test_an_encryption_key_signs_nothing() -> None:
    key = factories.descriptor(factories.signing_key("idp"), "encryption")
    assert rule_of(signed_response(), idp=factories.idp_entity(keys=(key,))) == "signature.key"


# Algorithms


def hmac_with(secret: bytes) -> Callable[[bytes], bytes]:
    return lambda octets: hmac.new(secret, octets, hashlib.sha256).digest()


@pytest.mark.parametrize(
    "secret",
    [
        factories.signing_key("idp").public_key,
        factories.key_pair("idp")[1],
        factories.signing_key("idp").certificate or b"",
        b"",
    ],
)
def test_a_public_key_is_no_shared_secret(secret: bytes) -> None:
    root = evil_response(evil_assertion())
    sign_as(root, method=f"{MORE}hmac-sha256", value=hmac_with(secret))
    assert rule_of(root) == "signature.algorithm"


def rsa_with(algorithm: hashes.HashAlgorithm) -> Callable[[bytes], bytes]:
    private = serialization.load_pem_private_key(factories.key_pair("idp")[0], password=None)
    assert isinstance(private, rsa.RSAPrivateKey)
    return lambda octets: private.sign(octets, padding.PKCS1v15(), algorithm)


@pytest.mark.parametrize(
    ("method", "algorithm"), [(f"{DS}rsa-sha1", hashes.SHA1()), (f"{MORE}rsa-md5", hashes.MD5())], ids=["sha1", "md5"]
)
def test_a_weak_algorithm_is_refused_even_with_the_right_key(method: str, algorithm: hashes.HashAlgorithm) -> None:
    root = response()
    sign_as(root, method=method, value=rsa_with(algorithm))
    assert rule_of(root) == "signature.algorithm"


@pytest.mark.parametrize(("digest", "name"), [(Algorithm.SHA1, "sha1"), (f"{MORE}md5", "md5")])
def test_a_weak_digest_is_refused_even_with_the_right_key(digest: str, name: str) -> None:
    root = response()
    sign_as(root, digest=digest, hash_name=name)
    assert rule_of(root) == "signature.digest"


def test_an_algorithm_for_another_kind_of_key_is_refused() -> None:
    root = response()
    sign_as(root, method=Algorithm.ECDSA_SHA256)
    assert rule_of(root) == "signature.key"


def test_the_stated_algorithm_is_the_one_that_is_used() -> None:
    root = response()
    sign_as(root, method=Algorithm.RSA_SHA512)
    assert rule_of(root) == "signature.value"
    assert accept_response(signed_by(Algorithm.RSA_SHA512))


def signed_by(algorithm: str) -> etree._Element:
    root = response()
    signature.sign(root, key=factories.signing_key(), algorithm=algorithm)
    return root


@pytest.mark.parametrize("value", [b"\0" * 64, b"\0" * 31 + b"\1" + b"\0" * 31 + b"\1", b"\xff" * 64])
def test_an_ecdsa_signature_of_nothing_is_no_signature(value: bytes) -> None:
    key = factories.ec_signing_key()
    root = evil_response(evil_assertion())
    sign_as(root, method=Algorithm.ECDSA_SHA256, value=lambda octets: value)
    assert rule_of(root, idp=factories.idp_entity(key)) == "signature.value"


def test_a_weak_key_in_the_metadata_is_not_used() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    spki = weak.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    root = response()
    sign_as(root, value=lambda octets: weak.sign(octets, padding.PKCS1v15(), hashes.SHA256()))
    from federation.saml.metadata.entity import KeyDescriptor

    idp = factories.idp_entity(keys=(KeyDescriptor("signing", spki),))
    assert rule_of(root, idp=idp) == "signature.key"


# Two readings of one value


def test_two_signed_infos_are_refused() -> None:
    root = genuine("response")
    block = signature_in(root)
    forged = copied(block[0])
    next(forged.iter(f"{D}DigestValue")).text = factories.base64_text(hashlib.sha256(b"other").digest())
    block.insert(0, forged)
    assert rule_of(root) == "signature.shape"


def test_two_references_are_refused_although_both_are_sound() -> None:
    root = response()
    sign_as(root, change_signed_info=lambda info: info.append(copied(info[2])))
    assert rule_of(root) == "signature.shape"


def test_a_comment_in_a_digest_hides_nothing() -> None:
    """Comments are dropped at parsing: the digest is the whole text, which is then no longer the digest."""
    document = xml.serialise(genuine("response"))
    forged = factories.base64_text(hashlib.sha256(b"other").digest()).encode()
    start = document.index(b"<ds:DigestValue>") + len(b"<ds:DigestValue>")
    assert (
        rule_of(
            document[:start]
            + forged
            + b"<!--"
            + document[start:].replace(b"</ds:DigestValue>", b"--></ds:DigestValue>", 1)
        )
        == "signature.content"
    )
    assert rule_of(document[:start] + b"<!-- -->" + forged + document[start:]) == "signature.base64"


def test_an_instruction_in_a_digest_is_refused() -> None:
    document = xml.serialise(genuine("response")).replace(b"<ds:DigestValue>", b"<ds:DigestValue><?x y?>")
    assert rule_of(document) == "xml.processing_instruction"


def test_the_digest_is_read_below_the_signature_alone() -> None:
    root = genuine("response")
    forged = evil_response(evil_assertion())
    forged.set("ID", str(root.get("ID")))
    block = copied(signature_in(root))
    forged.insert(1, block)
    digest = hashlib.sha256(xml.canonical(xml.lift(evil_assertion()))).digest()
    extensions = etree.Element("{urn:oasis:names:tc:SAML:2.0:protocol}Extensions")
    etree.SubElement(extensions, f"{D}DigestValue").text = factories.base64_text(digest)
    forged.insert(2, extensions)
    assert rule_of(forged) == "signature.content"


def test_a_void_canonical_form_is_refused() -> None:
    """A relative namespace has no canonical form: the digest of nothing must not be the digest of everything."""
    root = evil_response(evil_assertion())
    etree.SubElement(next(root.iter("{urn:oasis:names:tc:SAML:2.0:assertion}AttributeValue")), "{relative}x")
    block = copied(signature_in(genuine("response")))
    next(block.iter(f"{D}Reference")).set("URI", f"#{root.get('ID')}")
    next(block.iter(f"{D}DigestValue")).text = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    root.insert(1, block)
    assert rule_of(root) == "xml.canonical"
