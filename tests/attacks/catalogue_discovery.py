"""Requests to a discovery service, each wrong in just the way that one named check looks for (see `catalogue`)."""

from __future__ import annotations

from typing import Any

from federation.saml.metadata.entity import Endpoint, Entity
from federation.saml.names import IDPDISC
from federation.saml.profiles import discovery
from federation.saml.profiles.discovery import DiscoveryRequest
from tests import factories
from tests.attacks.catalogue import Attack
from tests.factories import SP

CHOSEN = "https://sp.example.com/saml/chosen"
EVIL = "https://evil.example/"


def sp(**more: Any) -> Entity:
    """The SP, with an endpoint for what a discovery service answers."""
    usual = {"extension_endpoints": (("DiscoveryResponse", Endpoint(IDPDISC, CHOSEN, index=1)),)}
    return factories.sp_entity(**(usual | more))


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


def judge(attack: Attack) -> object:
    """Let the discovery service decide."""
    return discovery.accept(attack.message(), served={SP: sp()})


ATTACKS = DISCOVERIES
