"""Web Browser SSO, the response: the rules on its envelope, one clause each (SAML Profiles 4.1.4.2; SAML Core 3).

The rules on the assertion in it are in `sso_assertion_rules`, those on how the person was authenticated in
`sso_authn_rules`.
"""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.bindings.parameters import RESPONSE as SAML_RESPONSE
from federation.saml.checks import Seen, rule
from federation.saml.codec.assertion import ASSERTION
from federation.saml.codec.response import RESPONSE
from federation.saml.messages import Received
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import common
from federation.saml.profiles.sso_response_context import Envelope

FORM: Final = "SAML Core 3.3.3; SAML 2.0 schemas"


# How it came ----------------------------------------------------------------------------------------------------------


@rule("response.binding", "SAML Profiles 4.1.2, 4.1.4.5")
def binding(received: Received) -> Seen:
    """It came as a response, by a binding that this profile allows for one: never by HTTP-Redirect."""
    ok = received.binding in (Binding.POST, Binding.ARTIFACT) and received.parameter == SAML_RESPONSE
    return ok, "SAMLResponse by HTTP-POST or HTTP-Artifact", f"{received.parameter}, {received.binding}"


@rule("response.root", "SAML Core 3.3.3")
def root(element: etree._Element) -> Seen:
    """The document is a Response: nothing around it."""
    return element.tag == RESPONSE, "Response", xml.local_name(element)


@rule("response.signatures", "SAML Core 5.4.2")
def signatures(element: etree._Element) -> Seen:
    """No signature but the response's and its assertion's own."""
    return common.signatures_in_place(element, also_in=(ASSERTION,))


@rule("response.assertions", "SAML Core 3.3.3; SAML Profiles 4.1.4.2")
def assertions(element: etree._Element) -> Seen:
    """No assertion but as a child of the response, or in the advice of that: none in extensions, details or values."""
    return common.assertions_in_place(element)


# The response ---------------------------------------------------------------------------------------------------------


@rule("response.version", "SAML Core 4.1")
def version(envelope: Envelope) -> Seen:
    """It is SAML 2.0."""
    return common.version(envelope.element)


@rule("response.issuer", "SAML Profiles 4.1.4.2")
def issuer(envelope: Envelope) -> Seen:
    """Its Issuer is the IdP we expect; it may be left out only when nothing in it is signed or encrypted as a whole."""
    expected, received = envelope.expected.idp.entity_id, envelope.response.issuer
    if received is None:
        required = envelope.signed or envelope.encrypted
        return not required, expected if required else f"{expected}, or none", "none"
    return common.same(expected, received)


@rule("response.idp_metadata", "SAML Metadata 2.3.2, 2.4.1")
def idp_metadata(envelope: Envelope) -> Seen:
    """What we know about the IdP is still valid."""
    expected = envelope.expected
    return common.metadata_valid(expected.idp, expected.idp.idp, now=expected.now)


@rule("response.destination", "SAML Core 3.2.2; SAML Bindings 3.5.5.2")
def destination(envelope: Envelope) -> Seen:
    """Destination is our endpoint, exactly; a signed response must have one."""
    expected, received = envelope.expected.acs_url, envelope.response.destination
    if received is None:
        return not envelope.signed, expected if envelope.signed else f"{expected}, or none", "none"
    return common.same(expected, received)


@rule("response.issue_instant", "SAML Core 3.2.2")
def issue_instant(envelope: Envelope) -> Seen:
    """It was issued just now, as clocks go."""
    expected = envelope.expected
    instant = envelope.response.issue_instant
    return common.issued_in_window(instant, now=expected.now, skew=expected.skew, max_age=expected.max_age)


@rule("response.in_response_to", "SAML Profiles 4.1.4.3, 4.1.5; SAML Core 3.2.2")
def in_response_to(envelope: Envelope) -> Seen:
    """It answers the request that this browser began; an unsolicited one answers none, and is allowed here."""
    expected, received = envelope.expected, envelope.response.in_response_to
    if expected.request_id is not None:
        return common.same(expected.request_id, received)
    wanted = "an unsolicited response" if expected.allow_unsolicited else "an answer to a request of ours"
    ok = expected.allow_unsolicited and received is None
    return ok, wanted, "an unsolicited response" if received is None else f"an answer to {received}"


@rule("response.status", "SAML Core 3.2.2.2")
def status(envelope: Envelope) -> Seen:
    """Its status is Success."""
    received = envelope.response.status
    codes = " / ".join(code for code in (received.code, received.second_level) if code is not None)
    return received.code == StatusCode.SUCCESS, StatusCode.SUCCESS, codes


@rule("response.one_assertion", "SAML Profiles 4.1.4.2; SDP-IDP10")
def one_assertion(envelope: Envelope) -> Seen:
    """It holds exactly one assertion, plain or encrypted."""
    count = len(envelope.assertions)
    return count == 1, "1", str(count)


@rule("assertion.signed", "SAML Profiles 4.1.4.5, 5.1; SDP-IDP09")
def covered(response_signed: bool, assertion_signed: bool) -> Seen:
    """A verified signature covers the assertion: the response's, its own, or both. Encryption covers nothing.

    A response that was taken out of the signed answer to an artifact is covered by that answer's signature.
    """
    received = {
        (True, True): "response and assertion signed",
        (True, False): "response signed",
        (False, True): "assertion signed",
        (False, False): "no signature",
    }[(response_signed, assertion_signed)]
    return response_signed or assertion_signed, "response or assertion signed", received


TRANSPORT: Final = (binding,)
DOCUMENT: Final = (root, signatures, assertions)
ENVELOPE: Final = (version, issuer, idp_metadata, destination, issue_instant, in_response_to)
STATUS: Final = (status,)
CONTENT: Final = (one_assertion,)
COVERED: Final = (covered,)
