"""What happened under a reference number, and which refusals there were, read from the audit trail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from federation.saml.metadata import fingerprints
from federation.saml.profiles import outline, repair
from federation.saml.profiles.timeline import Moment
from idp_app.models import AuditEntry, Connection, Person
from idp_app.services.live import Partners
from idp_app.services.texts import key

LISTED: Final = 100
_REFUSED: Final = or_(AuditEntry.kind.startswith("refused"), AuditEntry.kind.in_(("sso.denied", "sso.error")))
_SENTENCES: Final = {
    "sso.received": "A site asked to sign somebody in; the person had to do something first.",
    "sso.issued": "The site was sent an assertion.",
    "sso.error": "The site was told why there is no assertion.",
    "sso.denied": "The person was told that this site is not open to them.",
}


def timeline(session: Session, reference: str, partners: Partners) -> Sequence[Moment]:
    """Everything of the exchange that a reference number belongs to, oldest first; nothing for an unknown one.

    A sign-in takes several requests of the browser, each with a number of its own: what they have in common is the
    message that began it.
    """
    written = reference.strip().upper()
    named = session.scalars(select(AuditEntry).where(AuditEntry.reference == written).order_by(AuditEntry.id)).all()
    same: list[ColumnElement[bool]] = [AuditEntry.reference == written]
    same += [
        and_(AuditEntry.request_id == entry.request_id, AuditEntry.entity_id == entry.entity_id)
        for entry in named
        if entry.request_id is not None and entry.entity_id is not None
    ]
    found = session.scalars(select(AuditEntry).where(or_(*same)).order_by(AuditEntry.id)).all() if named else ()
    return [_moment(session, entry, partners) for entry in found]


def refusals(session: Session, text: str = "") -> Sequence[Moment]:
    """The latest refusals, searched by reference number, person, or partner (name or entityID)."""
    found = select(AuditEntry).where(_REFUSED)
    if text := text.strip():
        people = select(Person.id).where(
            or_(Person.username_key == key(text), Person.display_name.icontains(text, autoescape=True))
        )
        sites = select(Connection.entity_id).where(Connection.name.icontains(text, autoescape=True))
        found = found.where(
            or_(
                AuditEntry.reference == text.upper(),
                AuditEntry.entity_id.icontains(text, autoescape=True),
                AuditEntry.person_id.in_(people),
                AuditEntry.entity_id.in_(sites),
            )
        )
    entries = session.scalars(found.order_by(AuditEntry.id.desc()).limit(LISTED)).all()
    return [_moment(session, entry, None) for entry in entries]


def _moment(session: Session, entry: AuditEntry, partners: Partners | None) -> Moment:
    detail: dict[str, Any] = entry.detail
    person = session.get(Person, entry.person_id) if entry.person_id is not None else None
    rule = detail.get("rule") if entry.kind.startswith(("refused", "sso.denied")) else None
    if entry.kind == "sso.error":
        rule = next((check["rule"] for check in entry.checks if not check["ok"]), None)
    return Moment(
        at=entry.at,
        kind=entry.kind,
        reference=entry.reference,
        sentence=str(detail.get("message") or detail.get("reason") or _SENTENCES.get(entry.kind, entry.kind)),
        partner=entry.entity_id,
        person=None if person is None else f"{person.name} ({person.username})",
        rule=rule,
        repair=None if partners is None else _repair(session, entry, partners),
        messages=entry.messages,
        checks=entry.checks,
    )


def _repair(session: Session, entry: AuditEntry, partners: Partners) -> str | None:
    failed = next((check for check in entry.checks if not check["ok"]), None)
    if failed is None:
        return None
    partner = partners.by_entity_id(session, entry.entity_id) if entry.entity_id is not None else None
    connection = None if partner is None else session.get(Connection, partner.id)
    known = repair.Known(
        partner="the site" if partner is None else partner.name,
        certificates=[each for message in entry.messages for each in outline.certificates_in(message)],
        keys=() if partner is None else [each.value for each in fingerprints.of_entity(partner.entity)],
        metadata_since=None if connection is None else connection.trusted_at,
        refused_at=entry.at,
    )
    return repair.repair(failed, known)
