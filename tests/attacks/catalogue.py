"""For each named check one message that is wrong in just that way, and otherwise perfect.

Where a message has to be signed, the IdP (or the SP) signed it as it is: only the one check stands between it and us.
`behind` names the rule that refuses it too when the first is gone, where there is a second line, or the exception that
our own code would fail with; None where nothing else would notice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from lxml import etree

from federation.saml import encryption, encryption_shape, signature, signature_shape, xml
from federation.saml.algorithms import Algorithms, allowed
from federation.saml.checks import Rule
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as response_codec
from federation.saml.messages import RequestedAuthnContext, Status
from federation.saml.names import XENC, Algorithm, Binding, ConfirmationMethod, StatusCode
from federation.saml.profiles import sso_assertion_rules, sso_authn_rules, sso_response, sso_response_rules
from tests import factories, trees
from tests.attacks.forging import (
    A,
    D,
    P,
    copied,
    encrypted,
    evil_assertion,
    genuine,
    sign_as,
    signature_in,
    signed_around,
)
from tests.factories import NOW, assertion, authn_statement, confirmation, envelope, signed_response

MINUTE = timedelta(minutes=1)
OTHER = "https://other.example.net/acs"
X = f"{{{XENC}}}"


@dataclass(frozen=True, slots=True)
class Attack:
    """A rule, how to make a message that breaks it, and what the receiver expects besides the usual."""

    rule: Rule[...]
    name: str
    message: Callable[[], Any]
    expected: Callable[[], Mapping[str, Any]] = field(default=dict)
    behind: str | None = None

    def rule_name(self) -> str:
        """The name under which the rule refuses."""
        return self.rule.rule


LEGACY_CBC = allowed(("legacy-cbc",))
LEGACY_RSA15 = allowed(("legacy-rsa15",))


def put(name: str, value: str) -> Callable[[etree._Element], None]:
    """Set an attribute."""
    return lambda element: element.set(name, value)


def conditions(**more: Any) -> bytes:
    """A signed response whose conditions are changed."""
    usual = assertion().conditions
    assert usual is not None
    return signed_response(assertion(conditions=replace(usual, **more)))


def confirmed(**more: Any) -> bytes:
    """A signed response whose one confirmation is changed."""
    return signed_response(assertion(subject_confirmations=(confirmation(**more),)))


def stated(**more: Any) -> bytes:
    """A signed response whose authentication statement is changed."""
    return signed_response(assertion(authn_statements=(authn_statement(**more),)))


def in_extensions(*inside: etree._Element) -> bytes:
    """A response with a signed assertion, to whose unsigned envelope something was added."""
    root = genuine()
    extensions = etree.Element(f"{P}Extensions")
    extensions.extend(inside)
    root.insert(1, extensions)
    return xml.serialise(root)


def in_a_value(tag: str) -> etree._Element:
    """An assertion with an element parked in an attribute value."""
    element = xml.lift(assertion_codec.write(assertion()))
    etree.SubElement(next(element.iter(f"{A}AttributeValue")), tag)
    return element


def odd_signature(**odd: Any) -> bytes:
    """A response signed soundly, in an odd way."""
    root = trees.response(envelope(), xml.lift(assertion_codec.write(assertion())))
    sign_as(root, **odd)
    return xml.serialise(root)


def odd_encryption(change: Callable[[etree._Element], object]) -> Callable[[], bytes]:
    """A signed response with an assertion encrypted in an odd way."""
    return lambda: signed_around(encrypted(xml.lift(assertion_codec.write(assertion())), change))


def under(tag: str, inner: str, position: int = 0, **attributes: str) -> Callable[[etree._Element], object]:
    """Add an element to the nth of this name."""
    return lambda root: etree.SubElement(list(root.iter(tag))[position], inner, attributes)


def changed_content() -> bytes:
    """A captured response in which a name was changed."""
    return signed_response().replace(b"_f81d", b"admin")


def many_wrapped_keys(wrapper: etree._Element) -> None:
    """Repeat the EncryptedKey."""
    holder = next(wrapper.iter(f"{D}KeyInfo"))
    for _ in range(encryption_shape.MAX_WRAPPED_KEYS):
        holder.append(copied(holder[0]))


RESPONSES = (
    Attack(
        sso_response_rules.binding,
        "a response by HTTP-Redirect",
        lambda: factories.posted(signed_response())._replace(binding=Binding.REDIRECT),
    ),
    Attack(
        sso_response_rules.binding,
        "a response as a request",
        lambda: factories.posted(signed_response(), "SAMLRequest"),
    ),
    Attack(
        sso_response_rules.root,
        "a response inside another element",
        lambda: b"<x>" + signed_response() + b"</x>",
        behind="response.signatures",
    ),
    Attack(
        sso_response_rules.signatures,
        "a signature parked in extensions",
        lambda: in_extensions(signature_in(genuine("response"))),
    ),
    Attack(
        sso_response_rules.assertions,
        "an assertion parked in extensions",
        lambda: in_extensions(evil_assertion()),
    ),
    Attack(sso_response_rules.version, "SAML 1.1", lambda: signed_response(change=put("Version", "1.1"))),
    Attack(
        sso_response_rules.issuer,
        "another issuer on the envelope",
        lambda: signed_response(inside=envelope(issuer="https://other.example.net"), sign="both"),
    ),
    Attack(
        sso_response_rules.issuer,
        "no issuer on a signed envelope",
        lambda: signed_response(inside=envelope(issuer=None)),
    ),
    Attack(
        sso_response_rules.idp_metadata,
        "an identity provider whose metadata ran out",
        signed_response,
        lambda: {"idp": replace(factories.idp_entity(), valid_until=NOW)},
    ),
    Attack(
        sso_response_rules.idp_metadata,
        "an identity provider whose role ran out",
        signed_response,
        lambda: {"idp": factories.idp_entity(valid_until=NOW)},
    ),
    Attack(
        sso_response_rules.destination,
        "for another endpoint",
        lambda: signed_response(inside=envelope(destination=OTHER)),
    ),
    Attack(
        sso_response_rules.destination,
        "for an endpoint that begins like ours",
        lambda: signed_response(inside=envelope(destination=f"{factories.ACS_URL}.evil.example")),
    ),
    Attack(
        sso_response_rules.destination,
        "signed without a destination",
        lambda: signed_response(inside=envelope(destination=None)),
    ),
    Attack(
        sso_response_rules.issue_instant,
        "an old envelope",
        lambda: signed_response(inside=envelope(issue_instant=NOW - 60 * MINUTE)),
    ),
    Attack(
        sso_response_rules.issue_instant,
        "an envelope from the future",
        lambda: signed_response(inside=envelope(issue_instant=NOW + 60 * MINUTE)),
    ),
    Attack(
        sso_response_rules.in_response_to,
        "an answer to another request",
        lambda: signed_response(inside=envelope(in_response_to="_other")),
    ),
    Attack(
        sso_response_rules.in_response_to,
        "an unsolicited response where a request was made",
        lambda: signed_response(inside=envelope(in_response_to=None)),
    ),
    Attack(
        sso_response_rules.in_response_to,
        "an unsolicited response that nobody allowed",
        lambda: signed_response(
            assertion(subject_confirmations=(confirmation(in_response_to=None),)), envelope(in_response_to=None)
        ),
        lambda: {"request_id": None},
    ),
    Attack(
        sso_response_rules.in_response_to,
        "a stolen answer as an unsolicited response",
        lambda: signed_response(assertion(subject_confirmations=(confirmation(in_response_to=None),))),
        lambda: {"request_id": None, "allow_unsolicited": True},
    ),
    Attack(
        sso_response_rules.status,
        "an error with an assertion",
        lambda: signed_response(inside=envelope(status=Status(StatusCode.RESPONDER, StatusCode.SUCCESS))),
    ),
    Attack(
        sso_response_rules.one_assertion,
        "two assertions",
        lambda: signed_around(
            xml.lift(assertion_codec.write(assertion())),
            xml.lift(assertion_codec.write(assertion(id="_second", name_id=None))),
        ),
    ),
    Attack(
        sso_response_rules.one_assertion,
        "an injected encrypted assertion behind a signed one",
        lambda: xml.serialise(appended(genuine(), encrypted(evil_assertion()))),
    ),
    Attack(sso_response_rules.covered, "no signature at all", lambda: signed_response(sign="nothing")),
    Attack(
        sso_response_rules.covered,
        "encrypted and not signed",
        lambda: xml.serialise(appended(xml.lift(response_codec.write(envelope())), encrypted(evil_assertion()))),
    ),
    Attack(
        sso_assertion_rules.assertion_root,
        "another element, encrypted",
        lambda: signed_around(encrypted(b"<saml:Issuer>x</saml:Issuer>")),
        behind="xml.root",
    ),
    Attack(
        sso_assertion_rules.assertion_assertions,
        "an assertion parked in a value, encrypted",
        lambda: signed_around(encrypted(in_a_value(f"{A}Assertion"))),
    ),
    Attack(
        sso_assertion_rules.assertion_signatures,
        "a signature parked in a value, encrypted",
        lambda: signed_around(encrypted(in_a_value(f"{D}Signature"))),
    ),
    Attack(
        sso_assertion_rules.assertion_version,
        "a SAML 1.1 assertion",
        lambda: signed_response(change_assertion=put("Version", "1.1")),
    ),
    Attack(
        sso_assertion_rules.assertion_issuer,
        "an assertion in another identity provider's name",
        lambda: signed_response(assertion(issuer="https://other.example.net")),
    ),
    Attack(
        sso_assertion_rules.assertion_issue_instant,
        "an old assertion",
        lambda: signed_response(assertion(issue_instant=NOW - 60 * MINUTE)),
    ),
    Attack(
        sso_assertion_rules.known_conditions,
        "a condition that nobody knows",
        lambda: signed_response(change_assertion=under(f"{A}Conditions", "{urn:x}OnlyOnSundays")),
    ),
    Attack(
        sso_assertion_rules.audience,
        "for another service provider",
        lambda: conditions(audience_restrictions=((factories.OTHER_SP,),)),
    ),
    Attack(sso_assertion_rules.audience, "for nobody in particular", lambda: conditions(audience_restrictions=())),
    Attack(sso_assertion_rules.audience, "without conditions", lambda: signed_response(assertion(conditions=None))),
    Attack(
        sso_assertion_rules.audience,
        "restricted twice, once to somebody else",
        lambda: conditions(audience_restrictions=((factories.SP,), (factories.OTHER_SP,))),
    ),
    Attack(
        sso_assertion_rules.audience,
        "for somebody whose name begins like ours",
        lambda: conditions(
            audience_restrictions=((f"{factories.SP}/", factories.SP.upper(), f" {factories.SP}.evil"),)
        ),
    ),
    Attack(sso_assertion_rules.not_before, "not valid yet", lambda: conditions(not_before=NOW + 5 * MINUTE)),
    Attack(sso_assertion_rules.not_on_or_after, "valid no more", lambda: conditions(not_on_or_after=NOW - 5 * MINUTE)),
    Attack(
        sso_authn_rules.authn_statement,
        "nothing about a sign-in",
        lambda: signed_response(assertion(authn_statements=())),
    ),
    Attack(sso_authn_rules.authn_instant, "a sign-in in the future", lambda: stated(authn_instant=NOW + 60 * MINUTE)),
    Attack(
        sso_authn_rules.session, "a session that has ended", lambda: stated(session_not_on_or_after=NOW - 5 * MINUTE)
    ),
    Attack(
        sso_authn_rules.authn_context,
        "another authentication context than requested",
        signed_response,
        lambda: {"requested_authn_context": RequestedAuthnContext(("https://refeds.org/profile/mfa",))},
    ),
    Attack(
        sso_authn_rules.force_authn,
        "an old sign-in where a new one was demanded",
        lambda: stated(authn_instant=NOW - 60 * MINUTE),
        lambda: {"force_authn": True, "request_instant": NOW - MINUTE},
    ),
    Attack(
        sso_assertion_rules.bearer,
        "only for the holder of a key",
        lambda: confirmed(method=ConfirmationMethod.HOLDER_OF_KEY),
    ),
    Attack(
        sso_assertion_rules.bearer, "not confirmed at all", lambda: signed_response(assertion(subject_confirmations=()))
    ),
    Attack(sso_assertion_rules.recipient, "for another recipient", lambda: confirmed(recipient=OTHER)),
    Attack(sso_assertion_rules.recipient, "for no recipient", lambda: confirmed(recipient=None)),
    Attack(
        sso_assertion_rules.confirmation_end,
        "too late to be delivered",
        lambda: confirmed(not_on_or_after=NOW - 5 * MINUTE),
    ),
    Attack(sso_assertion_rules.confirmation_end, "deliverable for ever", lambda: confirmed(not_on_or_after=None)),
    Attack(
        sso_assertion_rules.confirmation_start, "a bearer confirmation with a start", lambda: confirmed(not_before=NOW)
    ),
    Attack(
        sso_assertion_rules.confirmation_in_response_to,
        "confirmed for another request",
        lambda: confirmed(in_response_to="_other"),
    ),
    Attack(
        sso_assertion_rules.confirmation_in_response_to,
        "confirmed for a request where none was made",
        lambda: signed_response(inside=envelope(in_response_to=None)),
        lambda: {"request_id": None, "allow_unsolicited": True},
    ),
)
"""Responses for the service provider."""


def appended(root: etree._Element, *more: etree._Element) -> etree._Element:
    """Children added at the end."""
    root.extend(more)
    return root


SIGNATURES = (
    Attack(
        signature_shape.place,
        "a sound signature in another place",
        lambda: odd_signature(position=2),
    ),
    Attack(
        signature_shape.shape,
        "an object that is not signed",
        lambda: odd_signature(change=lambda block: etree.SubElement(block, f"{D}Object").append(etree.Element("x"))),
    ),
    Attack(
        signature_shape.shape,
        "two signature values",
        lambda: odd_signature(change=lambda block: block.append(copied(block[1]))),
    ),
    Attack(signature_shape.reference, "a reference to the whole document", lambda: odd_signature(uri="")),
    Attack(
        signature_shape.reference,
        "a reference to somewhere else",
        lambda: odd_signature(uri=f"#{factories.ASSERTION_ID}"),
    ),
    Attack(
        signature_shape.reference,
        "a reference by xpointer",
        lambda: odd_signature(uri=f"#xpointer(id('{factories.RESPONSE_ID}'))"),
    ),
    Attack(
        signature_shape.transforms,
        "comments kept",
        lambda: odd_signature(transforms=(Algorithm.ENVELOPED, f"{Algorithm.EXC_C14N}WithComments")),
    ),
    Attack(
        signature_shape.transforms,
        "a program as transform",
        lambda: odd_signature(
            transforms=(Algorithm.ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116", Algorithm.EXC_C14N)
        ),
    ),
    Attack(
        signature_shape.transforms,
        "a path as transform",
        lambda: odd_signature(
            transforms=(Algorithm.ENVELOPED, "http://www.w3.org/TR/1999/REC-xpath-19991116", Algorithm.EXC_C14N)
        ),
    ),
    Attack(
        signature_shape.canonicalization,
        "comments kept in SignedInfo",
        lambda: odd_signature(canonicalization=f"{Algorithm.EXC_C14N}WithComments"),
    ),
    Attack(
        signature_shape.algorithm,
        "an algorithm that is not allowed here",
        signed_response,
        lambda: {"algorithms": Algorithms(signature=frozenset({Algorithm.RSA_SHA512}))},
    ),
    Attack(
        signature_shape.digest,
        "a digest that is not allowed here",
        signed_response,
        lambda: {"algorithms": Algorithms(digest=frozenset({Algorithm.SHA512}))},
    ),
    Attack(
        signature_shape.base64_values,
        "a second value inside the value",
        lambda: odd_signature(change=lambda block: etree.SubElement(block[1], "x")),
        behind="signature.value",
    ),
    Attack(
        signature_shape.key_info,
        "a key to be fetched",
        lambda: odd_signature(
            change=lambda block: etree.SubElement(
                etree.SubElement(block, f"{D}KeyInfo"), f"{D}RetrievalMethod", URI="http://127.0.0.1:9/"
            )
        ),
    ),
    Attack(signature._content, "content changed after signing", changed_content),
    Attack(
        signature._key_known,
        "an identity provider without a signing key",
        signed_response,
        lambda: {"idp": factories.idp_entity(keys=())},
        behind="signature.value",
    ),
    Attack(signature._value, "signed by somebody else", lambda: signed_response(key=factories.signing_key("mallory"))),
    Attack(
        signature._value,
        "one of two signatures by somebody else",
        lambda: xml.serialise(signed_by_mallory_inside()),
    ),
)
"""Signatures of responses."""


def signed_by_mallory_inside() -> etree._Element:
    """A response that the IdP signed around an assertion that mallory signed."""
    element = xml.lift(assertion_codec.write(assertion()))
    signature.sign(element, key=factories.signing_key("mallory"))
    root = trees.response(envelope(), element)
    signature.sign(root, key=factories.signing_key("idp"))
    return root


ENCRYPTION = (
    Attack(
        encryption_shape.structure,
        "content instead of an element",
        odd_encryption(lambda wrapper: wrapper[0].set("Type", f"{XENC}Content")),
    ),
    Attack(
        encryption_shape.method,
        "an unknown parameter of the content method",
        odd_encryption(under(f"{X}EncryptionMethod", "x")),
    ),
    Attack(encryption_shape.keys, "too many wrapped keys", odd_encryption(many_wrapped_keys)),
    Attack(
        encryption_shape.key_transport,
        "an unknown parameter of the key transport",
        odd_encryption(under(f"{X}EncryptionMethod", "x", 1)),
    ),
    Attack(
        encryption_shape.covered,
        "content without authentication in an unsigned envelope, to be varied until something answers",
        lambda: factories.response_xml(sign_response=False, algorithms=LEGACY_CBC),
        lambda: {"algorithms": LEGACY_CBC},
    ),
    Attack(
        encryption_shape.covered,
        "a content key in an unsigned envelope, to be varied until something answers",
        lambda: factories.response_xml(sign_response=False, algorithms=LEGACY_RSA15),
        lambda: {"algorithms": LEGACY_RSA15},
    ),
    Attack(
        encryption_shape.key_info,
        "a key to be fetched from a file",
        odd_encryption(under(f"{D}KeyInfo", f"{D}RetrievalMethod", URI="file:///etc/passwd")),
    ),
    Attack(
        encryption_shape.inline,
        "content to be fetched",
        odd_encryption(under(f"{X}CipherData", f"{X}CipherReference", 1, URI="file:///etc/passwd")),
    ),
    Attack(
        encryption._opens,
        "encrypted to somebody else",
        lambda: factories.response_xml(encrypt_to=factories.descriptor(factories.decryption_key("other"))),
        behind="assertion.root",
    ),
)
"""Encrypted assertions in responses."""


UNSIGNED = (
    Attack(
        signature._present,
        "an element without a signature, to be verified",
        lambda: genuine(sign="nothing"),
        behind="StopIteration",
    ),
)
"""Elements for the verifier itself: whoever calls it looks for a signature first."""


def judge(attack: Attack) -> object:
    """Let the SP decide on a response."""
    message = attack.message()
    if attack in UNSIGNED:
        return signature.verify(message, keys=(factories.signing_key("idp").public_key,))
    received = factories.posted(message) if isinstance(message, bytes) else message
    return sso_response.accept(received, factories.expectations(**attack.expected()))


ATTACKS = (*RESPONSES, *SIGNATURES, *ENCRYPTION, *UNSIGNED)
