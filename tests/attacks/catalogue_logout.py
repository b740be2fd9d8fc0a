"""Logout messages, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from lxml import etree

from federation.saml import signature, xml
from federation.saml.bindings import redirect, soap
from federation.saml.codec import logout as logout_codec
from federation.saml.messages import LogoutRequest, LogoutResponse, Received
from federation.saml.names import Binding
from federation.saml.profiles import logout, logout_rules
from tests import factories
from tests.attacks import deliveries
from tests.attacks.catalogue import MINUTE, Attack, put
from tests.attacks.catalogue_requests import with_extensions
from tests.attacks.forging import evil_assertion, genuine, signature_in
from tests.factories import NOW, signing_key

Message = LogoutRequest | LogoutResponse


def written(message: Message) -> etree._Element:
    """A message as an element."""
    if isinstance(message, LogoutRequest):
        return xml.lift(logout_codec.write_request(message))
    return xml.lift(logout_codec.write_response(message))


def sent(
    message: Message, change: Callable[[etree._Element], object] | None = None, *, signed: bool = True
) -> Received:
    """A message by HTTP-POST, signed after the change or not at all."""
    element = written(message)
    if change is not None:
        change(element)
    if signed:
        signature.sign(element, key=signing_key("sp"))
    return factories.posted(element, "SAMLRequest" if isinstance(message, LogoutRequest) else "SAMLResponse")


def asked(**more: Any) -> Received:
    """A signed request that is changed."""
    return sent(replace(deliveries.logout_request(), **more))


def answered(**more: Any) -> Received:
    """A signed answer that is changed."""
    return sent(replace(deliveries.logout_response(), **more))


def embedded_and_redirected() -> Received:
    """A request with a signature inside, by HTTP-Redirect and signed there too."""
    element = written(deliveries.logout_request())
    signature.sign(element, key=signing_key("mallory"))
    url = redirect.encode(
        xml.serialise(element),
        parameter="SAMLRequest",
        destination=deliveries.SLO_URL,
        key=signing_key("sp"),
    )
    return redirect.decode(url.partition("?")[2].encode())


def without_destination(message: Message) -> Received:
    """A signed message by HTTP-POST that names no endpoint."""
    return sent(replace(message, destination=None))


LOGOUTS = (
    Attack(
        logout_rules.request_binding, "a request by HTTP-Artifact", lambda: asked()._replace(binding=Binding.ARTIFACT)
    ),
    Attack(
        logout_rules.request_root,
        "an answer as a request",
        lambda: answered()._replace(parameter="SAMLRequest"),
        behind="xml.root",
    ),
    Attack(
        logout_rules.signatures,
        "a signature parked in extensions",
        lambda: sent(deliveries.logout_request(), with_extensions(signature_in(genuine("response")))),
    ),
    Attack(
        logout_rules.assertions,
        "a captured assertion parked in extensions",
        lambda: sent(deliveries.logout_request(), with_extensions(evil_assertion())),
    ),
    Attack(logout_rules.embedded_signature, "a second signature inside", embedded_and_redirected),
    Attack(
        logout_rules.signed, "a request that is not signed", lambda: sent(deliveries.logout_request(), signed=False)
    ),
    Attack(logout_rules.issuer, "in another partner's name", lambda: asked(issuer=factories.OTHER_SP)),
    Attack(
        logout_rules.partner_metadata,
        "from a partner whose metadata ran out",
        asked,
        lambda: {"partner": replace(factories.sp_entity(), valid_until=NOW)},
    ),
    Attack(logout_rules.version, "SAML 1.1", lambda: sent(deliveries.logout_request(), put("Version", "1.1"))),
    Attack(
        logout_rules.destination,
        "a request for an endpoint that begins like ours",
        lambda: asked(destination=f"{deliveries.SLO_URL}/"),
    ),
    Attack(
        logout_rules.destination,
        "a request through the browser for no endpoint",
        lambda: without_destination(deliveries.logout_request()),
    ),
    Attack(
        logout_rules.destination,
        "a request by SOAP for another endpoint",
        lambda: soap.decode(
            logout.envelope(
                replace(deliveries.logout_request(), destination="https://other.example.net/slo"),
                key=signing_key("sp"),
            )
        ),
    ),
    Attack(logout_rules.issue_instant, "an old request", lambda: asked(issue_instant=NOW - 60 * MINUTE)),
    Attack(logout_rules.issue_instant, "a request from the future", lambda: asked(issue_instant=NOW + 60 * MINUTE)),
    Attack(logout_rules.not_on_or_after, "a request that expired", lambda: asked(not_on_or_after=NOW - 5 * MINUTE)),
    Attack(
        logout_rules.response_binding,
        "an answer by HTTP-Artifact",
        lambda: answered()._replace(binding=Binding.ARTIFACT),
    ),
    Attack(
        logout_rules.response_root,
        "a request as an answer",
        lambda: asked()._replace(parameter="SAMLResponse"),
        behind="xml.root",
    ),
    Attack(
        logout_rules.signed, "an answer that is not signed", lambda: sent(deliveries.logout_response(), signed=False)
    ),
    Attack(logout_rules.in_response_to, "an answer to another request", lambda: answered(in_response_to="_other")),
    Attack(logout_rules.in_response_to, "an answer to no request", lambda: answered(in_response_to=None)),
    Attack(
        logout_rules.in_response_to,
        "an answer where nothing was asked",
        answered,
        lambda: {"request_id": None},
    ),
)
"""Logout messages for the identity provider; a service provider judges with the same functions."""


def judge(attack: Attack) -> object:
    """Accept what it sends as what it says it is."""
    received, expected = attack.message(), deliveries.at_slo(**attack.expected())
    if received.parameter == "SAMLRequest":
        return logout.accept_request(received, expected)
    return logout.accept_response(received, expected)


ATTACKS = LOGOUTS
