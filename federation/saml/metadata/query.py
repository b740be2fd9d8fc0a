"""The Metadata Query Protocol without its HTTP: identifiers, signed answers (draft-young-md-query, -saml).

A responder answers for an entity by its plain identifier and by its transformed one, because clients differ in which
they ask by. Several workers give the same answer, octet for octet: it depends on the entity, the key and the period.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from federation.saml.metadata.aggregate import Member
from federation.saml.metadata.locations import is_entity_id
from federation.saml.metadata.publishing import DEFAULT_CACHE_DURATION, DEFAULT_VALIDITY
from federation.saml.metadata.rolling import PERIOD, Document, beginning, document_id, entity_tag
from federation.saml.metadata.signing import sign_group, sign_member
from federation.saml.signature import SigningKey

_TRANSFORMED = re.compile(r"\{sha1\}([0-9A-Fa-f]{40})", re.ASCII)


def sha1_identifier(entity_id: str) -> str:
    """The transformed identifier: `{sha1}` and the SHA-1 of the entityID in lower-case hexadecimal.

    The hash is a name here and protects nothing: what is answered is signed.
    """
    return "{sha1}" + hashlib.sha1(entity_id.encode(), usedforsecurity=False).hexdigest()


def request_path(identifier: str) -> str:
    """The path to ask for, relative to the responder's base: `entities/` and the percent-encoded identifier."""
    return f"entities/{quote(identifier, safe='')}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request asks for: one entity by `entity_id` or by `sha1` (lower-case hexadecimal); neither means all."""

    entity_id: str | None = None
    sha1: str | None = None

    def means(self, entity_id: str) -> bool:
        """Whether an entity is what was asked for: a client compares the answer with its question by this too."""
        if self.sha1 is not None:
            return sha1_identifier(entity_id) == "{sha1}" + self.sha1
        return self.entity_id in (None, entity_id)


def wanted(identifier: str) -> Wanted | None:
    """Read an identifier as it stands in a path, percent-decoded once; empty means all.

    None if there can be no such entity: another transformation, or no entityID at all.
    """
    if not identifier:
        return Wanted()
    transformed = _TRANSFORMED.fullmatch(identifier)
    if transformed:
        return Wanted(sha1=transformed[1].lower())
    return Wanted(entity_id=identifier) if is_entity_id(identifier) else None


def answer(
    member: Member,
    *,
    signing_key: SigningKey,
    now: datetime,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
    period: timedelta = PERIOD,
) -> Document | None:
    """The answer for one entity, signed as of the beginning of the current period; None once its own limit has passed.

    Within a period each call gives the same octets with an RSA key; with an EC key keep the answer for the period.
    """
    issued = beginning(now, period)
    limit = member.entity.valid_until
    if limit is not None and limit <= now:
        return None
    body = sign_member(
        member,
        signing_key=signing_key,
        document_id=document_id(member.digest.encode(), issued),
        now=issued,
        validity=validity,
        cache_duration=cache_duration,
    )
    until = issued + validity
    return Document(body, entity_tag(body), issued, until if limit is None else min(limit, until))


def everything(
    members: Sequence[Member],
    *,
    name: str,
    signing_key: SigningKey,
    now: datetime,
    validity: timedelta = DEFAULT_VALIDITY,
    cache_duration: timedelta = DEFAULT_CACHE_DURATION,
    period: timedelta = PERIOD,
) -> Document:
    """The answer when no entity is named: all of them in one group, called `name`, signed once as a whole.

    Each member keeps its own limit. Raises `ConfigurationError` without members.
    """
    issued = beginning(now, period)
    body = sign_group(
        members,
        signing_key=signing_key,
        document_id=document_id("".join(member.digest for member in members).encode(), issued),
        now=issued,
        name=name,
        validity=validity,
        cache_duration=cache_duration,
    )
    return Document(body, entity_tag(body), issued, issued + validity)
