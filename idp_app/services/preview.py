"""What a connection would be told, shown before anybody signs in: the very decisions that an assertion is made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from federation.attributes.catalogue import CATALOGUE
from federation.attributes.release import Verdict
from federation.audiences import eligibility
from federation.audiences.eligibility import Decision
from idp_app.models import ConnectionState, Person
from idp_app.services import release
from idp_app.services.live import LiveConnection

if TYPE_CHECKING:
    from idp_app.installation import Installation


@dataclass(frozen=True, slots=True)
class Line:
    """One attribute. `allowed` says that it goes out (for a person), or would for somebody who has it."""

    label: str
    friendly_name: str
    verdict: Verdict
    allowed: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """The release table; for a chosen person also whether they may use the site at all."""

    lines: Sequence[Line]
    person: Person | None = None
    decision: Decision | None = None


def of_nobody(partner: LiveConnection) -> Preview:
    """The table for whoever has a value."""
    verdicts = partner.release(None).verdicts({})
    return Preview([_line(verdict, verdict.outcome == "no_value") for verdict in verdicts])


def of_person(session: Session, installation: Installation, partner: LiveConnection, person: Person) -> Preview:
    """The table for one person, and the decision about their audiences."""
    memberships = release.memberships_of(session, person.id)
    told = partner.release(None)
    subject = release.Subject(
        person,
        person.id,
        memberships.groups,
        partner.entity_id,
        installation.identifier_secret,
        installation.settings.scope,
    )
    verdicts = told.verdicts(release.values_of(subject, told.keys))
    decision = eligibility.decide(
        guest=person.guest,
        suspended=person.suspended,
        person_audiences=memberships.audiences,
        connection_audiences=partner.audiences,
        connection_active=partner.state is ConnectionState.ACTIVE,
    )
    return Preview([_line(verdict, verdict.outcome == "released") for verdict in verdicts], person, decision)


def _line(verdict: Verdict, allowed: bool) -> Line:
    entry = CATALOGUE[verdict.key] if verdict.key is not None else None
    if entry is None:
        return Line(verdict.name, "", verdict, allowed)
    return Line(entry.label, entry.friendly_name, verdict, allowed)
