"""One judgement on a whole document, an entity or an aggregate of any size: may it be taken in, and what does it lack?

The rules are those by which a connection or a source takes a document in; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from federation.errors import Malformed, ProtocolError, Refused
from federation.saml.checks import Check, run
from federation.saml.metadata.aggregate import MAX_AGGREGATE, MemberRefused, members, verify
from federation.saml.metadata.entity import Entity
from federation.saml.metadata.findings import Finding, Level
from federation.saml.metadata.origin import Pins
from federation.saml.metadata.rules import (
    USE_RULES,
    Candidate,
    Validity,
    earliest_validity,
    role_is_present,
    valid_until_is_in_the_future,
)
from federation.saml.metadata.trust import MAX_VALIDITY, SKEW

DOCUMENT: Final = "document"
ROLES: Final = ("idp", "sp")
MISSING: Final = "metadata.valid_until.missing"
"""Said once of the document, instead of once for each of its entities."""


@dataclass(frozen=True, slots=True)
class Listed:
    """An entity of an accepted document: its roles (idp, sp, or another role's element name) and its earliest limit."""

    entity_id: str
    roles: tuple[str, ...]
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What came of it. A refused document has an `error` and no entities: it is refused whole.

    The error is among the `findings` too, with its rule and place.
    """

    entities: tuple[Listed, ...]
    findings: tuple[Finding, ...]
    error: ProtocolError | None = None

    @property
    def accepted(self) -> bool:
        """Whether the document may be taken in."""
        return self.error is None


def judge(
    document: bytes,
    *,
    now: datetime,
    pins: Pins | None = None,
    own_entity_id: str | None = None,
    max_validity: timedelta = MAX_VALIDITY,
    skew: timedelta = SKEW,
    exceptions: Iterable[str] = (),
    allow_http_loopback: bool = False,
    max_bytes: int = MAX_AGGREGATE,
) -> Judgement:
    """Judge a document. The options are those of `aggregate.verify` and `aggregate.members`.

    A document that is one entity must be usable in each of its roles. A member of a group that is not usable, or has
    expired before the group does, is only noted: it stays out of use, and the others need not suffer for it.

    Raises `ConfigurationError` for an exception that does not exist, and nothing for any document.
    """
    listed: list[Listed] = []
    findings: list[Finding] = []
    try:
        verified = verify(
            document, now=now, pins=pins, max_validity=max_validity, skew=skew, exceptions=exceptions,
            max_bytes=max_bytes,
        )  # fmt: skip
        findings += _of_document(verified.signed, verified.signer is not None, verified.valid_until)
        found = members(verified.octets, own_entity_id=own_entity_id, allow_http_loopback=allow_http_loopback, now=now)
        for member in found:
            findings += (each for each in member.findings if each.rule != MISSING)
            try:
                _demand_usable(member.entity, now, skew, max_validity)
            except Refused as refused:
                if not verified.is_group:
                    raise
                findings.append(_finding(refused.failed, member.entity.entity_id))
            listed.append(_listed(member.entity))
    except (Malformed, Refused) as error:
        return Judgement((), (_error(error), *findings), error)
    return Judgement(tuple(listed), tuple(findings))


def _of_document(signed: bool, has_signature: bool, valid_until: datetime | None) -> list[Finding]:
    found = []
    if not signed:
        message = "the document is signed, but no key is pinned" if has_signature else "the document is not signed"
        message += ": it proves nothing about where it comes from"
        found.append(Finding("metadata.unsigned", Level.WARNING, message, "SDP-MD02; IIP-MD03", DOCUMENT))
    if valid_until is None:
        message = "there is no validUntil, which a named exception allows: a withdrawn key would stay trusted for ever"
        found.append(Finding(MISSING, Level.WARNING, message, "IIP-MD04; SDP-MD03", DOCUMENT))
    return found


def _demand_usable(entity: Entity, now: datetime, skew: timedelta, max_validity: timedelta) -> None:
    """Raises `Refused` when no role is ours, or one of ours has expired, or lacks the keys and endpoints it needs."""
    present = [name for name in ROLES if getattr(entity, name) is not None]
    for role in present or ["idp"]:
        candidate = Candidate(entity, (), role, None, allow_http_loopback=True)
        limit = earliest_validity(entity, role)
        validity = Validity(root=None, earliest=limit, now=now, skew=skew, max_validity=max_validity)
        checks = run((role_is_present,), (), candidate)
        checks = run((valid_until_is_in_the_future,), checks, validity)
        run(USE_RULES, checks, candidate)


def _listed(entity: Entity) -> Listed:
    ours = [name for name in ROLES if getattr(entity, name) is not None]
    limits = [limit for name in ours or ["idp"] if (limit := earliest_validity(entity, name)) is not None]
    return Listed(entity.entity_id, (*ours, *entity.other_roles), min(limits, default=None))


def _finding(check: Check, place: str) -> Finding:
    message = f"expected {check.expected}, received {check.received}"
    return Finding(check.rule, Level.ERROR, message, check.reference, place)


def _error(error: Malformed | Refused) -> Finding:
    if isinstance(error, Malformed):
        return Finding(error.rule, Level.ERROR, error.reason, "", DOCUMENT)
    place = error.place if isinstance(error, MemberRefused) else DOCUMENT
    return _finding(error.failed, place)
