"""Warnings before a certificate expires, ours or a partner's. Pure.

SAML takes a key from metadata and its certificate's dates mean nothing (SAML Metadata IOP 2.5.1): here nothing stops on
that day. Other software looks at them, and a partner that forgot the day has usually forgotten the key, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from typing import Final

from federation.errors import Malformed
from federation.saml import certificates
from federation.saml.metadata.entity import Entity

STEPS: Final = (1, 7, 14, 30, 60)
"""Days before the expiry, nearest first."""


class Level(IntEnum):
    """How bad it is; the number is the exit code of `keys status` (1 and 2 are errors of the command itself)."""

    GOOD = 0
    WARNING = 3
    CRITICAL = 4


@dataclass(frozen=True, slots=True)
class Partner:
    """Who uses our metadata: its names, the people to write to, and what its own metadata says.

    `address` is where it finds our metadata, if it has an address of its own, and `query_base` where it may ask for it
    by Metadata Query.
    """

    entity_id: str
    name: str
    contacts: tuple[str, ...] = ()
    entity: Entity | None = None
    address: str | None = None
    query_base: str | None = None

    @classmethod
    def of(cls, entity: Entity, name: str, address: str | None = None, query_base: str | None = None) -> Partner:
        """A partner by its metadata; technical contacts first."""
        ordered = sorted(entity.contacts, key=lambda each: each.type != "technical")
        mails = (mail.removeprefix("mailto:") for each in ordered for mail in each.emails)
        return cls(entity.entity_id, name, tuple(dict.fromkeys(mails)), entity, address, query_base)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look after. `about` is a key's name or a partner's entityID."""

    level: Level
    about: str
    sentence: str
    days: int | None = None
    contacts: tuple[str, ...] = ()


def expiry_of(certificate: bytes) -> datetime | None:
    """When a DER certificate expires, if it says so."""
    try:
        return certificates.container_of(certificate).not_after
    except Malformed:
        return None


def warn(about: str, whose: str, certificate: bytes, now: datetime, contacts: tuple[str, ...] = ()) -> Finding | None:
    """The warning about a certificate that expires within 60 days, or has expired."""
    until = expiry_of(certificate)
    if until is None or until - now > timedelta(days=STEPS[-1]):
        return None
    day = f"{until:%Y-%m-%d}"
    if until <= now:
        return Finding(Level.CRITICAL, about, f"{whose} expired on {day}.", 0, contacts)
    step = next(each for each in STEPS if until - now <= timedelta(days=each))
    level = Level.CRITICAL if step <= 7 else Level.WARNING
    within = "a day" if step == 1 else f"{step} days"
    return Finding(level, about, f"{whose} expires within {within}, on {day}.", step, contacts)


def certificates_of(partner: Partner) -> Sequence[tuple[bytes, str]]:
    """Each certificate of a partner once, with its use; an empty one stands for both."""
    role = None if partner.entity is None else partner.entity.idp or partner.entity.sp
    uses: dict[bytes, str] = {}
    for key in () if role is None else role.keys:
        if key.certificate is not None:
            uses[key.certificate] = "" if key.certificate in uses else key.use or ""
    return tuple(uses.items())


def warnings_about(partners: Sequence[Partner], now: datetime) -> Iterator[Finding]:
    """What is to be said of partners' certificates."""
    for partner in partners:
        for certificate, use in certificates_of(partner):
            whose = f"The {use} certificate of {partner.name}" if use else f"The certificate of {partner.name}"
            found = warn(partner.entity_id, whose, certificate, now, partner.contacts)
            if found is not None:
                yield found
