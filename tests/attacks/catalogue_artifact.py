"""Messages of artifact resolution, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from federation.saml import signature, xml
from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import soap
from federation.saml.codec import artifact as artifact_codec
from federation.saml.messages import ArtifactResolve, ArtifactResponse, Received, Status
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import artifact, artifact_rules
from tests import factories, trees
from tests.attacks import deliveries
from tests.attacks.catalogue import MINUTE, Attack, put
from tests.attacks.catalogue_requests import with_extensions
from tests.attacks.forging import genuine, signature_in
from tests.factories import IDP, NOW, REQUEST_ID, SP, signing_key

Change = Callable[[etree._Element], object]


def enveloped(element: etree._Element, key: str, change: Change | None, *, signed: bool) -> Received:
    """A message by SOAP, signed after the change or not at all."""
    if change is not None:
        change(element)
    if signed:
        signature.sign(element, key=signing_key(key))
    return soap.decode(soap.encode(xml.serialise(element)))


def asked(change: Change | None = None, *, signed: bool = True, **more: Any) -> Received:
    """The SP's request for a message, changed."""
    reference = artifact_binding.create(IDP, endpoint_index=0, random=lambda size: b"h" * size)
    usual = ArtifactResolve(REQUEST_ID, SP, NOW, reference.text, deliveries.ARTIFACT_URL)
    return enveloped(xml.lift(artifact_codec.write_resolve(replace(usual, **more))), "sp", change, signed=signed)


def answered(change: Change | None = None, *, signed: bool = True, empty: bool = False, **more: Any) -> Received:
    """The IdP's answer with a signed response in it, changed."""
    message = None if empty else xml.parse(factories.signed_response(sign="both"))
    usual = ArtifactResponse("_" + "e" * 32, IDP, NOW, Status(StatusCode.SUCCESS), REQUEST_ID)
    element = trees.artifact_response(replace(usual, **more), message)
    return enveloped(element, "idp", change, signed=signed)


ARTIFACTS = (
    Attack(
        artifact_rules.binding,
        "a request by HTTP-POST",
        lambda: asked()._replace(binding=Binding.POST),
    ),
    Attack(
        artifact_rules.resolve_root,
        "an answer as a request",
        lambda: answered()._replace(parameter="SAMLRequest"),
        behind="artifact.signatures",
    ),
    Attack(
        artifact_rules.response_root,
        "a request as an answer",
        lambda: asked()._replace(parameter="SAMLResponse"),
        behind="signature.value",
    ),
    Attack(
        artifact_rules.signatures,
        "a signature parked in extensions",
        lambda: asked(with_extensions(signature_in(genuine("response")))),
    ),
    Attack(artifact_rules.signed, "a request that is not signed", lambda: asked(signed=False)),
    Attack(artifact_rules.issuer, "a request in another partner's name", lambda: asked(issuer=factories.OTHER_SP)),
    Attack(artifact_rules.issuer, "an answer in another's name", lambda: answered(issuer="https://other.example.net")),
    Attack(
        artifact_rules.partner_metadata,
        "a request of a partner whose metadata ran out",
        asked,
        lambda: {"partner": replace(factories.sp_entity(), valid_until=NOW)},
    ),
    Attack(artifact_rules.version, "SAML 1.1", lambda: asked(put("Version", "1.1"))),
    Attack(
        artifact_rules.destination,
        "a request for an endpoint that begins like ours",
        lambda: asked(destination=f"{deliveries.ARTIFACT_URL}/"),
    ),
    Attack(artifact_rules.issue_instant, "an old request", lambda: asked(issue_instant=NOW - 60 * MINUTE)),
    Attack(
        artifact_rules.issue_instant, "an answer from the future", lambda: answered(issue_instant=NOW + 60 * MINUTE)
    ),
    Attack(artifact_rules.in_response_to, "an answer to another request", lambda: answered(in_response_to="_other")),
    Attack(artifact_rules.in_response_to, "an answer to no request", lambda: answered(in_response_to=None)),
    Attack(
        artifact_rules.in_response_to,
        "an answer where nothing was asked",
        answered,
        lambda: {"request_id": None},
    ),
    Attack(
        artifact_rules.status,
        "an error with a message in it",
        lambda: answered(status=Status(StatusCode.RESPONDER, StatusCode.SUCCESS)),
    ),
    Attack(
        artifact_rules.message,
        "an answer with nothing in it",
        lambda: answered(empty=True),
        behind="TypeError",
    ),
)
"""Requests for the identity provider's resolution service, and its answers for the service provider."""


def judge(attack: Attack) -> object:
    """Accept what it sends as what it says it is."""
    received, expected = attack.message(), attack.expected()
    if received.parameter == "SAMLRequest":
        return artifact.accept_resolve(received, replace(deliveries.at_resolver(), **expected))
    return artifact.accept_response(received, replace(deliveries.at_requester(), **expected))


ATTACKS = ARTIFACTS
