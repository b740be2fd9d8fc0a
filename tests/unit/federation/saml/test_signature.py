"""What is verified is what is read: octet for octet, with a key that we knew before."""

import copy

import pytest
from lxml import etree

from federation.errors import ConfigurationError, Refused
from federation.saml import signature, xml
from federation.saml.algorithms import Algorithms
from federation.saml.names import DS, MD, SAML, SAMLP, Algorithm
from federation.saml.signature import SigningKey
from tests import factories, trees

SIGNATURE = f"{{{DS}}}Signature"


def message(text: str = "alice") -> etree._Element:
    root = trees.new(f"{{{SAMLP}}}Response", {"samlp": SAMLP, "saml": SAML}, {"ID": "_1"})
    trees.add(root, f"{{{SAML}}}Issuer", factories.IDP)
    trees.add(root, f"{{{SAML}}}Text", text)
    return root


def signed(key: SigningKey | None = None, algorithm: str | None = None) -> etree._Element:
    root = message()
    signature.sign(root, key=key or factories.signing_key(), algorithm=algorithm)
    return xml.parse(xml.serialise(root))


def keys(*names: str) -> list[bytes]:
    return [factories.signing_key(name).public_key for name in names or ("idp",)]


def rule_of(root: etree._Element, known: list[bytes] | None = None, algorithms: Algorithms | None = None) -> str:
    with pytest.raises(Refused) as caught:
        signature.verify(root, keys=keys() if known is None else known, algorithms=algorithms or Algorithms())
    return caught.value.rule


# Signing


def test_the_signature_stands_right_after_the_issuer() -> None:
    root = message()
    signature.sign(root, key=factories.signing_key())
    assert [xml.local_name(child) for child in root] == ["Issuer", "Signature", "Text"]


def test_the_signature_stands_first_where_there_is_no_issuer() -> None:
    root = trees.new(f"{{{MD}}}EntityDescriptor", {"md": MD}, {"ID": "_1", "entityID": "urn:x"})
    trees.add(root, f"{{{MD}}}IDPSSODescriptor")
    signature.sign(root, key=factories.signing_key())
    assert root[0].tag == SIGNATURE
    assert signature.verify(root, keys=keys()).get("entityID") == "urn:x"


def test_the_certificate_is_a_hint_where_there_is_one() -> None:
    assert signed().find(f".//{{{DS}}}X509Certificate") is not None
    assert signed(factories.ec_signing_key()).find(f".//{{{DS}}}KeyInfo") is None


def test_an_element_without_an_id_cannot_be_signed() -> None:
    root = message()
    del root.attrib["ID"]
    with pytest.raises(ConfigurationError):
        signature.sign(root, key=factories.signing_key())


@pytest.mark.parametrize("algorithm", [f"{DS}rsa-md5", f"{DS}hmac-sha256", Algorithm.ECDSA_SHA256, "urn:unknown"])
def test_a_key_signs_only_with_algorithms_of_its_kind(algorithm: str) -> None:
    with pytest.raises(ConfigurationError):
        signature.sign(message(), key=factories.signing_key(), algorithm=algorithm)


# Verifying


@pytest.mark.parametrize("algorithm", [Algorithm.RSA_SHA256, Algorithm.RSA_SHA384, Algorithm.RSA_SHA512])
@pytest.mark.conformance("IIP-ALG01", "IIP-ALG02", "SDP-ALG01")
def test_rsa_signatures_verify(algorithm: str) -> None:
    assert signature.verify(signed(algorithm=algorithm), keys=keys()).get("ID") == "_1"


@pytest.mark.parametrize("bits", [256, 384, 521])
@pytest.mark.parametrize("algorithm", [Algorithm.ECDSA_SHA256, Algorithm.ECDSA_SHA384, Algorithm.ECDSA_SHA512])
@pytest.mark.conformance("IIP-ALG03")
def test_ecdsa_signatures_verify(bits: int, algorithm: str) -> None:
    key = factories.ec_signing_key(bits)
    assert signature.verify(signed(key, algorithm), keys=[key.public_key]).get("ID") == "_1"


@pytest.mark.conformance("IIP-MD07", "SDP-IDP32")
def test_keys_are_tried_in_turn() -> None:
    assert signature.verify(signed(), keys=keys("other", "sp", "idp")).get("ID") == "_1"
    checked = signature.examine(signed(), keys=keys("other", "idp"))
    assert checked.public_key == factories.signing_key().public_key


def test_keys_may_come_as_metadata_has_them() -> None:
    descriptor = factories.descriptor(factories.signing_key())
    assert signature.verify(signed(), keys=[descriptor]).get("ID") == "_1"


def test_no_more_keys_are_tried_than_is_bearable() -> None:
    assert rule_of(signed(), keys("other") * signature.MAX_KEYS + keys("idp")) == "signature.value"


def test_what_is_answered_is_a_new_document_without_the_signature() -> None:
    root = signed()
    before = xml.serialise(root)
    verified = signature.verify(root, keys=keys())
    assert verified.getparent() is None
    assert verified.getroottree() is not root.getroottree()
    assert [xml.local_name(child) for child in verified] == ["Issuer", "Text"]
    assert xml.serialise(root) == before, "the document that came is left as it was"


def test_white_space_around_the_signature_is_part_of_what_is_signed() -> None:
    root = message()
    for child in root:
        child.tail = "\n  "
    root.text = "\n  "
    signature.sign(root, key=factories.signing_key())
    root[1].tail = None
    assert xml.text(signature.verify(root, keys=keys())[1]) == "alice"
    root[1].tail = "\n"
    assert rule_of(root) == "signature.content"


def test_an_inner_element_verifies_in_its_surroundings() -> None:
    inner = message()
    signature.sign(inner, key=factories.signing_key())
    outer = etree.Element("outer", nsmap={"unused": "urn:unused"})
    outer.append(inner)
    root = xml.parse(xml.serialise(outer))
    verified = signature.verify(root[0], keys=keys())
    assert verified.getparent() is None
    assert len(verified) == 2


def test_an_inclusive_prefix_may_be_declared_further_up() -> None:
    xs = "http://www.w3.org/2001/XMLSchema"
    outer = etree.Element("outer", nsmap={"xs": xs, "samlp": SAMLP})
    inner = trees.add(outer, f"{{{SAMLP}}}Response", None, {"ID": "_1"})
    trees.add(inner, "value", "x", {"type": "xs:string"})
    template = copy.deepcopy(message())
    signature.sign(template, key=factories.signing_key())
    block = template[1]
    transform = block.findall(f".//{{{DS}}}Transform")[1]
    etree.SubElement(transform, f"{{{Algorithm.EXC_C14N}}}InclusiveNamespaces", PrefixList="xs #default")
    inner.insert(0, block)
    key = factories.signing_key()
    digest(inner, block, ["xs", "#default"])
    sign_again(block, key)
    root = xml.parse(xml.serialise(outer))
    assert xml.text(signature.verify(root[0], keys=keys())[0]) == "x"


def digest(element: etree._Element, block: etree._Element, prefixes: list[str]) -> None:
    """Put the digest of the element without its signature into the signature, as another implementation would."""
    import hashlib

    lifted = xml.lift(element)
    lifted.remove(lifted[0])
    value = hashlib.sha256(xml.canonical(lifted, prefixes)).digest()
    block.find(f".//{{{DS}}}DigestValue").text = factories.base64_text(value)  # type: ignore[union-attr]


def sign_again(block: etree._Element, key: SigningKey) -> None:
    """Sign SignedInfo as it stands now."""
    info, value = block[0], block[1]
    value.text = factories.base64_text(key.sign(xml.canonical(xml.lift(info)), Algorithm.RSA_SHA256))


def test_an_unsigned_element_is_refused() -> None:
    assert rule_of(message()) == "signature.present"


def test_a_changed_element_is_refused() -> None:
    root = signed()
    root[2].text = "mallory"
    assert rule_of(root) == "signature.content"


def test_a_changed_signature_value_is_refused() -> None:
    root = signed()
    value = root.find(f".//{{{DS}}}SignatureValue")
    assert value is not None
    assert value.text is not None
    value.text = ("A" if value.text[0] != "A" else "B") + value.text[1:]
    assert rule_of(root) == "signature.value"


def test_the_key_in_the_message_is_never_used() -> None:
    root = signed(factories.signing_key("mallory"))
    assert rule_of(root) == "signature.value"


def test_a_partner_without_keys_can_sign_nothing() -> None:
    assert rule_of(signed(), []) == "signature.key"


def test_a_key_of_another_kind_is_no_key() -> None:
    assert rule_of(signed(), [factories.ec_signing_key().public_key]) == "signature.key"
    assert rule_of(signed(factories.ec_signing_key())) == "signature.key"


@pytest.mark.conformance("IIP-ALG08")
def test_an_algorithm_that_is_not_allowed_here_is_refused() -> None:
    only_512 = Algorithms(signature=frozenset({Algorithm.RSA_SHA512}))
    assert rule_of(signed(), algorithms=only_512) == "signature.algorithm"
    assert rule_of(signed(), algorithms=Algorithms(digest=frozenset())) == "signature.digest"


def test_an_element_without_canonical_form_is_refused() -> None:
    root = signed()
    etree.SubElement(root, "{relative}x")
    assert rule_of(root) == "xml.canonical"


def test_a_duplicate_identifier_anywhere_is_refused() -> None:
    root = etree.Element("outer")
    root.append(signed())
    etree.SubElement(root, "x", ID="_1")
    assert rule_of(root[0]) == "xml.ids"


def test_every_check_is_answered() -> None:
    checks = signature.examine(signed(), keys=keys()).checks
    assert all(check.ok for check in checks)
    assert [check.rule for check in checks][-3:] == ["signature.content", "signature.key", "signature.value"]


# Detached


@pytest.mark.parametrize("key", ["rsa", "ec"])
def test_a_detached_signature_verifies(key: str) -> None:
    signer = factories.signing_key() if key == "rsa" else factories.ec_signing_key()
    value = signer.sign(b"octets")
    checks = signature.verify_octets(b"octets", value, algorithm=signer.algorithm, keys=[signer.public_key])
    assert all(check.ok for check in checks)
    for octets, wrong in ((b"other", value), (b"octets", value[:-1]), (b"octets", b""), (b"octets", value + b"\0")):
        with pytest.raises(Refused) as caught:
            signature.verify_octets(octets, wrong, algorithm=signer.algorithm, keys=[signer.public_key])
        assert caught.value.rule == "signature.value"


def test_a_detached_signature_has_an_allowed_algorithm_and_a_fitting_key() -> None:
    for algorithm, rule in ((f"{DS}rsa-sha1", "signature.algorithm"), (Algorithm.ECDSA_SHA256, "signature.key")):
        with pytest.raises(Refused) as caught:
            signature.verify_octets(b"octets", b"x", algorithm=algorithm, keys=keys())
        assert caught.value.rule == rule
