"""The page about a site, for administrators of others: what they enter, and what they compare."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from pyramid.request import Request
from pyramid.response import Response

from federation.errors import Malformed
from federation.saml import certificates
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, SPRole
from federation.saml.names import Binding
from federation.web.pages import page

_BINDINGS = {
    Binding.REDIRECT: "HTTP-Redirect",
    Binding.POST: "HTTP-POST",
    Binding.ARTIFACT: "HTTP-Artifact",
    Binding.SOAP: "SOAP",
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address by what it is for; `how` are the bindings, in words."""

    purpose: str
    url: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate as people compare it."""

    uses: str
    sha256: str
    sha1: str
    not_after: datetime | None
    expired: bool


def about(
    request: Request,
    *,
    entity: Entity,
    metadata_url: str,
    metadata_signer: bytes,
    asked_for: Sequence[str] = (),
    further: Sequence[Address] = (),
) -> Response:
    """The page. `metadata_signer` is the certificate (DER) that partners pin, `asked_for` attributes in words."""
    role = entity.idp or entity.sp
    assert role is not None
    values = {
        "entity": entity,
        "role": role,
        "is_idp": entity.idp is not None,
        "metadata_url": metadata_url,
        "addresses": (*addresses(role), *further),
        "certificates": certificates_of(role, metadata_signer, request.federation.now),
        "asked_for": asked_for,
    }
    return page(request, "federation.web:templates/about.jinja2", values)


def addresses(role: IdPRole | SPRole) -> tuple[Address, ...]:
    """The addresses of a role, each once, with what can be sent there."""
    if isinstance(role, IdPRole):
        groups = [("Sign-in: where a site sends people", role.single_sign_on)]
    else:
        groups = [("Sign-in: where answers arrive", role.assertion_consumer)]
    groups += [("Sign-out", role.single_logout), ("Artifacts are fetched at", role.artifact_resolution)]
    found = [address for purpose, endpoints in groups for address in _grouped(purpose, endpoints)]
    if isinstance(role, IdPRole) and role.error_url is not None:
        found.append(Address("Help, from a site's problem page", role.error_url))
    if isinstance(role, SPRole):
        named = {"RequestInitiator": "Sign-in may begin at", "DiscoveryResponse": "Answers of a discovery service"}
        found += [Address(named[kind], each.location) for kind, each in role.extension_endpoints if kind in named]
    return tuple(found)


def certificates_of(role: IdPRole | SPRole, metadata_signer: bytes, now: datetime) -> tuple[Certificate, ...]:
    """Every certificate of a role once, with all that it is for; that which signs the metadata is the first."""
    uses: dict[bytes, list[str]] = {metadata_signer: ["signs this metadata"]}
    words = {"signing": "signs messages", "encryption": "others encrypt to it"}
    both = "signs messages, others encrypt to it"
    for key in role.keys:
        if key.certificate is not None:
            uses.setdefault(key.certificate, []).append(words.get(key.use or "", both))
    return tuple(_certificate(der, said, now) for der, said in uses.items())


def _certificate(der: bytes, said: Sequence[str], now: datetime) -> Certificate:
    try:
        until = certificates.container_of(der).not_after
    except Malformed:
        until = None  # oddly made, which does not matter to the key inside (IIP-MD12)
    # Broken as a hash, and still what some software shows: it is compared beside the other, never trusted by us.
    digest = hashlib.sha1(der, usedforsecurity=False).hexdigest().upper()
    sha1 = ":".join(digest[start : start + 2] for start in range(0, len(digest), 2))
    expired = until is not None and until <= now
    return Certificate(", ".join(said), certificates.fingerprint(der), sha1, until, expired)


def _grouped(purpose: str, endpoints: Sequence[Endpoint]) -> list[Address]:
    bindings: dict[str, list[str]] = {}
    for endpoint in endpoints:
        bindings.setdefault(endpoint.location, []).append(_BINDINGS.get(endpoint.binding, endpoint.binding))
    return [Address(purpose, url, ", ".join(names)) for url, names in bindings.items()]
