"""What a partner's metadata lacks, against the deployment profiles (SDP-MD, IIP-MD, SDP-IDP33, SDP-SP39).

Nothing here refuses anything: `trust` does. These are the sentences that a connection's page shows, so that an
administrator knows what to ask the partner for, and what will not work meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from lxml.etree import _Element

from federation.saml import encryption
from federation.saml.codec.metadata_schema import schema_problems
from federation.saml.metadata.entity import Entity, IdPRole, Role, SPRole
from federation.saml.metadata.findings import Finding, Level
from federation.saml.names import SUBJECT_ID_REQ

_SIGNALS: Final = frozenset({"subject-id", "pairwise-id", "any", "none"})


def lint(entity: Entity, *, now: object = None) -> tuple[Finding, ...]:
    """Every finding about an entity, the most important first within each part: entity, IdP role, SP role."""
    found = list(_entity(entity))
    if entity.idp is not None:
        found += [*_idp(entity.idp), *_role(entity.idp, "IdP")]
    if entity.sp is not None:
        found += [*_sp(entity.sp), *_role(entity.sp, "SP"), *_signal(entity)]
    return tuple(found)


def _entity(entity: Entity) -> Iterator[Finding]:
    if entity.valid_until is None:
        yield _warning(
            "metadata.valid_until.missing",
            "there is no validUntil: a withdrawn key would stay trusted for ever",
            "IIP-MD04; SDP-MD03",
        )
    technical = [contact for contact in entity.contacts if contact.type == "technical" and contact.emails]
    if not technical:
        yield _info("metadata.contact.missing", "there is no technical contact with an e-mail address", "SDP-MD11")


def _role(role: Role, name: str) -> Iterator[Finding]:
    info = role.ui_info
    if not info.display_names:
        message = f"the {name} has no display name: people see its entityID"
        yield _info("metadata.ui_info.missing", message, "SDP-MD09")
    if not info.logos:
        yield _info("metadata.logo.missing", f"the {name} has no logo", "SDP-MD09")
    if not role.single_logout:
        message = f"the {name} has no single logout endpoint: sign-out elsewhere does not reach it"
        yield _info("metadata.logout.missing", message, "SDP-SP39; SDP-IDP33")


def _idp(idp: IdPRole) -> Iterator[Finding]:
    if not idp.scopes:
        message = "the IdP lists no scope: its scoped attributes cannot be believed"
        yield _warning("metadata.scope.missing", message, "SDP-IDP14; SDP-IDP33")
    if idp.error_url is None:
        yield _info("metadata.error_url.missing", "the IdP has no errorURL to send people to", "SDP-MD12")


def _sp(sp: SPRole) -> Iterator[Finding]:
    if not sp.encryption_keys:
        message = "the SP has no encryption key: the person's browser can read what it carries to it"
        yield _warning("metadata.encryption_key.missing", message, "SDP-MD08; SDP-SP39")
    elif not any(encryption.suits(key) for key in sp.encryption_keys):
        message = "the SP has no RSA encryption key for AES-GCM and OAEP: nothing can be encrypted to it"
        yield _warning("metadata.encryption_key.unfit", message, "SDP-ALG01; IIP-ALG04; IIP-ALG06")
    if not any(service.requested for service in sp.attribute_consuming):
        message = "the SP requests no attribute: only what the release policy marks unconditional is released"
        yield _warning("metadata.requested_attribute.missing", message, "IIP-IDP04")
    if not sp.ui_info.privacy_statement_urls:
        yield _info("metadata.privacy.missing", "the SP has no privacy statement", "SDP-MD09")


def _signal(entity: Entity) -> Iterator[Finding]:
    values = entity.attribute(SUBJECT_ID_REQ)
    if not values:
        message = "the SP does not say which subject identifier it needs"
        yield _info("metadata.subject_id.missing", message, "SDP-SP15")
    elif len(values) > 1 or values[0] not in _SIGNALS:
        message = "the SP's subject identifier signal is none of subject-id, pairwise-id, any, none"
        yield _warning("metadata.subject_id.unknown", message, "SDP-SP15")


def _warning(rule: str, message: str, reference: str) -> Finding:
    return Finding(rule, Level.WARNING, message, reference)


def _info(rule: str, message: str, reference: str) -> Finding:
    return Finding(rule, Level.INFO, message, reference)


def lint_schema(element: _Element, entity_id: str) -> tuple[Finding, ...]:
    """Where an EntityDescriptor breaks the published XML schemas. It is read all the same."""
    return tuple(
        Finding("metadata.schema", Level.WARNING, problem, "IIP-MD05; SAML Metadata", entity_id)
        for problem in schema_problems(element)
    )
