"""Content is decrypted only in one shape, with keys tried in turn, and every failure looks the same."""

import os
from collections.abc import Callable
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from federation.errors import ConfigurationError, Refused
from federation.saml import encryption, xml
from federation.saml.encryption import DecryptionKey
from federation.saml.encryption_shape import WrappedKey
from federation.saml.metadata.entity import EncryptionMethod, KeyDescriptor
from federation.saml.names import DS, SAML, XENC, XENC11, Algorithm
from tests import factories, trees

Change = Callable[[etree._Element], object]
CBC = f"{XENC}aes256-cbc"
PKCS1 = f"{XENC}rsa-1_5"
PLAINTEXT = f"<saml:Assertion xmlns:saml='{SAML}'>secret</saml:Assertion>".encode()


def descriptor(*methods: str, digests: tuple[str, ...] = (), masks: tuple[str, ...] = ()) -> KeyDescriptor:
    listed = tuple(EncryptionMethod(uri, digests, masks) if "oaep" in uri else EncryptionMethod(uri) for uri in methods)
    return factories.descriptor(factories.decryption_key(), "encryption", encryption_methods=listed)


def wrap(data: etree._Element) -> etree._Element:
    """An EncryptedAssertion as it arrives."""
    wrapper = trees.new(f"{{{SAML}}}EncryptedAssertion", {"saml": SAML})
    wrapper.append(data)
    return xml.reparse(xml.serialise(wrapper))


def encrypted(content: bytes = PLAINTEXT, key: KeyDescriptor | None = None) -> etree._Element:
    return wrap(xml.lift(encryption.encrypt(content, key=key or descriptor())))


def decrypted(wrapper: etree._Element, *keys: DecryptionKey) -> str | None:
    return encryption.decrypt(wrapper, keys or (factories.decryption_key(),)).text


def rule_of(wrapper: etree._Element, *keys: DecryptionKey) -> str:
    with pytest.raises(Refused) as caught:
        encryption.decrypt(wrapper, keys or (factories.decryption_key(),))
    return caught.value.rule


def algorithms(wrapper: etree._Element) -> list[str]:
    return [str(found.get("Algorithm")) for found in wrapper.iter(f"{{{XENC}}}EncryptionMethod")]


# There and back


@pytest.mark.conformance("IIP-ALG04", "IIP-ALG06", "SDP-ALG01")
def test_what_is_encrypted_can_be_decrypted() -> None:
    assert decrypted(encrypted()) == "secret"
    assert decrypted(wrap(xml.lift(encryption.encrypt(xml.parse(PLAINTEXT), key=descriptor())))) == "secret"


def test_the_default_is_aes_256_gcm_and_the_oaep_that_everybody_has() -> None:
    assert algorithms(encrypted()) == [Algorithm.AES256_GCM, Algorithm.RSA_OAEP_MGF1P]


def test_the_key_says_whom_it_is_for() -> None:
    data = xml.lift(encryption.encrypt(PLAINTEXT, key=descriptor(), recipient=factories.SP))
    assert data.find(f".//{{{XENC}}}EncryptedKey").get("Recipient") == factories.SP  # type: ignore[union-attr]


@pytest.mark.parametrize("content", [Algorithm.AES128_GCM, Algorithm.AES256_GCM])
@pytest.mark.parametrize("transport", [Algorithm.RSA_OAEP_MGF1P, Algorithm.RSA_OAEP])
@pytest.mark.parametrize("digest", [Algorithm.SHA1, Algorithm.SHA256])
def test_what_the_partner_lists_is_what_it_gets(content: str, transport: str, digest: str) -> None:
    wrapper = encrypted(key=descriptor(CBC, content, PKCS1, transport, digests=(digest,)))
    assert algorithms(wrapper) == [content, transport]
    assert decrypted(wrapper) == "secret"
    method = wrapper.find(f".//{{{XENC}}}EncryptedKey/{{{XENC}}}EncryptionMethod/{{{DS}}}DigestMethod")
    assert method is not None
    assert method.get("Algorithm") == digest


@pytest.mark.conformance("IIP-ALG06", "SDP-ALG01")
def test_the_newer_oaep_masks_with_sha_1_unless_the_partner_lists_another() -> None:
    for masks, mask in (
        ((), Algorithm.MGF1_SHA1),
        (("urn:unknown", Algorithm.MGF1_SHA256), Algorithm.MGF1_SHA256),
        ((Algorithm.MGF1_SHA1, Algorithm.MGF1_SHA256), Algorithm.MGF1_SHA1),
    ):
        wrapper = encrypted(key=descriptor(Algorithm.RSA_OAEP, masks=masks))
        found = wrapper.find(f".//{{{XENC11}}}MGF")
        assert found is not None
        assert found.get("Algorithm") == mask
        assert decrypted(wrapper) == "secret"
        if mask == Algorithm.MGF1_SHA1:
            parent = found.getparent()
            assert parent is not None
            parent.remove(found)
            assert decrypted(wrapper) == "secret"


@pytest.mark.conformance("IIP-MD10")
def test_an_oaep_whose_parameters_we_lack_is_passed_over() -> None:
    odd = EncryptionMethod(Algorithm.RSA_OAEP, (f"{XENC}sha512",))
    key = factories.descriptor(
        factories.decryption_key(), "encryption", encryption_methods=(odd, EncryptionMethod(Algorithm.RSA_OAEP_MGF1P))
    )
    assert algorithms(encrypted(key=key))[1] == Algorithm.RSA_OAEP_MGF1P
    assert not encryption.suits(replace(key, encryption_methods=(odd,)))


@pytest.mark.conformance("IIP-MD10")
def test_the_first_method_of_the_partner_wins() -> None:
    assert algorithms(encrypted(key=descriptor(Algorithm.AES128_GCM, Algorithm.AES256_GCM)))[0] == Algorithm.AES128_GCM


def test_a_digest_alone_leaves_the_choice_of_content_to_us() -> None:
    assert algorithms(encrypted(key=descriptor(Algorithm.RSA_OAEP))) == [Algorithm.AES256_GCM, Algorithm.RSA_OAEP]


@pytest.mark.parametrize("methods", [(CBC,), (Algorithm.AES256_GCM, PKCS1), (f"{XENC}tripledes-cbc", PKCS1)])
def test_a_partner_who_takes_only_weak_methods_gets_nothing(methods: tuple[str, ...]) -> None:
    assert not encryption.suits(descriptor(*methods))
    with pytest.raises(ConfigurationError):
        encrypted(key=descriptor(*methods))


@pytest.mark.parametrize("key", [factories.ec_signing_key().public_key, b"junk"], ids=["EC", "junk"])
def test_a_key_one_cannot_encrypt_to_suits_nobody(key: bytes) -> None:
    assert not encryption.suits(KeyDescriptor("encryption", key))
    with pytest.raises(ConfigurationError):
        encrypted(key=KeyDescriptor("encryption", key))
    assert encryption.suits(descriptor())


@pytest.mark.conformance("IIP-SP08")
def test_keys_are_tried_in_turn() -> None:
    assert decrypted(encrypted(), factories.decryption_key("old"), factories.decryption_key()) == "secret"


def test_randomness_is_an_argument() -> None:
    same = [xml.serialise(encryption.encrypt(PLAINTEXT, key=descriptor(), random=lambda size: b"x" * size))]
    same.append(xml.serialise(encryption.encrypt(PLAINTEXT, key=descriptor(), random=lambda size: b"x" * size)))
    value = same[0].rpartition(b"<xenc:CipherValue>")[2]
    assert same[1].endswith(value)


@pytest.mark.parametrize("size", [512, 1024])
def test_a_weak_decryption_key_is_our_own_mistake(size: int) -> None:
    weak = rsa.generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with pytest.raises(ConfigurationError):
        DecryptionKey.from_pem(weak)
    with pytest.raises(ConfigurationError):
        DecryptionKey.from_pem(b"junk" * size)


def test_a_key_never_shows_itself() -> None:
    assert repr(factories.decryption_key()) == "DecryptionKey(RSA)"


# As others arrange it


def test_the_wrapped_key_may_stand_beside_the_data() -> None:
    wrapper = encrypted()
    info = wrapper.find(f".//{{{DS}}}KeyInfo")
    key = wrapper.find(f".//{{{XENC}}}EncryptedKey")
    assert info is not None
    assert key is not None
    wrapper.append(key)
    assert decrypted(wrapper) == "secret"
    key.set("Id", "_key")
    etree.SubElement(info, f"{{{DS}}}RetrievalMethod", Type=f"{XENC}EncryptedKey", URI="#_key")
    assert decrypted(wrapper) == "secret"
    references = etree.SubElement(key, f"{{{XENC}}}ReferenceList")
    etree.SubElement(references, f"{{{XENC}}}DataReference", URI="#_data")
    assert decrypted(wrapper) == "secret"


def test_there_may_be_a_wrapped_key_for_each_recipient() -> None:
    wrapper = encrypted()
    other = encrypted(key=factories.descriptor(factories.decryption_key("somebody-else")))
    info = wrapper.find(f".//{{{DS}}}KeyInfo")
    assert info is not None
    info.insert(0, next(other.iter(f"{{{XENC}}}EncryptedKey")))
    assert decrypted(wrapper) == "secret"


def test_hints_about_the_key_are_ignored() -> None:
    wrapper = encrypted()
    for info in list(wrapper.iter(f"{{{DS}}}KeyInfo")):
        info.insert(0, etree.Element(f"{{{DS}}}KeyName"))
    key = next(wrapper.iter(f"{{{XENC}}}EncryptedKey"))
    holder = etree.Element(f"{{{DS}}}KeyInfo")
    etree.SubElement(etree.SubElement(holder, f"{{{DS}}}X509Data"), f"{{{DS}}}X509Certificate").text = "AAAA"
    key.insert(1, holder)
    assert decrypted(wrapper) == "secret"


def test_oaep_without_a_digest_means_sha_1() -> None:
    wrapper = encrypted()
    method = next(wrapper.iter(f"{{{DS}}}DigestMethod"))
    method.getparent().remove(method)  # type: ignore[union-attr]
    assert decrypted(wrapper) == "secret"


def rewrapped(
    transport: str,
    hash_of: hashes.HashAlgorithm,
    mask_of: hashes.HashAlgorithm,
    *,
    digest: str,
    mask: str | None = None,
) -> etree._Element:
    """The default content, its key wrapped by another sender's choice of hashes."""
    wrapper, content_key = encrypted(), os.urandom(32)
    public = serialization.load_der_public_key(factories.decryption_key().public_key)
    assert isinstance(public, rsa.RSAPublicKey)
    oaep = padding.OAEP(mgf=padding.MGF1(mask_of), algorithm=hash_of, label=None)
    nonce = os.urandom(12)
    values = list(wrapper.iter(f"{{{XENC}}}CipherValue"))
    values[0].text = factories.base64_text(public.encrypt(content_key, oaep))
    values[1].text = factories.base64_text(nonce + AESGCM(content_key).encrypt(nonce, PLAINTEXT, None))
    method = wrapper.find(f".//{{{XENC}}}EncryptedKey/{{{XENC}}}EncryptionMethod")
    assert method is not None
    method.set("Algorithm", transport)
    method[0].set("Algorithm", digest)
    if mask is not None:
        etree.SubElement(method, f"{{{XENC11}}}MGF", Algorithm=mask)
    return wrapper


def test_digest_and_mask_may_differ() -> None:
    sha1, sha256 = hashes.SHA1(), hashes.SHA256()
    assert decrypted(rewrapped(Algorithm.RSA_OAEP_MGF1P, sha256, sha1, digest=Algorithm.SHA256)) == "secret"
    assert decrypted(rewrapped(Algorithm.RSA_OAEP, sha256, sha1, digest=Algorithm.SHA256)) == "secret"
    mask = Algorithm.MGF1_SHA256
    assert decrypted(rewrapped(Algorithm.RSA_OAEP, sha1, sha256, digest=Algorithm.SHA1, mask=mask)) == "secret"


def test_the_plaintext_may_use_namespaces_of_its_surroundings() -> None:
    assert decrypted(encrypted(b"<saml:Assertion>secret</saml:Assertion>")) == "secret"


# What is refused


def find(wrapper: etree._Element, name: str, position: int = 0, namespace: str = XENC) -> etree._Element:
    return list(wrapper.iter(f"{{{namespace}}}{name}"))[position]


def put(name: str, attribute: str, value: str, position: int = 0, namespace: str = XENC) -> Change:
    return lambda wrapper: find(wrapper, name, position, namespace).set(attribute, value)


def inside(name: str, tag: str, position: int = 0, namespace: str = XENC) -> Change:
    return lambda wrapper: etree.SubElement(find(wrapper, name, position, namespace), tag)


def remove(name: str, position: int = 0, namespace: str = XENC) -> Change:
    def change(wrapper: etree._Element) -> None:
        found = find(wrapper, name, position, namespace)
        found.getparent().remove(found)  # type: ignore[union-attr]

    return change


def cipher_reference(position: int) -> Change:
    def change(wrapper: etree._Element) -> None:
        holder = find(wrapper, "CipherData", position)
        holder.remove(holder[0])
        etree.SubElement(holder, f"{{{XENC}}}CipherReference", URI="file:///etc/passwd")

    return change


def retrieval(uri: str, transform: bool = False) -> Change:
    def change(wrapper: etree._Element) -> None:
        method = etree.SubElement(find(wrapper, "KeyInfo", 0, DS), f"{{{DS}}}RetrievalMethod", URI=uri)
        if transform:
            find(wrapper, "EncryptedKey").set("Id", "_key")
            wrapper.append(find(wrapper, "EncryptedKey"))
            etree.SubElement(method, f"{{{DS}}}Transforms")

    return change


def many_keys(wrapper: etree._Element) -> None:
    info = find(wrapper, "KeyInfo", 0, DS)
    for _ in range(9):
        info.append(xml.lift(find(wrapper, "EncryptedKey")))


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("encryption.structure", remove("EncryptedData")),
        ("encryption.structure", remove("CipherData", 1)),
        ("encryption.structure", remove("CipherData", 0)),
        ("encryption.structure", remove("EncryptionMethod")),
        ("encryption.structure", remove("EncryptionMethod", 1)),
        ("encryption.structure", put("EncryptedData", "Type", f"{XENC}Content")),
        ("encryption.structure", put("EncryptedData", "Encoding", f"{DS}base64")),
        ("encryption.structure", lambda wrapper: wrapper.append(xml.lift(wrapper[0]))),
        ("encryption.structure", lambda wrapper: etree.SubElement(wrapper, f"{{{SAML}}}Assertion")),
        (
            "encryption.structure",
            lambda wrapper: wrapper[0].insert(0, etree.Element(f"{{{XENC}}}EncryptionProperties")),
        ),
        ("encryption.structure", inside("EncryptedData", f"{{{XENC}}}CipherData")),
        ("encryption.structure", inside("EncryptedKey", f"{{{XENC}}}CipherData")),
        ("encryption.structure", inside("EncryptedKey", f"{{{SAML}}}Assertion")),
        ("encryption.method", put("EncryptionMethod", "Algorithm", CBC)),
        ("encryption.method", put("EncryptionMethod", "Algorithm", f"{XENC}tripledes-cbc")),
        ("encryption.method", put("EncryptionMethod", "Algorithm", "")),
        ("encryption.method", inside("EncryptionMethod", "anything")),
        ("encryption.keys", remove("KeyInfo", 0, DS)),
        ("encryption.keys", many_keys),
        ("encryption.key_transport", put("EncryptionMethod", "Algorithm", PKCS1, 1)),
        ("encryption.key_transport", put("EncryptionMethod", "Algorithm", f"{XENC}kw-aes256", 1)),
        ("encryption.key_transport", put("DigestMethod", "Algorithm", f"{DS}md5", 0, DS)),
        ("encryption.key_info", retrieval("file:///etc/passwd")),
        ("encryption.key_info", retrieval("http://127.0.0.1:9/key")),
        ("encryption.key_info", retrieval("#_elsewhere")),
        ("encryption.key_info", retrieval("#_key", transform=True)),
        ("encryption.key_info", inside("KeyInfo", f"{{{XENC}}}AgreementMethod", 0, DS)),
        ("encryption.key_info", inside("KeyInfo", f"{{{SAML}}}Assertion", 0, DS)),
        ("encryption.inline", cipher_reference(0)),
        ("encryption.inline", cipher_reference(1)),
        ("encryption.inline", inside("CipherValue", "anything")),
        ("encryption.inline", inside("CipherData", f"{{{XENC}}}CipherReference")),
        ("encryption.inline", lambda wrapper: setattr(find(wrapper, "CipherValue"), "text", "not base64!")),
        ("encryption.inline", lambda wrapper: setattr(find(wrapper, "CipherValue"), "text", "")),
    ],
)
def test_every_other_shape_is_refused(rule: str, change: Change) -> None:
    wrapper = encrypted()
    change(wrapper)
    assert rule_of(wrapper) == rule


def flipped(position: int, octet: int) -> Change:
    def change(wrapper: etree._Element) -> None:
        import base64

        value = find(wrapper, "CipherValue", position)
        octets = bytearray(base64.b64decode(value.text or ""))
        octets[octet] ^= 1
        value.text = factories.base64_text(bytes(octets))

    return change


def truncated(wrapper: etree._Element) -> None:
    value = find(wrapper, "CipherValue", 1)
    value.text = factories.base64_text(b"short")


@pytest.mark.parametrize(
    "change", [flipped(0, 0), flipped(0, 255), flipped(1, 0), flipped(1, 20), flipped(1, -1), truncated]
)
def test_every_failure_of_decryption_looks_the_same(change: Change) -> None:
    wrong_key = encrypted()
    with pytest.raises(Refused) as first:
        encryption.decrypt(wrong_key, [factories.decryption_key("other")])
    wrapper = encrypted()
    change(wrapper)
    with pytest.raises(Refused) as second:
        encryption.decrypt(wrapper, [factories.decryption_key()])
    assert second.value.failed == first.value.failed
    assert second.value.rule == "encryption.opens"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        b"<a>",
        b"<a/><b/>",
        b"<a/>text",
        b"text<a/>",
        b"</surroundings><surroundings>",
        b"<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
        b"<a><?p x?></a>",
        b"<unknown:a/>",
        b"<a>" * 100 + b"</a>" * 100,
    ],
)
def test_a_plaintext_that_is_no_plain_document_looks_the_same_too(content: bytes) -> None:
    assert rule_of(encrypted(content)) == "encryption.opens"


def test_nothing_opens_without_keys() -> None:
    with pytest.raises(Refused) as caught:
        encryption.decrypt(encrypted(), [])
    assert caught.value.rule == "encryption.opens"


def test_only_so_many_attempts_are_made() -> None:
    attempts = 0

    def unwrap(wrapped: WrappedKey) -> bytes:
        nonlocal attempts
        attempts += 1
        raise ValueError

    keys = [DecryptionKey(public_key=b"", unwrap=unwrap)] * (encryption.MAX_ATTEMPTS + 5)
    assert rule_of(encrypted(), *keys) == "encryption.opens"
    assert attempts == encryption.MAX_ATTEMPTS
