"""What happened under a reference number, read from the audit trail, with the repair where the cause is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from federation.saml.messages import AuthnRequest, RequestedAuthnContext
from federation.saml.metadata import fingerprints
from federation.saml.metadata.reading import read_document
from federation.saml.profiles import outline, repair, sso_request
from federation.saml.profiles.timeline import Moment
from sp_app.models import Account, AuditEntry, PendingRequest
from sp_app.services import audit, connections
from sp_app.services.ourselves import Self
from sp_app.services.sessions import digest


def timeline(session: Session, reference: str) -> Sequence[Moment]:
    """Everything under a reference number, oldest first; nothing for an unknown one."""
    return [_moment(session, entry) for entry in audit.under(session, reference)]


def asked(session: Session, handle: str | None, ourselves: Self) -> dict[str, Any] | None:
    """The outline of the request of ours that a RelayState stands for, made from what was remembered of it."""
    pending = session.get(PendingRequest, digest(handle)) if handle else None
    if pending is None:
        return None
    request = AuthnRequest(
        id=pending.request_id,
        issuer=ourselves.entity_id,
        issue_instant=pending.issued_at,
        assertion_consumer_service_url=ourselves.acs_url,
        force_authn=pending.force_authn,
        is_passive=pending.is_passive,
        name_id_policy=ourselves.name_id_policy,
        requested_authn_context=RequestedAuthnContext(tuple(pending.class_refs)) if pending.class_refs else None,
    )
    return sso_request.outline_of(request)


def _moment(session: Session, entry: AuditEntry) -> Moment:
    return Moment(
        at=entry.at,
        kind=entry.kind,
        reference=entry.reference,
        sentence=entry.detail,
        partner=entry.idp_entity_id,
        person=_person(session, entry.account_id),
        rule=entry.rule,
        repair=_repair(session, entry),
        messages=entry.messages,
        checks=entry.checks,
    )


def _person(session: Session, account_id: str | None) -> str | None:
    account = None if account_id is None else session.get(Account, account_id)
    name = None if account is None else account.display_name or account.username
    return f"{name} ({account_id})" if name else account_id


def _repair(session: Session, entry: AuditEntry) -> str | None:
    failed = next((check for check in entry.checks if not check["ok"]), None)
    if failed is None:
        return None
    connection = None if entry.idp_entity_id is None else connections.by_entity_id(session, entry.idp_entity_id)
    certificates = [each for message in entry.messages for each in outline.certificates_in(message)]
    if connection is None:
        return repair.repair(failed, repair.Known(partner="the identity provider", certificates=certificates))
    version = connections.live_metadata(session, connection)
    entity = next(each for each in read_document(version.document) if each.entity_id == connection.entity_id)
    known = repair.Known(
        partner=connection.name,
        certificates=certificates,
        keys=[each.value for each in fingerprints.of_entity(entity)],
        metadata_since=version.live_since or version.added,
        refused_at=entry.at,
    )
    return repair.repair(failed, known)
