"""Requests for the identity provider, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lxml import etree

from federation.saml import signature, xml
from federation.saml.algorithms import Algorithms
from federation.saml.bindings import redirect
from federation.saml.codec import authn_request as request_codec
from federation.saml.codec.common import NAME_ID, SUBJECT
from federation.saml.messages import NameIDPolicy, Received, Scoping
from federation.saml.metadata.entity import Entity
from federation.saml.names import Algorithm, Binding
from federation.saml.profiles import sso_request, sso_request_rules
from tests import factories
from tests.attacks.catalogue import MINUTE, Attack, put
from tests.attacks.forging import A, P, evil_assertion, genuine, signature_in
from tests.factories import NOW


def request(**more: Any) -> Received:
    """A signed request by HTTP-Redirect that is changed."""
    usual = factories.request()._replace(**more)
    url = sso_request.send(usual, binding=Binding.REDIRECT, key=factories.signing_key("sp"))
    assert isinstance(url, str)
    return redirect.decode(url.partition("?")[2].encode())


def posted_request(change: Callable[[etree._Element], object], *, signed: bool = False) -> Received:
    """A request by HTTP-POST, signed after the change or not."""
    element = xml.lift(request_codec.write(factories.request()))
    change(element)
    if signed:
        signature.sign(element, key=factories.signing_key("sp"))
    return factories.posted(element, "SAMLRequest")


def unsigned_partner() -> Mapping[str, Any]:
    """An SP that promised no signatures."""
    return {"partner": factories.sp_entity(authn_requests_signed=False)}


def with_extensions(*inside: etree._Element) -> Callable[[etree._Element], None]:
    """Put elements into the extensions of a request."""

    def change(root: etree._Element) -> None:
        extensions = etree.Element(f"{P}Extensions")
        extensions.extend(inside)
        root.insert(1, extensions)

    return change


def with_subject(*tags: str) -> Callable[[etree._Element], None]:
    """Put a Subject with these children into a request."""

    def change(root: etree._Element) -> None:
        subject = etree.Element(SUBJECT)
        for tag in tags:
            etree.SubElement(subject, tag, Method="urn:oasis:names:tc:SAML:2.0:cm:bearer").text = "alice"
        root.insert(1, subject)

    return change


def embedded_and_redirected() -> Received:
    """A request with a signature inside, by HTTP-Redirect and signed there too."""
    element = xml.lift(request_codec.write(factories.request()))
    signature.sign(element, key=factories.signing_key("mallory"))
    url = redirect.encode(
        xml.serialise(element),
        parameter="SAMLRequest",
        destination=factories.SSO_URL,
        key=factories.signing_key("sp"),
    )
    return redirect.decode(url.partition("?")[2].encode())


REQUESTS = (
    Attack(
        sso_request_rules.binding,
        "a request as a response",
        lambda: request()._replace(parameter="SAMLResponse"),
    ),
    Attack(
        sso_request_rules.binding,
        "a request by SOAP",
        lambda: request()._replace(binding=Binding.SOAP),
    ),
    Attack(
        sso_request_rules.root,
        "another message",
        lambda: factories.posted(f"<x ID='_1'>{request().xml.decode()}</x>".encode(), "SAMLRequest"),
        unsigned_partner,
        behind="xml.root",
    ),
    Attack(
        sso_request_rules.signatures,
        "a signature parked in extensions",
        lambda: posted_request(with_extensions(signature_in(genuine("response"))), signed=True),
    ),
    Attack(
        sso_request_rules.assertions,
        "a captured assertion parked in extensions",
        lambda: posted_request(with_extensions(evil_assertion()), signed=True),
    ),
    Attack(sso_request_rules.embedded_signature, "a second signature inside", embedded_and_redirected),
    Attack(sso_request_rules.signed, "not signed although promised", lambda: posted_request(lambda element: None)),
    Attack(
        sso_request_rules.signed,
        "not signed although demanded",
        lambda: posted_request(lambda element: None),
        lambda: {**unsigned_partner(), "want_signed": True},
    ),
    Attack(sso_request_rules.issuer, "in another partner's name", lambda: request(issuer=factories.OTHER_SP)),
    Attack(
        sso_request_rules.partner_role,
        "from an entity that is no service provider",
        lambda: posted_request(lambda element: None),
        lambda: {"partner": Entity(factories.SP)},
        behind="request.acs",
    ),
    Attack(
        sso_request_rules.partner_metadata,
        "from a partner whose metadata ran out",
        request,
        lambda: {"partner": factories.sp_entity(valid_until=NOW)},
    ),
    Attack(
        sso_request_rules.destination,
        "for another identity provider",
        lambda: request(destination=f"{factories.SSO_URL}/"),
    ),
    Attack(
        sso_request_rules.destination,
        "signed without a destination",
        lambda: posted_request(lambda element: element.attrib.pop("Destination"), signed=True),
    ),
    Attack(sso_request_rules.issue_instant, "an old request", lambda: request(issue_instant=NOW - 60 * MINUTE)),
    Attack(
        sso_request_rules.issue_instant, "a request from the future", lambda: request(issue_instant=NOW + 60 * MINUTE)
    ),
    Attack(
        sso_request_rules.acs_choice,
        "an endpoint named twice",
        lambda: request(assertion_consumer_service_index=0),
    ),
    Attack(
        sso_request_rules.acs,
        "an endpoint that is not in the metadata",
        lambda: request(assertion_consumer_service_url="https://evil.example/acs"),
    ),
    Attack(
        sso_request_rules.version,
        "SAML 3.0",
        lambda: posted_request(put("Version", "3.0"), signed=True),
    ),
    Attack(
        sso_request_rules.attribute_service,
        "a set of attributes that is not in the metadata",
        lambda: request(attribute_consuming_service_index=7),
    ),
    Attack(
        sso_request_rules.name_id_policy,
        "somebody else's identifiers",
        lambda: request(name_id_policy=NameIDPolicy(sp_name_qualifier=factories.OTHER_SP)),
    ),
    Attack(
        sso_request_rules.idp_list,
        "for other identity providers",
        lambda: request(scoping=Scoping(idp_list=("https://other.example.net",))),
    ),
    Attack(
        sso_request_rules.subject,
        "a subject confirmed in another way",
        lambda: posted_request(with_subject(NAME_ID, f"{A}SubjectConfirmation"), signed=True),
    ),
    Attack(
        sso_request_rules.subject,
        "a subject named in a way of somebody's own",
        lambda: posted_request(with_subject(f"{A}BaseID"), signed=True),
    ),
)
"""Requests for the identity provider."""


QUERIES = (
    Attack(
        signature._detached_algorithm,
        "a query signed by an algorithm that is not allowed here",
        request,
        lambda: {"algorithms": Algorithms(signature=frozenset({Algorithm.RSA_SHA512}))},
    ),
)
"""Signatures of queries."""


def judge(attack: Attack) -> object:
    """Let the IdP decide on a request."""
    return factories.accept_request(attack.message(), **attack.expected())


ATTACKS = (*REQUESTS, *QUERIES)
