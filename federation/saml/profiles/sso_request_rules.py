"""Web Browser SSO, the request: its rules, one clause each (SAML Profiles 4.1.4.1; SAML Core 3.4.1)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypeVar

from lxml import etree

from federation.saml import xml
from federation.saml.bindings.parameters import REQUEST
from federation.saml.checks import Seen, rule
from federation.saml.codec.authn_request import AUTHN_REQUEST, BASE_ID, subject_of
from federation.saml.messages import AuthnRequest, Received
from federation.saml.metadata.entity import AttributeConsumingService, Endpoint, Entity
from federation.saml.names import Binding, NameIDFormat
from federation.saml.profiles import common

D = TypeVar("D", Endpoint, AttributeConsumingService)

FORM: Final = "SAML Core 3.4.1; SAML 2.0 protocol schema"
_BINDINGS: Final = (Binding.REDIRECT, Binding.POST, Binding.ARTIFACT)
NAME_ID_FORMATS: Final = (
    NameIDFormat.UNSPECIFIED,
    NameIDFormat.TRANSIENT,
    NameIDFormat.PERSISTENT,
    NameIDFormat.EMAIL,
)


class Context(NamedTuple):
    """What the rules look at: the request and its element as they were signed, what of the partner's metadata it means
    (`choose_acs`, `choose_attribute_service`), and what we expect.
    """

    request: AuthnRequest
    element: etree._Element
    signed: bool
    partner: Entity
    expected_destination: str
    idp_entity_id: str
    now: datetime
    skew: timedelta
    max_age: timedelta
    answer_bindings: Sequence[str]
    name_id_formats: Sequence[str]
    acs: Endpoint | None
    attribute_service: AttributeConsumingService | None


def choose_acs(
    partner: Entity, bindings: Sequence[str], *, url: str | None, index: int | None = None, binding: str | None = None
) -> Endpoint | None:
    """The endpoint for an answer: what is named exactly, or the SP's default where none is named.

    Only endpoints from the SP's metadata, only by one of `bindings`, which we can use, and no other when the one named
    is not among them (SAML Core 3.4.1; SAML Profiles 4.1.4.1; default: SAML Metadata 2.2.3).
    """
    endpoints = () if partner.sp is None else partner.sp.assertion_consumer
    fitting = [
        endpoint
        for endpoint in endpoints
        if endpoint.binding in bindings
        and (url is None or url == endpoint.location)
        and (index is None or index == endpoint.index)
        and (binding is None or binding == endpoint.binding)
    ]
    return _default_of(fitting)


def choose_attribute_service(partner: Entity, index: int | None) -> AttributeConsumingService | None:
    """The set of attributes that an SP asks for: the one that it names, or its default (SAML Metadata 2.4.4)."""
    services = () if partner.sp is None else partner.sp.attribute_consuming
    if index is not None:
        return next((service for service in services if service.index == index), None)
    return _default_of(services)


def _default_of(several: Sequence[D]) -> D | None:
    """The default among indexed ones: the first that says so, or says nothing, or says no (SAML Metadata 2.2.3)."""
    for preferred in (True, None, False):
        for each in several:
            if each.is_default is preferred:
                return each
    return None


# How it came ----------------------------------------------------------------------------------------------------------


@rule("request.binding", "SAML Profiles 4.1.3.3")
def binding(received: Received) -> Seen:
    """It came as a request, by a binding that this profile allows for one."""
    ok = received.binding in _BINDINGS and received.parameter == REQUEST
    return (ok, "SAMLRequest by HTTP-Redirect, HTTP-POST or HTTP-Artifact", f"{received.parameter}, {received.binding}")


@rule("request.root", "SAML Core 3.4.1")
def root(element: etree._Element) -> Seen:
    """The document is an AuthnRequest."""
    return element.tag == AUTHN_REQUEST, "AuthnRequest", xml.local_name(element)


@rule("request.signatures", "SAML Core 5.4.2")
def signatures(element: etree._Element) -> Seen:
    """No signature but the request's own."""
    return common.signatures_in_place(element)


@rule("request.assertions", "SAML Core 3.4.1")
def assertions(element: etree._Element) -> Seen:
    """No assertion: a captured one must not lend its signature to a request."""
    return common.assertions_in_place(element)


@rule("request.embedded_signature", "SAML Bindings 3.4.4.1")
def embedded_signature(received: Received, itself: bool, demanded: bool) -> Seen:
    """A message by HTTP-Redirect is signed in its query and nowhere else."""
    ok = received.binding != Binding.REDIRECT or not itself
    return ok, "no signature inside a message by HTTP-Redirect", "none" if ok else "one"


@rule("request.signed", "SAML Metadata 2.4.3, 2.4.4; SDP-IDP04")
def signed(received: Received, itself: bool, demanded: bool) -> Seen:
    """It is signed where the SP's metadata promises that, or we demand it."""
    present = itself or received.query_signature is not None
    expected = "a signature" if demanded else "a signature or none"
    return present or not demanded, expected, "a signature" if present else "none"


# Who, when, where: what no answer can be given to ---------------------------------------------------------------------


@rule("request.issuer", "SAML Core 2.2.5; SAML Profiles 4.1.4.1")
def issuer(context: Context) -> Seen:
    """Its Issuer is the partner whose keys were used."""
    return common.same(context.partner.entity_id, context.request.issuer)


@rule("request.partner_role", "SAML Metadata 2.4.4")
def partner_role(context: Context) -> Seen:
    """The partner's metadata has the role of a service provider."""
    ok = context.partner.sp is not None
    return ok, "a service provider", "as expected" if ok else "an entity without that role"


@rule("request.partner_metadata", "SAML Metadata 2.3.2, 2.4.1")
def partner_metadata(context: Context) -> Seen:
    """What we know about the partner is still valid."""
    return common.metadata_valid(context.partner, context.partner.sp, now=context.now)


@rule("request.destination", "SAML Core 3.2.1; SAML Bindings 3.4.5.2, 3.5.5.2")
def destination(context: Context) -> Seen:
    """Destination is the endpoint where it arrived, exactly; a signed request must have one."""
    received = context.request.destination
    if received is None:
        expected = context.expected_destination if context.signed else f"{context.expected_destination}, or none"
        return not context.signed, expected, "none"
    return common.same(context.expected_destination, received)


@rule("request.issue_instant", "SAML Core 3.2.1")
def issue_instant(context: Context) -> Seen:
    """It was issued just now, as clocks go."""
    instant = context.request.issue_instant
    return common.issued_in_window(instant, now=context.now, skew=context.skew, max_age=context.max_age)


@rule("request.acs_choice", "SAML Core 3.4.1")
def acs_choice(context: Context) -> Seen:
    """It names the endpoint for the answer by index, or by URL and binding, not by both."""
    request = context.request
    by_index = request.assertion_consumer_service_index is not None
    by_value = request.assertion_consumer_service_url is not None or request.protocol_binding is not None
    received = "both" if by_index and by_value else "one of them" if by_index or by_value else "neither"
    return not (by_index and by_value), "an index, or URL and binding, or neither", received


@rule("request.acs", "SAML Core 3.4.1; SAML Profiles 4.1.4.1; IIP-IDP12, SDP-IDP06")
def acs(context: Context) -> Seen:
    """The endpoint for the answer is in the SP's metadata exactly as named, with a binding that we can use."""
    request = context.request
    named = []
    if request.assertion_consumer_service_url is not None:
        named.append(f"URL {request.assertion_consumer_service_url}")
    if request.assertion_consumer_service_index is not None:
        named.append(f"index {request.assertion_consumer_service_index}")
    if request.protocol_binding is not None:
        named.append(f"binding {request.protocol_binding}")
    endpoints = () if context.partner.sp is None else context.partner.sp.assertion_consumer
    known = ", ".join([each.location for each in endpoints if each.binding in context.answer_bindings])
    expected = f"an assertion consumer service of the metadata: {known or 'none'}"
    return context.acs is not None, expected, ", ".join(named) or "the default"


# What can be answered -------------------------------------------------------------------------------------------------


@rule("request.version", "SAML Core 4.1.3.2")
def version(context: Context) -> Seen:
    """It is SAML 2.0."""
    return common.version(context.element)


@rule("request.attribute_service", "SAML Core 3.4.1; IIP-IDP04")
def attribute_service(context: Context) -> Seen:
    """The set of attributes that it names is in the SP's metadata."""
    index = context.request.attribute_consuming_service_index
    ok = index is None or context.attribute_service is not None
    return ok, "an AttributeConsumingService of the metadata", "the default" if index is None else str(index)


@rule("request.name_id_policy", "SAML Core 3.4.1.1; IIP-IDP10")
def name_id_policy(context: Context) -> Seen:
    """The kind of identifier that it asks for is one we can give, and for this SP."""
    policy = context.request.name_id_policy
    expected = f"one of {', '.join(context.name_id_formats)}, for {context.partner.entity_id}"
    if policy is None:
        return True, expected, "no policy"
    wanted = policy.format or NameIDFormat.UNSPECIFIED
    qualifier = policy.sp_name_qualifier or context.partner.entity_id
    return (
        wanted in context.name_id_formats and qualifier == context.partner.entity_id,
        expected,
        f"{wanted}, for {qualifier}",
    )


@rule("request.idp_list", "SAML Core 3.4.1.2, 3.4.1.3")
def idp_list(context: Context) -> Seen:
    """Where it lists identity providers, we are among them."""
    scoping = context.request.scoping
    listed = () if scoping is None else scoping.idp_list
    ok = not listed or context.idp_entity_id in listed
    return ok, f"no list, or one with {context.idp_entity_id}", ", ".join(listed) or "no list"


@rule("request.subject", "SAML Core 3.4.1, 3.4.1.4; SAML Profiles 4.1.4.1; IIP-SSO07")
def subject(context: Context) -> Seen:
    """Where it says whom it is about, it does so by a NameID, plain or encrypted, without a confirmation."""
    identifier, confirmed = subject_of(context.element)
    if confirmed:
        received = "a SubjectConfirmation"
    else:
        received = "no Subject" if identifier is None else xml.local_name(identifier)
    ok = not confirmed and (identifier is None or identifier.tag != BASE_ID)
    return ok, "no Subject, or a NameID, encrypted or not, without SubjectConfirmation", received


TRANSPORT: Final = (binding,)
DOCUMENT: Final = (root, signatures, assertions)
SIGNATURE: Final = (embedded_signature, signed)
UNANSWERABLE: Final = (issuer, partner_role, partner_metadata, destination, issue_instant, acs_choice, acs)
ANSWERABLE: Final = (version, attribute_service, name_id_policy, idp_list, subject)
