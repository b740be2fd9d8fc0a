"""A partner that we trust signs nonsense: whatever it says, we accept it or refuse it, and never fail over it.

What a signature protects is out of a fuzzer's reach, so here every message is changed first and signed afterwards.
Deterministic, as `test_properties` is.
"""

import random
from collections import Counter
from collections.abc import Callable

import pytest
from lxml import etree

from federation.errors import FederationError
from federation.saml import signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import authn_request
from federation.saml.codec import logout as logout_codec
from federation.saml.messages import NameIDPolicy, RequestedAuthnContext
from federation.saml.names import DS, SAML, SAMLP, XSI, NameIDFormat
from federation.saml.profiles import bearer_grant
from tests import factories, trees
from tests.attacks import catalogue_grant, deliveries, mutations
from tests.attacks.test_properties import MORE

Change = Callable[[etree._Element, random.Random], None]
VALUES = (
    *("", " ", "0", "-1", "true", "maybe", "65536", "9" * 20, "x y z", "a\tb\nc", "\u00a0x", "\u202e\u2028", "\ufffd"),
    *("a" * 3000, "\U0001f600" * 50, "<b>", "%00%ff", "{0}", "%s", "\u0130", "QQ==", "exact", "minimum", "maximum"),
    *("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "2026-03-04T10:00:00.9999999Z"),
    *("urn:x", "javascript:alert(1)", "http://[::1", "https://exa mple/", "//x", NameIDFormat.PERSISTENT),
)
NAMES = (
    *("ID", "Version", "IssueInstant", "Destination", "Consent", "InResponseTo", "ForceAuthn", "IsPassive", "Format"),
    *("AssertionConsumerServiceIndex", "AssertionConsumerServiceURL", "ProtocolBinding", "AllowCreate", "Comparison"),
    *("AttributeConsumingServiceIndex", "NameQualifier", "NotOnOrAfter", "NotBefore", "SessionIndex", "AuthnInstant"),
    *("SessionNotOnOrAfter", "Recipient", "Address", "Name", "NameFormat", "Value", "Method", "ProxyCount"),
    *(f"{{{XSI}}}type", f"{{{XSI}}}nil", "{http://www.w3.org/XML/1998/namespace}lang"),
)
TAGS = (
    *(f"{{{SAMLP}}}{name}" for name in ("Extensions", "NameIDPolicy", "Scoping", "IDPList", "Status", "StatusCode")),
    *(f"{{{SAMLP}}}{name}" for name in ("StatusDetail", "SessionIndex", "Artifact", "RequestedAuthnContext")),
    *(f"{{{SAML}}}{name}" for name in ("Issuer", "Subject", "NameID", "BaseID", "EncryptedID", "Conditions")),
    *(f"{{{SAML}}}{name}" for name in ("Audience", "OneTimeUse", "ProxyRestriction", "Advice", "AuthnContextDecl")),
    *(f"{{{SAML}}}{name}" for name in ("AttributeStatement", "AttributeValue", "EncryptedAttribute", "Assertion")),
    "{urn:x}y",
)


def set_anything(root: etree._Element, chance: random.Random) -> None:
    chance.choice(list(root.iter())).set(chance.choice(NAMES), chance.choice(VALUES))


def set_what_is_there(root: etree._Element, chance: random.Random) -> None:
    element = chance.choice([element for element in root.iter() if element.attrib])
    element.set(chance.choice(list(element.attrib)), chance.choice(VALUES))


def say_anything(root: etree._Element, chance: random.Random) -> None:
    chance.choice(list(root.iter())).text = chance.choice(VALUES)


def put_anything(root: etree._Element, chance: random.Random) -> None:
    target, new = chance.choice(list(root.iter())), etree.Element(chance.choice(TAGS))
    new.text = chance.choice((None, *VALUES))
    target.insert(chance.randrange(len(target) + 1), new)


CHANGES: tuple[Change, ...] = (
    *(set_anything, set_what_is_there, set_what_is_there, say_anything, put_anything),
    *(
        lambda root, chance, change=change: change(root, chance.choice)  # type: ignore[misc]
        for change in (mutations.delete, mutations.duplicate, mutations.move, mutations.swap, mutations.drop_attribute)
    ),
)


def request() -> etree._Element:
    asked = factories.request(
        name_id_policy=NameIDPolicy(NameIDFormat.PERSISTENT, factories.SP, True),
        requested_authn_context=RequestedAuthnContext(("urn:x",), "minimum"),
    )
    return xml.lift(authn_request.write(asked))


def response() -> etree._Element:
    return trees.response(factories.envelope(), xml.lift(assertion_codec.write(factories.assertion())))


KINDS: dict[str, tuple[Callable[[], etree._Element], str, Callable[[etree._Element], object]]] = {
    "response": (response, "idp", lambda root: factories.accept_response(xml.serialise(root))),
    "request": (request, "sp", lambda root: factories.accept_request(factories.posted(root, "SAMLRequest"))),
    "logout request": (
        lambda: xml.lift(logout_codec.write_request(deliveries.logout_request())),
        "sp",
        lambda root: deliveries.read_logout(factories.posted(root, "SAMLRequest")),
    ),
    "logout response": (
        lambda: xml.lift(logout_codec.write_response(deliveries.logout_response())),
        "sp",
        lambda root: deliveries.read_logout(factories.posted(root, "SAMLResponse")),
    ),
    "grant": (
        lambda: xml.parse(catalogue_grant.grant()),
        "idp",
        lambda root: bearer_grant.accept(
            xml.serialise(root),
            bearer_grant.Expected(
                partner=factories.idp_entity(), token_url=catalogue_grant.TOKEN_URL, now=factories.NOW
            ),
        ),
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_whatever_a_partner_signs_is_accepted_or_refused(name: str) -> None:
    make, key, judge = KINDS[name]
    chance, seen = random.Random(name), Counter[str]()
    for _ in range(150 * MORE):
        root = make()
        for old in root.findall(f"{{{DS}}}Signature"):
            root.remove(old)
        for _ in range(chance.choice((1, 1, 2, 3))):
            chance.choice(CHANGES)(root, chance)
        try:
            signature.sign(root, key=factories.signing_key(key))
            judge(root)
            seen["accepted"] += 1
        except FederationError as error:
            seen[error.rule] += 1
    assert len(seen) > 8
    assert seen["accepted"] > 0
