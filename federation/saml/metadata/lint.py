"""What an entity's metadata lacks against the profiles: SDP-MD, IIP-MD, SDP-IDP33, SDP-SP39 (and the schemas).

Nothing here refuses anything: `trust` and `aggregate` do. These are the sentences that a connection's page shows, so
that an administrator knows what to ask the partner for, and what will not work meanwhile. A warning is something that a
profile demands, an info what it recommends or what helps. Keys have a module of their own, `lint_keys`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from lxml.etree import _Element

from federation.saml.algorithms import DIGEST_ALGORITHMS, SIGNATURE_ALGORITHMS
from federation.saml.codec.metadata_schema import schema_problems
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, Role, SPRole
from federation.saml.metadata.findings import Finding, Findings, Level, quoted
from federation.saml.metadata.lint_keys import lint_keys
from federation.saml.metadata.locations import is_loopback, is_secure
from federation.saml.names import REMD, SUBJECT_ID_REQ, Binding, NameFormat

SECURITY_CONTACT: Final = f"{REMD}/contactType/security"
_SIGNALS: Final = frozenset({"subject-id", "pairwise-id", "any", "none"})
_SSO_BINDINGS: Final = frozenset({Binding.REDIRECT, Binding.POST, Binding.ARTIFACT, Binding.SOAP, Binding.SIMPLE_SIGN})
_ACS_BINDINGS: Final = frozenset({Binding.POST, Binding.ARTIFACT, Binding.PAOS, Binding.SIMPLE_SIGN})
_SLO_BINDINGS: Final = frozenset({Binding.REDIRECT, Binding.POST, Binding.ARTIFACT, Binding.SOAP, Binding.SIMPLE_SIGN})
_SAML2_BINDINGS: Final = "urn:oasis:names:tc:SAML:2.0:bindings:"


def lint(entity: Entity, *, now: datetime | None = None) -> tuple[Finding, ...]:
    """Every finding about an entity: about itself, its IdP role, its SP role. Without `now` no date is judged."""
    findings = Findings(entity.entity_id)
    _entity(entity, findings)
    if entity.idp is not None:
        _idp(entity.idp, findings)
        _role(entity.idp, "IdP", findings)
        lint_keys(entity.idp, "IdP", findings, now=now)
    if entity.sp is not None:
        _sp(entity.sp, findings)
        _role(entity.sp, "SP", findings)
        _signal(entity, findings)
        lint_keys(entity.sp, "SP", findings, now=now)
    return findings.all()


def lint_schema(element: _Element, entity_id: str) -> tuple[Finding, ...]:
    """Where an EntityDescriptor breaks the published XML schemas. It is read all the same."""
    return tuple(
        Finding(
            "metadata.schema", Level.WARNING, f"against the schema: {problem}", "IIP-MD05; SAML Metadata", entity_id
        )
        for problem in schema_problems(element)
    )


def _entity(entity: Entity, findings: Findings) -> None:
    if entity.valid_until is None:
        message = "there is no validUntil: a withdrawn key would stay trusted for ever"
        findings.add("metadata.valid_until.missing", Level.WARNING, message, "IIP-MD04; SDP-MD03")
    if not any(contact.type == "technical" and contact.emails for contact in entity.contacts):
        message = "there is no technical contact with an e-mail address"
        findings.add("metadata.contact.missing", Level.WARNING, message, "SDP-MD11; SDP-IDP33; SDP-SP39")
    if not any(contact.remd_type == SECURITY_CONTACT for contact in entity.contacts):
        message = "there is no security contact: whom to tell about an incident?"
        findings.add("metadata.contact.security", Level.INFO, message, "REFEDS security contact")


def _role(role: Role, name: str, findings: Findings) -> None:
    profile = "SDP-IDP33" if isinstance(role, IdPRole) else "SDP-SP39"
    if not role.ui_info.display_names:
        message = f"the {name} has no display name: people see its entityID"
        findings.add("metadata.ui_info.missing", Level.WARNING, message, f"SDP-MD09; {profile}", place=name)
    if not role.ui_info.logos:
        message = f"the {name} has no logo"
        findings.add("metadata.logo.missing", Level.WARNING, message, f"SDP-MD09; SDP-MD10; {profile}", place=name)
    if role.single_logout and not _offers(role.single_logout, Binding.REDIRECT):
        message = f"the {name} offers single logout, but not by HTTP-Redirect"
        findings.add("metadata.logout.redirect", Level.WARNING, message, "SDP-SP26; SDP-IDP25", place=name)
    _bindings(role.single_logout, _SLO_BINDINGS, f"{name} SingleLogoutService", findings)
    _defaults(role.artifact_resolution, f"{name} ArtifactResolutionService", findings)
    _algorithms(role, name, findings)


def _idp(idp: IdPRole, findings: Findings) -> None:
    if not _offers(idp.single_sign_on, Binding.REDIRECT):
        message = "the IdP has no sign-on endpoint for HTTP-Redirect"
        findings.add("metadata.sso.redirect", Level.WARNING, message, "SDP-IDP02; SDP-IDP33", place="IdP")
    _bindings(idp.single_sign_on, _SSO_BINDINGS, "IdP SingleSignOnService", findings)
    if not idp.single_logout:
        message = "the IdP has no single logout endpoint: sign-out elsewhere does not reach it"
        findings.add("metadata.logout.missing", Level.WARNING, message, "SDP-IDP33; SDP-IDP21", place="IdP")
    if not idp.scopes:
        message = "the IdP lists no scope: its scoped attributes cannot be believed"
        findings.add("metadata.scope.missing", Level.WARNING, message, "SDP-IDP14; SDP-IDP33", place="IdP")
    if idp.error_url is None:
        message = "the IdP has no errorURL to send people to"
        findings.add("metadata.error_url.missing", Level.WARNING, message, "SDP-MD12; SDP-IDP33", place="IdP")
    elif not (is_secure(idp.error_url, allow_http_loopback=False) or _is_secure_at_home(idp, idp.error_url)):
        message = f"the IdP's errorURL {quoted(idp.error_url)} is not https"
        findings.add("metadata.error_url.insecure", Level.WARNING, message, "SDP-MD12", place="IdP")


def _is_secure_at_home(idp: IdPRole, url: str) -> bool:
    """Whether it is all on somebody's own machine, for development: there nothing is https."""
    at_home = all(is_loopback(urlsplit(endpoint.location).hostname or "") for endpoint in idp.single_sign_on)
    return is_secure(url, allow_http_loopback=at_home)


def _sp(sp: SPRole, findings: Findings) -> None:
    _bindings(sp.assertion_consumer, _ACS_BINDINGS, "SP AssertionConsumerService", findings)
    _defaults(sp.assertion_consumer, "SP AssertionConsumerService", findings)
    if not sp.single_logout:
        message = "the SP has no single logout endpoint: sign-out elsewhere does not reach it"
        findings.add("metadata.logout.missing", Level.INFO, message, "SDP-SP24; SDP-SP39", place="SP")
    if not sp.ui_info.privacy_statement_urls:
        message = "the SP has no privacy statement"
        findings.add("metadata.privacy.missing", Level.WARNING, message, "SDP-MD09; SDP-SP39", place="SP")
    requested = [attribute for service in sp.attribute_consuming for attribute in service.requested]
    if not requested:
        message = "the SP requests no attribute: only what the release policy marks unconditional is released"
        findings.add("metadata.requested_attribute.missing", Level.WARNING, message, "IIP-IDP04", place="SP")
    if any(attribute.name_format not in (NameFormat.URI, None) for attribute in requested):
        message = "the SP requests attributes by names that are no URIs"
        findings.add("metadata.requested_attribute.format", Level.INFO, message, "SDP-IDP18", place="SP")


def _signal(entity: Entity, findings: Findings) -> None:
    values = entity.attribute(SUBJECT_ID_REQ)
    if not values:
        message = "the SP does not say which subject identifier it needs"
        findings.add("metadata.subject_id.missing", Level.WARNING, message, "SDP-SP15; SDP-SP39", place="SP")
    elif len(values) > 1 or values[0] not in _SIGNALS:
        message = "the SP's subject identifier signal is none of subject-id, pairwise-id, any, none"
        findings.add("metadata.subject_id.unknown", Level.WARNING, message, "SDP-SP15; SDP-SP39", place="SP")


def _algorithms(role: Role, name: str, findings: Findings) -> None:
    """What the role says that it supports, against what we can do: a message to it must use one of both."""
    if not role.signing_algorithms and not role.digest_algorithms:
        message = f"the {name} does not say which algorithms it supports"
        findings.add("metadata.algorithms.missing", Level.INFO, message, "IIP-MD09", place=name)
    for listed, ours, what in (
        (role.signing_algorithms, SIGNATURE_ALGORITHMS, "signature"),
        (role.digest_algorithms, DIGEST_ALGORITHMS, "digest"),
    ):
        if listed and not set(listed) & set(ours):
            message = f"the {name} lists only {what} algorithms that are not used here: nothing can be signed for it"
            findings.add("metadata.algorithms.foreign", Level.WARNING, message, "IIP-MD10; SDP-ALG01", place=name)


def _offers(endpoints: tuple[Endpoint, ...], binding: str) -> bool:
    return any(endpoint.binding == binding for endpoint in endpoints)


def _bindings(endpoints: tuple[Endpoint, ...], fitting: frozenset[str], place: str, findings: Findings) -> None:
    """A SAML 2.0 binding that the profile does not have for this endpoint; those of other protocols are no matter."""
    for binding in dict.fromkeys(endpoint.binding for endpoint in endpoints):
        if binding.startswith(_SAML2_BINDINGS) and binding not in fitting:
            message = f"an endpoint is offered for {quoted(binding)}, by which nothing can arrive there"
            findings.add("metadata.endpoint.binding", Level.WARNING, message, "SDP-MD04; SAML Profiles 4", place=place)


def _defaults(endpoints: tuple[Endpoint, ...], place: str, findings: Findings) -> None:
    if sum(1 for endpoint in endpoints if endpoint.is_default) > 1:
        message = "several endpoints are the default: the first one is"
        findings.add("metadata.endpoint.default", Level.WARNING, message, "SAML Metadata 2.2.3", place=place)
