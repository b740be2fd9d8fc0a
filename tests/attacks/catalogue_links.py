"""Links that are followed before any message is signed: discovery, sign-in begun here, artifacts (see `catalogue`)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from federation.saml.bindings import artifact as artifact_binding
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole
from federation.saml.names import IDPDISC, Binding
from federation.saml.profiles import artifact, artifact_rules, discovery, unsolicited
from federation.saml.profiles.discovery import DiscoveryRequest
from federation.saml.profiles.unsolicited import Start
from tests import factories
from tests.attacks.catalogue import MINUTE, Attack
from tests.factories import IDP, NOW, SP

CHOSEN = "https://sp.example.com/saml/chosen"
EVIL = "https://evil.example/"


def sp(**more: Any) -> Entity:
    """The SP, with an endpoint for what a discovery service answers."""
    usual = {"extension_endpoints": (("DiscoveryResponse", Endpoint(IDPDISC, CHOSEN, index=1)),)}
    return factories.sp_entity(**(usual | more))


def idp_role(**more: Any) -> IdPRole:
    """The IdP's role, with a service that resolves artifacts."""
    role = factories.idp_entity().idp
    assert role is not None
    services = (Endpoint(Binding.SOAP, "https://idp.example.org/saml/artifact", index=0),)
    return replace(role, artifact_resolution=services, **more)


def reference(issuer: str = IDP, endpoint_index: int = 0) -> artifact_binding.Artifact:
    """An artifact."""
    return artifact_binding.create(issuer, endpoint_index=endpoint_index)


DISCOVERIES = (
    Attack(
        discovery.check_partner,
        "a service provider that nobody knows",
        lambda: DiscoveryRequest("https://unknown.example"),
        behind="discovery.return",
    ),
    Attack(discovery.check_policy, "a policy that is not defined", lambda: DiscoveryRequest(SP, policy="urn:x")),
    Attack(
        discovery.check_parameter,
        "a parameter that would be another one",
        lambda: DiscoveryRequest(SP, return_id_parameter="x=1&entityID"),
    ),
    Attack(
        discovery.check_parameter,
        "a parameter that the address has already",
        lambda: DiscoveryRequest(SP, return_url=f"{CHOSEN}?entityID=x"),
    ),
    Attack(
        discovery.check_return,
        "an address of somebody else",
        lambda: DiscoveryRequest(SP, return_url=EVIL),
    ),
    Attack(
        discovery.check_return,
        "an address that begins like theirs",
        lambda: DiscoveryRequest(SP, return_url=f"{CHOSEN}.evil.example"),
    ),
)
"""Requests to a discovery service."""

STARTS = (
    Attack(
        unsolicited.partner_metadata,
        "a service provider whose metadata ran out",
        lambda: Start(SP),
        lambda: {"partner": replace(factories.sp_entity(), valid_until=NOW)},
    ),
    Attack(
        unsolicited.acs,
        "an endpoint that is not in the metadata",
        lambda: Start(SP, acs_url=EVIL),
    ),
    Attack(unsolicited.time, "an old link", lambda: Start(SP, time=NOW - 60 * MINUTE)),
    Attack(unsolicited.time, "a link from the future", lambda: Start(SP, time=NOW + 60 * MINUTE)),
)
"""Links that start a sign-in at the identity provider."""

REFERENCES = (
    Attack(artifact_rules.source, "an artifact of somebody else", lambda: reference("https://other.example.net")),
    Attack(
        artifact_rules.endpoint,
        "an index that is not in the metadata",
        lambda: reference(endpoint_index=7),
        behind="StopIteration",
    ),
)
"""Artifacts that a browser brings."""


def judge(attack: Attack) -> object:
    """Let whoever is asked decide."""
    message, expected = attack.message(), dict(attack.expected())
    if attack in DISCOVERIES:
        return discovery.accept(message, served={SP: sp()})
    if attack in STARTS:
        partner = expected.get("partner", factories.sp_entity())
        now = NOW + timedelta(seconds=10)
        return unsolicited.accept(message, partner=partner, now=now, answer_bindings=(Binding.POST,))
    return artifact.service_of(message, factories.idp_entity(), idp_role())


ATTACKS = (*DISCOVERIES, *STARTS, *REFERENCES)
