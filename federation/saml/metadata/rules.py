"""The rules that one partner's metadata must pass, each named and with its clause; `trust.verify` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from federation.saml.checks import Seen, rule
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, SPRole
from federation.saml.metadata.findings import Finding, Level, quoted
from federation.saml.metadata.locations import is_entity_id, is_secure
from federation.saml.names import Binding
from federation.saml.times import format_instant

MISSING_VALID_UNTIL: Final = "missing-valid-until"
"""The named exception that lets signed metadata without validUntil pass; it stays visible among the misses."""
EXCEPTIONS: Final = frozenset({MISSING_VALID_UNTIL})


@dataclass(frozen=True, slots=True)
class Candidate:
    """An entity that was read, and everything a rule may compare it with.

    `root_valid_until` is the document element's own; the entity's is the earliest of all levels. `signed` says that a
    trusted signature covers all of it. `role` is idp or sp: what we need the partner for.
    """

    entity: Entity
    findings: tuple[Finding, ...]
    root_valid_until: datetime | None
    signed: bool
    role: str
    own_entity_id: str
    now: datetime
    skew: timedelta
    max_validity: timedelta
    allow_http_loopback: bool
    exceptions: frozenset[str]


@rule("metadata.entity_id", "SDP-G04; SAML Core 8.3.6")
def entity_id_is_absolute(candidate: Candidate) -> Seen:
    """The entityID is an absolute URI of at most 256 characters."""
    entity_id = candidate.entity.entity_id
    return Seen(is_entity_id(entity_id), "an absolute URI of at most 256 characters", quoted(entity_id))


@rule("metadata.own_entity_id", "SAML Metadata 2.3.2")
def entity_is_somebody_else(candidate: Candidate) -> Seen:
    """Nobody else may describe us."""
    ok = candidate.entity.entity_id != candidate.own_entity_id
    return Seen(ok, "another entity's identifier", "our own" if not ok else quoted(candidate.entity.entity_id))


@rule("metadata.role", "SAML Metadata 2.4.1")
def role_is_present(candidate: Candidate) -> Seen:
    """The entity has the role we need, and speaks SAML 2.0 in it."""
    entity = candidate.entity
    roles = [name for name, role in (("an IdP", entity.idp), ("an SP", entity.sp)) if role is not None]
    expected = "an IdP role for SAML 2.0" if candidate.role == "idp" else "an SP role for SAML 2.0"
    return Seen(_role(candidate) is not None, expected, " and ".join(roles) or "no SAML 2.0 role")


@rule("metadata.valid_until.present", "IIP-MD04; SDP-MD03")
def valid_until_is_present(candidate: Candidate) -> Seen:
    """Signed metadata says how long it holds, or a copy of it could be used for ever."""
    if candidate.root_valid_until is not None:
        return Seen(True, "validUntil on the root", format_instant(candidate.root_valid_until))
    if not candidate.signed:
        return Seen(True, "validUntil, or unsigned metadata that a person confirms", "unsigned, without validUntil")
    excepted = MISSING_VALID_UNTIL in candidate.exceptions
    return Seen(excepted, "validUntil on the root", "none, by a named exception" if excepted else "none")


@rule("metadata.valid_until.future", "SAML Metadata 2.3.2; IIP-MD04")
def valid_until_is_in_the_future(candidate: Candidate) -> Seen:
    """No level of the document has expired: group, entity, or the role we need."""
    role = _role(candidate)
    limits = (candidate.root_valid_until, candidate.entity.valid_until, role.valid_until if role is not None else None)
    earliest = min((limit for limit in limits if limit is not None), default=None)
    expected = f"valid after {format_instant(candidate.now)}"
    if earliest is None:
        return Seen(True, expected, "no limit")
    return Seen(earliest + candidate.skew > candidate.now, expected, f"valid until {format_instant(earliest)}")


@rule("metadata.valid_until.limit", "IIP-MD04; SDP-MD03")
def valid_until_is_not_too_far(candidate: Candidate) -> Seen:
    """The limit is the only revocation there is: it must not be further ahead than we allow."""
    limit = candidate.now + candidate.max_validity + candidate.skew
    expected = f"at most {candidate.max_validity.days} days ahead"
    if candidate.root_valid_until is None:
        return Seen(True, expected, "no limit")
    return Seen(candidate.root_valid_until <= limit, expected, format_instant(candidate.root_valid_until))


@rule("metadata.endpoints", "SDP-SP09; SDP-IDP03; SAML Metadata 2.2.2")
def endpoints_are_secure(candidate: Candidate) -> Seen:
    """Every endpoint is an https URL that every browser reads the same way; http only to this machine, if allowed."""
    expected = "https endpoints" + (", or http on loopback" if candidate.allow_http_loopback else "")
    unreadable = [finding.message for finding in candidate.findings if finding.level is Level.ERROR]
    if unreadable:
        return Seen(False, expected, unreadable[0])
    for endpoint in _endpoints(candidate.entity):
        for url in (endpoint.location, endpoint.response_location):
            if url is not None and not is_secure(url, allow_http_loopback=candidate.allow_http_loopback):
                return Seen(False, expected, quoted(url))
    return Seen(True, expected, "as expected")


@rule("metadata.keys", "SDP-MD08; IIP-MD07")
def signing_key_is_present(candidate: Candidate) -> Seen:
    """An IdP without a usable signing key could prove nothing."""
    if candidate.role == "sp":
        return Seen(True, "no key demanded of an SP", "as expected")
    keys = candidate.entity.idp.signing_keys if candidate.entity.idp is not None else ()
    return Seen(bool(keys), "a signing key of at least RSA 2048 or EC 256", f"{len(keys)} usable")


@rule("metadata.endpoint.usable", "SDP-IDP02; SDP-SP08; SAML Profiles 4.1.6")
def endpoint_is_usable(candidate: Candidate) -> Seen:
    """There is somewhere to send what the browser SSO profile sends."""
    if candidate.role == "idp":
        endpoints = candidate.entity.idp.single_sign_on if candidate.entity.idp is not None else ()
        wanted: tuple[str, ...] = (Binding.REDIRECT, Binding.POST)
        expected = "a SingleSignOnService for HTTP-Redirect or HTTP-POST"
    else:
        endpoints = candidate.entity.sp.assertion_consumer if candidate.entity.sp is not None else ()
        wanted = (Binding.POST,)
        expected = "an AssertionConsumerService for HTTP-POST"
    usable = [endpoint for endpoint in endpoints if endpoint.binding in wanted]
    return Seen(bool(usable), expected, f"{len(usable)} of {len(endpoints)} endpoints")


RULES: Final = (
    entity_id_is_absolute,
    entity_is_somebody_else,
    role_is_present,
    valid_until_is_present,
    valid_until_is_in_the_future,
    valid_until_is_not_too_far,
    endpoints_are_secure,
    signing_key_is_present,
    endpoint_is_usable,
)
"""What every partner's metadata must pass, in order, however its origin was established."""


def _role(candidate: Candidate) -> IdPRole | SPRole | None:
    return candidate.entity.idp if candidate.role == "idp" else candidate.entity.sp


def _endpoints(entity: Entity) -> Iterator[Endpoint]:
    for role in (entity.idp, entity.sp):
        if role is None:
            continue
        yield from role.single_logout
        yield from role.artifact_resolution
        yield from (endpoint for _, endpoint in role.extension_endpoints)
        yield from role.single_sign_on if isinstance(role, IdPRole) else role.assertion_consumer
