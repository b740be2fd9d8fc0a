"""Only one shape of signature is looked at: each rule refuses one freedom of XML Signature, before any key is used."""

from collections.abc import Callable

import pytest
from lxml import etree

from federation.errors import Refused
from federation.saml import signature, xml
from federation.saml.algorithms import Algorithms
from federation.saml.checks import run
from federation.saml.names import DS, SAML, SAMLP, XENC, Algorithm
from federation.saml.signature_shape import RULES, Candidate
from tests import factories, trees

Change = Callable[[etree._Element], object]


def signed() -> etree._Element:
    root = trees.new(f"{{{SAMLP}}}Response", {"samlp": SAMLP, "saml": SAML}, {"ID": "_1"})
    trees.add(root, f"{{{SAML}}}Issuer", factories.IDP)
    trees.add(root, f"{{{SAML}}}Text", "alice")
    signature.sign(root, key=factories.signing_key())
    return root


def verdict(root: etree._Element) -> str | None:
    block = next(root.iter(f"{{{DS}}}Signature"))
    try:
        run(RULES, (), Candidate(root, block, Algorithms()))
    except Refused as refused:
        return refused.rule
    return None


def ds(name: str) -> str:
    return f"{{{DS}}}{name}"


def find(root: etree._Element, name: str, position: int = 0) -> etree._Element:
    return list(root.iter(ds(name)))[position]


def duplicate(name: str) -> Change:
    def change(root: etree._Element) -> None:
        found = find(root, name)
        parent = found.getparent()
        assert parent is not None
        parent.insert(parent.index(found), xml.lift(found))

    return change


def remove(name: str) -> Change:
    def change(root: etree._Element) -> None:
        found = find(root, name)
        parent = found.getparent()
        assert parent is not None
        parent.remove(found)

    return change


def put(name: str, attribute: str, value: str, position: int = 0) -> Change:
    return lambda root: find(root, name, position).set(attribute, value)


def inside(name: str, tag: str, position: int = 0) -> Change:
    return lambda root: etree.SubElement(find(root, name, position), tag)


def text(name: str, value: str) -> Change:
    def change(root: etree._Element) -> None:
        find(root, name).text = value

    return change


def move_signature(position: int) -> Change:
    def change(root: etree._Element) -> None:
        root.insert(position, find(root, "Signature"))

    return change


def deeper(root: etree._Element) -> None:
    root[2].append(find(root, "Signature"))


def test_our_own_signature_has_the_shape() -> None:
    assert verdict(signed()) is None


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("signature.place", move_signature(3)),
        ("signature.place", move_signature(0)),
        ("signature.place", duplicate("Signature")),
        ("signature.place", deeper),
        ("signature.shape", remove("SignedInfo")),
        ("signature.shape", remove("Reference")),
        ("signature.shape", remove("SignatureValue")),
        ("signature.shape", remove("DigestMethod")),
        ("signature.shape", remove("DigestValue")),
        ("signature.shape", remove("Transforms")),
        ("signature.shape", remove("CanonicalizationMethod")),
        ("signature.shape", duplicate("SignedInfo")),
        ("signature.shape", duplicate("Reference")),
        ("signature.shape", duplicate("SignatureValue")),
        ("signature.shape", duplicate("DigestValue")),
        ("signature.shape", duplicate("DigestMethod")),
        ("signature.shape", duplicate("KeyInfo")),
        ("signature.shape", inside("Signature", ds("Object"))),
        ("signature.shape", inside("Signature", f"{{{SAML}}}Assertion")),
        ("signature.shape", inside("SignedInfo", ds("Object"))),
        ("signature.reference", put("Reference", "URI", "")),
        ("signature.reference", put("Reference", "URI", "#")),
        ("signature.reference", put("Reference", "URI", "_1")),
        ("signature.reference", put("Reference", "URI", "#_2")),
        ("signature.reference", put("Reference", "URI", "#_1 ")),
        ("signature.reference", put("Reference", "URI", "#xpointer(id('_1'))")),
        ("signature.reference", put("Reference", "URI", "#xpointer(/)")),
        ("signature.reference", put("Reference", "URI", "file:///etc/passwd")),
        ("signature.reference", put("Reference", "URI", "http://127.0.0.1:9/#_1")),
        ("signature.reference", lambda root: find(root, "Reference").attrib.pop("URI")),
        ("signature.transforms", remove("Transform")),
        ("signature.transforms", duplicate("Transform")),
        ("signature.transforms", inside("Transforms", ds("Transform"))),
        ("signature.transforms", inside("Transform", ds("XPath"))),
        ("signature.transforms", inside("Transform", "anything", position=1)),
        ("signature.transforms", put("Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xslt-19991116", 1)),
        ("signature.transforms", put("Transform", "Algorithm", "http://www.w3.org/TR/1999/REC-xpath-19991116", 1)),
        ("signature.transforms", put("Transform", "Algorithm", "http://www.w3.org/2002/06/xmldsig-filter2", 1)),
        ("signature.transforms", put("Transform", "Algorithm", f"{DS}base64", 1)),
        ("signature.transforms", put("Transform", "Algorithm", f"{Algorithm.EXC_C14N}WithComments", 1)),
        ("signature.transforms", put("Transform", "Algorithm", Algorithm.EXC_C14N, 0)),
        (
            "signature.canonicalization",
            put("CanonicalizationMethod", "Algorithm", "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"),
        ),
        ("signature.canonicalization", put("CanonicalizationMethod", "Algorithm", f"{Algorithm.EXC_C14N}WithComments")),
        ("signature.canonicalization", inside("CanonicalizationMethod", "anything")),
        ("signature.algorithm", put("SignatureMethod", "Algorithm", f"{DS}rsa-sha1")),
        ("signature.algorithm", put("SignatureMethod", "Algorithm", f"{DS}dsa-sha1")),
        ("signature.algorithm", put("SignatureMethod", "Algorithm", f"{DS}hmac-sha1")),
        ("signature.algorithm", put("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#rsa-md5")),
        (
            "signature.algorithm",
            put("SignatureMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"),
        ),
        ("signature.algorithm", put("SignatureMethod", "Algorithm", "")),
        ("signature.algorithm", inside("SignatureMethod", ds("HMACOutputLength"))),
        ("signature.digest", put("DigestMethod", "Algorithm", Algorithm.SHA1)),
        ("signature.digest", put("DigestMethod", "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#md5")),
        ("signature.digest", inside("DigestMethod", "anything")),
        ("signature.base64", inside("DigestValue", "anything")),
        ("signature.base64", inside("SignatureValue", "anything")),
        ("signature.base64", text("DigestValue", "")),
        ("signature.base64", text("DigestValue", "not base64!")),
        ("signature.base64", text("SignatureValue", "AAA")),
        ("signature.base64", text("SignatureValue", " ")),
        ("signature.key_info", inside("KeyInfo", f"{{{SAML}}}Assertion")),
        ("signature.key_info", inside("KeyInfo", ds("RetrievalMethod"))),
        ("signature.key_info", inside("KeyInfo", f"{{{XENC}}}EncryptedKey")),
        ("signature.key_info", inside("X509Data", f"{{{SAML}}}Assertion")),
        ("signature.key_info", text("KeyInfo", "text")),
    ],
)
def test_every_other_shape_is_refused(rule: str, change: Change) -> None:
    root = signed()
    change(root)
    assert verdict(root) == rule


def test_key_info_may_be_absent_or_describe_a_key() -> None:
    root = signed()
    info = find(root, "KeyInfo")
    for child in list(info):
        info.remove(child)
    etree.SubElement(info, ds("KeyName")).text = "the key"
    value = etree.SubElement(etree.SubElement(info, ds("KeyValue")), ds("RSAKeyValue"))
    etree.SubElement(value, ds("Modulus")).text = "AQAB"
    assert verdict(root) is None
    remove("KeyInfo")(root)
    assert verdict(root) is None


def test_values_may_be_broken_into_lines() -> None:
    root = signed()
    value = find(root, "SignatureValue")
    value.text = "\n".join((value.text or "")[start : start + 64] for start in range(0, len(value.text or ""), 64))
    assert verdict(root) is None
