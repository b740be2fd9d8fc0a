"""The rules that one partner's metadata must pass, each named and with its clause; `trust.verify` runs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from federation.saml.checks import Seen, rule
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, SPRole
from federation.saml.metadata.findings import Finding, Level, quoted
from federation.saml.metadata.locations import is_entity_id, is_secure
from federation.saml.names import Binding
from federation.saml.times import format_instant

MISSING_VALID_UNTIL: Final = "missing-valid-until"
"""The named exception that lets signed metadata without validUntil pass; it stays visible among the misses."""
EXCEPTIONS: Final = frozenset({MISSING_VALID_UNTIL})


class Candidate(NamedTuple):
    """An entity that was read, and what a rule may compare it with. `role` is idp or sp: what we need it for."""

    entity: Entity
    findings: tuple[Finding, ...]
    role: str
    own_entity_id: str | None
    allow_http_loopback: bool


@dataclass(frozen=True, slots=True)
class Validity:
    """Until when a document says it holds, and what we demand of that.

    `root` is the document element's own validUntil, `earliest` the earliest of all levels that matter. `demanded` says
    that there must be one, unless an exception is named.
    """

    root: datetime | None
    earliest: datetime | None
    now: datetime
    skew: timedelta
    max_validity: timedelta
    demanded: bool = True
    exceptions: frozenset[str] = frozenset()


@rule("metadata.entity_id", "SDP-G04; SAML Core 8.3.6")
def entity_id_is_absolute(candidate: Candidate) -> Seen:
    """The entityID is an absolute URI of at most 256 characters."""
    entity_id = candidate.entity.entity_id
    return is_entity_id(entity_id), "an absolute URI of at most 256 characters", quoted(entity_id)


@rule("metadata.own_entity_id", "SAML Metadata 2.3.2")
def entity_is_somebody_else(candidate: Candidate) -> Seen:
    """Nobody else may describe us."""
    ok = candidate.entity.entity_id != candidate.own_entity_id
    return ok, "another entity's identifier", "our own" if not ok else quoted(candidate.entity.entity_id)


@rule("metadata.role", "SAML Metadata 2.4.1")
def role_is_present(candidate: Candidate) -> Seen:
    """The entity has the role we need, and speaks SAML 2.0 in it."""
    entity = candidate.entity
    roles = [name for name, role in (("an IdP", entity.idp), ("an SP", entity.sp)) if role is not None]
    expected = "an IdP role for SAML 2.0" if candidate.role == "idp" else "an SP role for SAML 2.0"
    return role_of(entity, candidate.role) is not None, expected, " and ".join(roles) or "no SAML 2.0 role"


@rule("metadata.valid_until.present", "IIP-MD04; SDP-MD03")
def valid_until_is_present(validity: Validity) -> Seen:
    """Metadata says how long it holds, or a copy of it could be used for ever."""
    if validity.root is not None:
        return True, "validUntil on the root", format_instant(validity.root)
    if not validity.demanded:
        return True, "validUntil, or unsigned metadata that a person confirms", "unsigned, without validUntil"
    excepted = MISSING_VALID_UNTIL in validity.exceptions
    return excepted, "validUntil on the root", "none, by a named exception" if excepted else "none"


@rule("metadata.valid_until.future", "SAML Metadata 2.3.2; IIP-MD04")
def valid_until_is_in_the_future(validity: Validity) -> Seen:
    """No level of the document has expired: group, entity, or the role we need."""
    earliest = min((limit for limit in (validity.root, validity.earliest) if limit is not None), default=None)
    expected = f"valid after {format_instant(validity.now)}"
    if earliest is None:
        return True, expected, "no limit"
    return earliest > validity.now - validity.skew, expected, f"valid until {format_instant(earliest)}"


@rule("metadata.valid_until.limit", "IIP-MD04; SDP-MD03")
def valid_until_is_not_too_far(validity: Validity) -> Seen:
    """The limit is the only revocation there is: it must not be further ahead than we allow."""
    limit = validity.now + validity.max_validity + validity.skew
    expected = f"at most {validity.max_validity.days} days ahead"
    if validity.root is None:
        return True, expected, "no limit"
    return validity.root <= limit, expected, format_instant(validity.root)


@rule("metadata.endpoints", "SDP-SP09; SDP-IDP03; SAML Metadata 2.2.2")
def endpoints_are_secure(candidate: Candidate) -> Seen:
    """Every endpoint is an https URL that every browser reads the same way; http only to this machine, if allowed."""
    expected = "https endpoints" + (", or http on loopback" if candidate.allow_http_loopback else "")
    unreadable = [finding.message for finding in candidate.findings if finding.level is Level.ERROR]
    if unreadable:
        return False, expected, unreadable[0]
    for endpoint in _endpoints(candidate.entity):
        for url in (endpoint.location, endpoint.response_location):
            if url is not None and not is_secure(url, allow_http_loopback=candidate.allow_http_loopback):
                return False, expected, quoted(url)
    return True, expected, "as expected"


@rule("metadata.keys", "SDP-MD08; IIP-MD07")
def signing_key_is_present(candidate: Candidate) -> Seen:
    """An IdP without a usable signing key could prove nothing."""
    if candidate.role == "sp":
        return True, "no key demanded of an SP", "as expected"
    keys = candidate.entity.idp.signing_keys if candidate.entity.idp is not None else ()
    return bool(keys), "a signing key of at least RSA 2048 or EC 256", f"{len(keys)} usable"


@rule("metadata.endpoint.usable", "SDP-IDP02; SDP-SP08; SAML Profiles 4.1.6")
def endpoint_is_usable(candidate: Candidate) -> Seen:
    """There is somewhere to send what the browser SSO profile sends."""
    if candidate.role == "idp":
        endpoints = candidate.entity.idp.single_sign_on if candidate.entity.idp is not None else ()
        wanted: tuple[str, ...] = (Binding.REDIRECT, Binding.POST)
        expected = "a SingleSignOnService for HTTP-Redirect or HTTP-POST"
    else:
        endpoints = candidate.entity.sp.assertion_consumer if candidate.entity.sp is not None else ()
        # Who fetches a response by its artifact has to prove who it is.
        fetches = candidate.entity.sp is not None and bool(candidate.entity.sp.signing_keys)
        wanted = (Binding.POST, Binding.ARTIFACT) if fetches else (Binding.POST,)
        expected = "an AssertionConsumerService for HTTP-POST, or for HTTP-Artifact beside a signing key"
    usable = [endpoint for endpoint in endpoints if endpoint.binding in wanted]
    return bool(usable), expected, f"{len(usable)} of {len(endpoints)} endpoints"


IDENTITY_RULES: Final = (entity_id_is_absolute, entity_is_somebody_else)
"""Who an entity says it is."""
VALIDITY_RULES: Final = (valid_until_is_present, valid_until_is_in_the_future, valid_until_is_not_too_far)
"""How long a document holds."""
USE_RULES: Final = (signing_key_is_present, endpoint_is_usable)
"""Whether an entity can be used in the role we need it for."""


def role_of(entity: Entity, role: str) -> IdPRole | SPRole | None:
    """The role called idp or sp, if the entity has it."""
    return entity.idp if role == "idp" else entity.sp


def earliest_validity(entity: Entity, role: str) -> datetime | None:
    """Until when an entity can be used in a role: the earliest limit of the role, the entity, and its groups."""
    used = role_of(entity, role)
    limits = (entity.valid_until, used.valid_until if used is not None else None)
    return min((limit for limit in limits if limit is not None), default=None)


def _endpoints(entity: Entity) -> Iterator[Endpoint]:
    for role in (entity.idp, entity.sp):
        if role is None:
            continue
        yield from role.single_logout
        yield from role.artifact_resolution
        yield from (endpoint for _, endpoint in role.extension_endpoints)
        yield from role.single_sign_on if isinstance(role, IdPRole) else role.assertion_consumer
