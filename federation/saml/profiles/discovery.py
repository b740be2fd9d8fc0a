"""Which identity provider? The Identity Provider Discovery Service Protocol and Profile (IDPDISC), both sides.

    at a service provider    request_url    the address of a discovery service, with everything it has to know
                             answered       the identity provider that came back, or none
    at a discovery service   read_request   what a service provider asks
                             accept         is it one we serve, and is `return` an address of its own?
                             answer_url     the address that takes the person back, with the choice or without one

No message is signed here and nothing is secret: what comes back is a wish, and only names whom to ask next. What has to
hold is that a discovery service sends a browser nowhere but to the service provider that it serves (2.4.1, 2.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from federation.errors import Malformed
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.metadata.entity import Endpoint, Entity
from federation.saml.metadata.locations import MAX_ENTITY_ID, is_secure, problem_of_location
from federation.saml.names import IDPDISC

SINGLE: Final = f"{IDPDISC}:single"
"""The one policy that is defined: at most one identity provider comes back."""
DEFAULT_PARAMETER: Final = "entityID"
_PARAMETER: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", re.ASCII)
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}

Parameters = Mapping[str, Sequence[str]]
"""The parameters of a query, each with every value it had."""


# At a service provider ------------------------------------------------------------------------------------------------


def request_url(service: str, *, entity_id: str, return_url: str, is_passive: bool = False) -> str:
    """The address of the discovery service `service`, asked on behalf of `entity_id` (IDPDISC 2.4.1).

    What is the default anyway stays unsaid, except `returnIDParam`, which not every service knows to be optional.
    """
    query = {"entityID": entity_id, "return": return_url, "returnIDParam": DEFAULT_PARAMETER}
    if is_passive:
        query["isPassive"] = "true"
    return service + ("&" if "?" in service else "?") + urlencode(query)


def answered(parameters: Parameters) -> str | None:
    """The entityID that a discovery service sent back (IDPDISC 2.4.2), or None where it found none.

    Raises `Malformed` (rule `discovery.answer`): said twice, or nothing that could be an entityID.
    """
    entity_id = _one(parameters, DEFAULT_PARAMETER, "discovery.answer")
    if not entity_id:
        return None
    if len(entity_id) > MAX_ENTITY_ID:
        raise Malformed("discovery.answer", f"the entityID has more than {MAX_ENTITY_ID} characters")
    return entity_id


# At a discovery service -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DiscoveryRequest:
    """What a service provider asks (IDPDISC 2.4.1). `return_url` is None where its metadata's default is meant."""

    entity_id: str
    return_url: str | None = None
    return_id_parameter: str = DEFAULT_PARAMETER
    policy: str = SINGLE
    is_passive: bool = False

    def parameters(self) -> dict[str, str]:
        """The same as a query, for links and forms that keep it."""
        said = {"entityID": self.entity_id, "returnIDParam": self.return_id_parameter}
        if self.return_url is not None:
            said["return"] = self.return_url
        return said


@dataclass(frozen=True, slots=True)
class AcceptedDiscovery:
    """A request whose answer may be sent to `return_url`, an address of `partner`."""

    request: DiscoveryRequest
    partner: Entity
    return_url: str
    checks: tuple[Check, ...]


def read_request(parameters: Parameters) -> DiscoveryRequest:
    """Read a request from a query; parameters that the protocol does not know are ignored.

    Raises `Malformed` (rule `discovery.request`).
    """
    said = {name: _one(parameters, name, "discovery.request") for name in _NAMES}
    entity_id = said["entityID"]
    if not entity_id or len(entity_id) > MAX_ENTITY_ID:
        raise Malformed("discovery.request", "it does not say which service provider asks")
    passive = said["isPassive"] or "false"
    if passive not in _BOOLEANS:
        raise Malformed("discovery.request", "isPassive is neither true nor false")
    return DiscoveryRequest(
        entity_id=entity_id,
        return_url=said["return"] or None,
        return_id_parameter=said["returnIDParam"] or DEFAULT_PARAMETER,
        policy=said["policy"] or SINGLE,
        is_passive=_BOOLEANS[passive],
    )


def accept(
    request: DiscoveryRequest, *, served: Mapping[str, Entity], allow_http_loopback: bool = False
) -> AcceptedDiscovery:
    """Accept a request of one of the service providers that are `served`, by entityID. Raises `Refused`."""
    partner = served.get(request.entity_id)
    endpoints = _endpoints(partner, allow_http_loopback=allow_http_loopback)
    checks = run(_RULES, (), request, partner, endpoints)
    assert partner is not None, "discovery.partner has refused"
    return AcceptedDiscovery(request, partner, request.return_url or _default(endpoints).location, checks)


def answer_url(accepted: AcceptedDiscovery, entity_id: str | None) -> str:
    """Where the browser goes back to (IDPDISC 2.4.2): with the identity provider, or without where none was found."""
    if entity_id is None:
        return accepted.return_url
    query = urlencode({accepted.request.return_id_parameter: entity_id})
    return accepted.return_url + ("&" if "?" in accepted.return_url else "?") + query


@rule("discovery.partner", "IDPDISC 2.4.1")
def check_partner(request: DiscoveryRequest, partner: Entity | None, endpoints: Sequence[Endpoint]) -> Seen:
    """The service provider is one that this discovery service works for."""
    return partner is not None and partner.sp is not None, "a service provider we know", request.entity_id


@rule("discovery.policy", "IDPDISC 2.4.1")
def check_policy(request: DiscoveryRequest, partner: Entity | None, endpoints: Sequence[Endpoint]) -> Seen:
    """The policy is the one that is defined."""
    return request.policy == SINGLE, SINGLE, request.policy


@rule("discovery.parameter", "IDPDISC 2.4.1")
def check_parameter(request: DiscoveryRequest, partner: Entity | None, endpoints: Sequence[Endpoint]) -> Seen:
    """The parameter for the answer has a plain name, and `return` does not hold it already."""
    name = request.return_id_parameter
    held = {key for key, _ in parse_qsl(urlsplit(request.return_url or "").query, keep_blank_values=True)}
    ok = _PARAMETER.fullmatch(name) is not None and name not in held
    return ok, "a plain name that return does not hold yet", name


@rule("discovery.return", "IDPDISC 2.4.1, 2.5")
def check_return(request: DiscoveryRequest, partner: Entity | None, endpoints: Sequence[Endpoint]) -> Seen:
    """The address to return to is one of the service provider's DiscoveryResponse endpoints, with a query or without.

    Compared letter by letter: an address taken apart by us and by a browser may be two addresses.
    """
    if request.return_url is None:
        return bool(endpoints), "a DiscoveryResponse endpoint in its metadata", f"{len(endpoints)} of them"
    url = request.return_url
    ok = problem_of_location(url) is None and any(_is_at(url, endpoint.location) for endpoint in endpoints)
    return ok, " or ".join(each.location for each in endpoints) or "an endpoint in its metadata", url


_RULES: Final = (check_partner, check_policy, check_parameter, check_return)
_NAMES: Final = ("entityID", "return", "returnIDParam", "policy", "isPassive")


def _endpoints(partner: Entity | None, *, allow_http_loopback: bool) -> tuple[Endpoint, ...]:
    """The DiscoveryResponse endpoints (IDPDISC 2.5) that a browser may be sent to."""
    if partner is None or partner.sp is None:
        return ()
    return tuple(
        endpoint
        for kind, endpoint in partner.sp.extension_endpoints
        if kind == "DiscoveryResponse"
        and endpoint.binding == IDPDISC
        and is_secure(endpoint.location, allow_http_loopback=allow_http_loopback)
    )


def _default(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The default endpoint (SAML Metadata 2.2.3): marked as such, or the first not marked otherwise, or the first."""
    marked = next((each for each in endpoints if each.is_default), None)
    return marked or next((each for each in endpoints if each.is_default is None), endpoints[0])


def _is_at(url: str, location: str) -> bool:
    return url == location or url.startswith(location + ("&" if "?" in location else "?"))


def _one(parameters: Parameters, name: str, broken: str) -> str:
    values = parameters.get(name, ())
    if len(values) > 1:
        raise Malformed(broken, f"{name} is said twice")
    return values[0] if values else ""
