"""xmlsec, doing all of XML Signature and XML Encryption by itself, agrees with what we do by hand."""

import pytest
import xmlsec
from lxml import etree
from xmlsec import constants, template

from federation.errors import Refused
from federation.saml import encryption, signature, xml
from federation.saml.messages import Attribute
from federation.saml.names import DS, SAML, SAMLP, Algorithm
from tests import factories, trees

XS = "http://www.w3.org/2001/XMLSchema"


def message() -> etree._Element:
    root = trees.new(f"{{{SAMLP}}}Response", {"samlp": SAMLP, "saml": SAML, "xs": XS}, {"ID": "_1"})
    trees.add(root, f"{{{SAML}}}Issuer", factories.IDP)
    trees.add(root, f"{{{SAML}}}Value", " a\r\n\t<&>\u00e9 ", {"type": "xs:string", "b": "1", "a": '"\n'})
    return root


def verified_by_xmlsec(root: etree._Element, public_key: bytes) -> bool:
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(public_key, constants.KeyDataFormatDer)
    context.register_id(root, "ID")
    try:
        context.verify(root.find(f"{{{DS}}}Signature"))
    except xmlsec.Error:
        return False
    return True


@pytest.mark.parametrize("algorithm", [Algorithm.RSA_SHA256, Algorithm.RSA_SHA384, Algorithm.RSA_SHA512])
def test_it_verifies_what_we_sign(algorithm):
    root = message()
    signature.sign(root, key=factories.signing_key(), algorithm=algorithm)
    parsed = xml.reparse(xml.serialise(root))
    assert verified_by_xmlsec(parsed, factories.signing_key().public_key)
    parsed[2].text = "other"
    assert not verified_by_xmlsec(parsed, factories.signing_key().public_key)


@pytest.mark.parametrize("bits", [256, 384, 521])
def test_it_verifies_what_we_sign_with_ec_keys(bits):
    root = message()
    signature.sign(root, key=factories.ec_signing_key(bits))
    assert verified_by_xmlsec(xml.reparse(xml.serialise(root)), factories.ec_signing_key(bits).public_key)


@pytest.mark.parametrize(
    "how",
    [
        {"encrypt_to": None},
        {"encrypt_to": None, "sign_assertion": True},
        {"encrypt_to": None, "sign_assertion": True, "sign_response": False},
        {"sign_assertion": True, "encrypt": ("name-id", "attributes")},
        {},
    ],
)
def test_it_verifies_every_signature_in_the_responses_we_build(how):
    told = Attribute("urn:x", (" a\r\n\t<&>\u00e9\U0001f600\"' ", ""), friendly_name='"\t\r\n<&>')
    root = xml.reparse(factories.response_xml(attributes=(told, *factories.ATTRIBUTES), **how))
    signed = [block.getparent() for block in root.iter(f"{{{DS}}}Signature")]
    assert [xml.local_name(element) for element in signed] == (
        ["Response"] * how.get("sign_response", True) + ["Assertion"] * how.get("sign_assertion", False)
    )
    for element in signed:
        assert verified_by_xmlsec(element, factories.signing_key().public_key)


def signed_by_xmlsec(prefixes: str | None, root: etree._Element | None = None) -> etree._Element:
    root = message() if root is None else root
    block = template.create(root, constants.TransformExclC14N, constants.TransformRsaSha256, ns="ds")
    root.insert(1, block)
    reference = template.add_reference(block, constants.TransformSha256, uri="#_1")
    template.add_transform(reference, constants.TransformEnveloped)
    transform = template.add_transform(reference, constants.TransformExclC14N)
    for method in (transform, block[0][0]) if prefixes else ():
        etree.SubElement(method, f"{{{Algorithm.EXC_C14N}}}InclusiveNamespaces", PrefixList=prefixes)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(factories.key_pair()[0], constants.KeyDataFormatPem)
    context.register_id(root, "ID")
    context.sign(block)
    return xml.reparse(etree.tostring(root.getroottree()))


@pytest.mark.parametrize("prefixes", [None, "xs", "xs saml samlp", "#default xs"])
def test_we_verify_what_it_signs(prefixes):
    root = signed_by_xmlsec(prefixes)
    verified = signature.verify(root, keys=[factories.signing_key().public_key])
    assert verified[1].text == " a\r\n\t<&>\u00e9 "
    root[2].text = "other"
    with pytest.raises(Refused):
        signature.verify(root, keys=[factories.signing_key().public_key])


def test_we_verify_what_it_signs_inside_a_document_that_declares_the_prefixes():
    outer = etree.Element("outer", nsmap={"xs": XS, "unused": "urn:unused", None: "urn:default"})
    inner = message()
    outer.append(inner)
    outer = signed_by_xmlsec("xs unused", inner)
    assert signature.verify(outer[0], keys=[factories.signing_key().public_key]).get("ID") == "_1"


def test_we_verify_a_default_namespace_that_it_signs_for_its_own_sake():
    """`#default` in a prefix list, a default namespace in scope, and nothing that uses it: legal, if nobody does it."""
    outer = etree.Element("outer", nsmap={None: "urn:default"})
    inner = message()
    outer.append(inner)
    outer = signed_by_xmlsec("#default", inner)
    assert signature.verify(outer[0], keys=[factories.signing_key().public_key]).get("ID") == "_1"


@pytest.mark.parametrize("content", [constants.TransformAes128Gcm, constants.TransformAes256Gcm])
def test_we_decrypt_what_it_encrypts(content):
    wrapper = trees.new(f"{{{SAML}}}EncryptedAssertion", {"saml": SAML})
    assertion = trees.add(wrapper, f"{{{SAML}}}Assertion", "secret")
    data = template.encrypted_data_create(wrapper, content, type=constants.TypeEncElement, ns="xenc")
    template.encrypted_data_ensure_cipher_value(data)
    info = template.encrypted_data_ensure_key_info(data, ns="ds")
    key = template.add_encrypted_key(info, constants.TransformRsaOaep)
    template.encrypted_data_ensure_cipher_value(key)
    manager = xmlsec.KeysManager()
    public = factories.decryption_key().public_key
    manager.add_key(xmlsec.Key.from_memory(public, constants.KeyDataFormatDer))
    context = xmlsec.EncryptionContext(manager)
    size = 128 if content is constants.TransformAes128Gcm else 256
    context.key = xmlsec.Key.generate(constants.KeyDataAes, size, constants.KeyDataTypeSession)
    context.encrypt_xml(data, assertion)
    received = xml.reparse(etree.tostring(wrapper))
    assert encryption.decrypt(received, [factories.decryption_key()]).text == "secret"
