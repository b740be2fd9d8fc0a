"""Single Logout: its rules, one clause each (SAML Profiles 4.4.4; SAML Core 3.7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.bindings.parameters import REQUEST as SAML_REQUEST
from federation.saml.bindings.parameters import RESPONSE as SAML_RESPONSE
from federation.saml.checks import Seen, rule
from federation.saml.codec.logout import LOGOUT_REQUEST, LOGOUT_RESPONSE
from federation.saml.messages import LogoutRequest, LogoutResponse, Received
from federation.saml.metadata.entity import Entity, Role
from federation.saml.names import Binding
from federation.saml.profiles import common
from federation.saml.times import format_instant

FORM: Final = "SAML Core 3.7; SAML 2.0 protocol schema"
_BINDINGS: Final = (Binding.REDIRECT, Binding.POST, Binding.SOAP)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogoutExpectations:
    """Everything a logout message is held against. None of it comes from the message.

    `destination` is our endpoint where it arrived. `partner` is the entity that the message names as its Issuer, `role`
    the role in which it is our partner. `request_id` is the ID of our own request, for a response. `skew`: how far the
    partner's clock may be off. `max_age`: how old a message may be.
    """

    destination: str
    partner: Entity
    role: Role
    now: datetime
    request_id: str | None = None
    skew: timedelta = common.SKEW
    max_age: timedelta = common.MAX_AGE


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules look at: a message and its element as they were signed, how it came, and what we expect."""

    message: LogoutRequest | LogoutResponse
    element: etree._Element
    binding: str
    expected: LogoutExpectations


# How it came ----------------------------------------------------------------------------------------------------------


@rule("logout.binding", "SAML Profiles 4.4.3.1, 4.4.3.4")
def request_binding(received: Received) -> Seen:
    """A request came as one, by a binding that this profile allows."""
    ok = received.binding in _BINDINGS and received.parameter == SAML_REQUEST
    expected = "SAMLRequest by HTTP-Redirect, HTTP-POST or SOAP"
    return ok, expected, f"{received.parameter}, {received.binding}"


@rule("logout.binding", "SAML Profiles 4.4.3.2, 4.4.3.5")
def response_binding(received: Received) -> Seen:
    """A response came as one, by a binding that this profile allows."""
    ok = received.binding in _BINDINGS and received.parameter == SAML_RESPONSE
    expected = "SAMLResponse by HTTP-Redirect, HTTP-POST or SOAP"
    return ok, expected, f"{received.parameter}, {received.binding}"


@rule("logout.root", "SAML Core 3.7.1")
def request_root(element: etree._Element) -> Seen:
    """The document is a LogoutRequest."""
    return element.tag == LOGOUT_REQUEST, "LogoutRequest", xml.local_name(element)


@rule("logout.root", "SAML Core 3.7.2")
def response_root(element: etree._Element) -> Seen:
    """The document is a LogoutResponse."""
    return element.tag == LOGOUT_RESPONSE, "LogoutResponse", xml.local_name(element)


@rule("logout.signatures", "SAML Core 5.4.2")
def signatures(element: etree._Element) -> Seen:
    """No signature but the message's own."""
    return common.signatures_in_place(element)


@rule("logout.assertions", "SAML Core 3.7")
def assertions(element: etree._Element) -> Seen:
    """No assertion: a captured one must not lend its signature to a logout."""
    return common.assertions_in_place(element)


@rule("logout.embedded_signature", "SAML Bindings 3.4.4.1")
def embedded_signature(received: Received, itself: bool, demanded: bool) -> Seen:
    """A message by HTTP-Redirect is signed in its query and nowhere else."""
    ok = received.binding != Binding.REDIRECT or not itself
    return ok, "no signature inside a message by HTTP-Redirect", "none" if ok else "one"


@rule("logout.signed", "SAML Profiles 4.4.4.1, 4.4.4.2; SDP-SP28, SDP-SP33, SDP-IDP26, SDP-IDP30")
def signed(received: Received, itself: bool, demanded: bool) -> Seen:
    """Every logout message is signed, by whatever binding: it ends somebody's session."""
    ok = itself or received.query_signature is not None
    return ok, "a signature", "a signature" if ok else "none"


# Who, when, where -----------------------------------------------------------------------------------------------------


@rule("logout.issuer", "SAML Profiles 4.4.4.1, 4.4.4.2")
def issuer(context: Context) -> Seen:
    """Its Issuer is the partner whose keys were used."""
    return common.same(context.expected.partner.entity_id, context.message.issuer)


@rule("logout.partner_metadata", "SAML Metadata 2.3.2, 2.4.1")
def partner_metadata(context: Context) -> Seen:
    """What we know about the partner is still valid."""
    return common.metadata_valid(context.expected.partner, context.expected.role, now=context.expected.now)


@rule("logout.version", "SAML Core 4.1")
def version(context: Context) -> Seen:
    """It is SAML 2.0."""
    return common.version(context.element)


@rule("logout.destination", "SAML Core 3.2.1; SAML Bindings 3.4.5.2, 3.5.5.2")
def destination(context: Context) -> Seen:
    """Destination is the endpoint where it arrived, exactly. Only over SOAP, where no browser forwards, may it lack."""
    received = context.message.destination
    if received is None and context.binding == Binding.SOAP:
        return True, f"{context.expected.destination}, or none", "none"
    return common.same(context.expected.destination, received)


@rule("logout.issue_instant", "SAML Core 3.2.1; IIP-G01")
def issue_instant(context: Context) -> Seen:
    """It was issued just now, as clocks go."""
    expected = context.expected
    instant = context.message.issue_instant
    return common.issued_in_window(instant, now=expected.now, skew=expected.skew, max_age=expected.max_age)


@rule("logout.not_on_or_after", "SAML Core 3.7.1; IIP-G01")
def not_on_or_after(context: Context) -> Seen:
    """A request that says when it expires has not expired."""
    message, expected = context.message, context.expected
    end = message.not_on_or_after if isinstance(message, LogoutRequest) else None
    if end is None:
        return True, "no end, or one ahead", "none"
    latest = format_instant(expected.now - expected.skew)
    return expected.now - expected.skew < end, f"an end after {latest}", format_instant(end)


@rule("logout.in_response_to", "SAML Profiles 4.4.4.2; SAML Core 3.2.2")
def in_response_to(context: Context) -> Seen:
    """A response answers the request that we sent, and there is no answer without one."""
    message, expected = context.message, context.expected
    received = message.in_response_to if isinstance(message, LogoutResponse) else None
    if expected.request_id is None:
        return False, "no response: nothing was asked", received or "none"
    return common.same(expected.request_id, received)


REQUEST_TRANSPORT: Final = (request_binding,)
REQUEST_DOCUMENT: Final = (request_root, signatures, assertions)
RESPONSE_TRANSPORT: Final = (response_binding,)
RESPONSE_DOCUMENT: Final = (response_root, signatures, assertions)
SIGNATURE: Final = (embedded_signature, signed)
REQUEST: Final = (issuer, partner_metadata, version, destination, issue_instant, not_on_or_after)
RESPONSE: Final = (issuer, partner_metadata, version, destination, issue_instant, in_response_to)
