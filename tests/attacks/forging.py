"""An attacker's tools: signatures of any shape, and messages put together from parts of genuine ones."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Sequence

from lxml import etree

from federation.saml import encryption, signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.messages import Attribute, NameID
from federation.saml.names import DS, SAML, SAMLP, Algorithm
from federation.saml.signature import SigningKey
from tests import factories, trees

A = f"{{{SAML}}}"
P = f"{{{SAMLP}}}"
D = f"{{{DS}}}"
EVIL_ID = "_" + "e" * 32
MALLORY = "mallory"

Change = Callable[[etree._Element], object]


def sign_as(
    element: etree._Element,
    *,
    key: SigningKey | None = None,
    uri: str | None = None,
    transforms: Sequence[str] = (Algorithm.ENVELOPED, Algorithm.EXC_C14N),
    canonicalization: str = Algorithm.EXC_C14N,
    method: str = Algorithm.RSA_SHA256,
    digest: str = Algorithm.SHA256,
    hash_name: str = "sha256",
    value: Callable[[bytes], bytes] | None = None,
    change_signed_info: Change | None = None,
    change: Change | None = None,
    position: int = 1,
) -> etree._Element:
    """Put a signature into the element that is cryptographically sound and otherwise whatever the attacker likes.

    The digest is over the element as it is, in exclusive canonical form; `value` makes the signature value from the
    octets of SignedInfo; `change` sees the whole Signature when it is done. Answers the Signature.
    """
    key = key or factories.signing_key("idp")
    block = etree.Element(f"{D}Signature", nsmap={"ds": DS})
    info = trees.add(block, f"{D}SignedInfo")
    trees.add(info, f"{D}CanonicalizationMethod", None, {"Algorithm": canonicalization})
    trees.add(info, f"{D}SignatureMethod", None, {"Algorithm": method})
    reference = trees.add(info, f"{D}Reference", None, {"URI": f"#{element.get('ID')}" if uri is None else uri})
    steps = trees.add(reference, f"{D}Transforms")
    for transform in transforms:
        trees.add(steps, f"{D}Transform", None, {"Algorithm": transform})
    trees.add(reference, f"{D}DigestMethod", None, {"Algorithm": digest})
    octets = xml.canonical(xml.lift(element))
    trees.add(reference, f"{D}DigestValue", factories.base64_text(hashlib.new(hash_name, octets).digest()))
    if change_signed_info is not None:
        change_signed_info(info)
    signed = xml.canonical(xml.lift(info))
    made = key.sign(signed, Algorithm.RSA_SHA256) if value is None else value(signed)
    trees.add(block, f"{D}SignatureValue", factories.base64_text(made))
    if change is not None:
        change(block)
    element.insert(position, block)
    return block


def genuine(sign: str = "assertion") -> etree._Element:
    """A genuine response of the IdP, as captured by the attacker: parsed, `sign` as in `factories.signed_response`."""
    return xml.parse(factories.signed_response(sign=sign))


def assertion_in(root: etree._Element) -> etree._Element:
    """The assertion in a captured response."""
    found = root.find(f"{A}Assertion")
    assert found is not None
    return found


def signature_in(element: etree._Element) -> etree._Element:
    """The signature of a captured element."""
    found = element.find(f"{D}Signature")
    assert found is not None
    return found


def evil_assertion(identifier: str = EVIL_ID) -> etree._Element:
    """What the attacker wants to be read: an unsigned assertion about somebody else, otherwise perfect."""
    attributes = (Attribute("urn:oid:0.9.2342.19200300.100.1.3", ("admin@example.org",)),)
    forged = factories.assertion(id=identifier, name_id=NameID(MALLORY), attributes=attributes)
    return xml.lift(assertion_codec.write(forged))


def evil_response(*inside: etree._Element) -> etree._Element:
    """An unsigned response around the given assertions, otherwise perfect."""
    root = xml.lift(response_codec.write(factories.envelope(id="_" + "f" * 32)))
    root.extend(inside)
    return root


def without_signature(element: etree._Element) -> etree._Element:
    """A copy of a captured element without its signature."""
    bare = xml.lift(element)
    bare.remove(signature_in(bare))
    return bare


def copied(element: etree._Element) -> etree._Element:
    """A copy that can be put elsewhere."""
    lifted = copy.deepcopy(element)
    lifted.tail = None
    return lifted


def encrypted(content: etree._Element | bytes, change: Change | None = None) -> etree._Element:
    """An EncryptedAssertion to the SP, which anybody can make, changed as the attacker likes."""
    wrapper = trees.new(f"{A}EncryptedAssertion", {"saml": SAML})
    key = factories.descriptor(factories.decryption_key(), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(content, key=key)))
    if change is not None:
        change(wrapper)
    return wrapper


def signed_around(*inside: etree._Element, change: Change | None = None) -> bytes:
    """A response that the IdP really signed, with whatever is inside."""
    root = xml.lift(response_codec.write(factories.envelope()))
    root.extend(inside)
    if change is not None:
        change(root)
    signature.sign(root, key=factories.signing_key("idp"))
    return xml.serialise(root)
