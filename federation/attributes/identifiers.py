"""Identifiers that we make for a person (SAML Subject Identifier Attributes 1.0, SAML Core 8.3.7 and 8.3.8).

Pairwise and persistent identifiers are keyed digests: the same person gets the same value at the same SP for as long as
the secret lives, two SPs cannot compare notes, and nobody without the secret can guess one. Base32 in lower case, so no
two differ by letter case only (IIP-IDP21).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Final

from federation.attributes import base32
from federation.errors import ConfigurationError
from federation.saml.messages import NameID
from federation.saml.names import NameIDFormat

MIN_SECRET_OCTETS: Final = 32
_SCOPE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,126}", re.ASCII)
_SUBJECT_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9=-]{0,126}@[A-Za-z0-9][A-Za-z0-9.-]{0,126}", re.ASCII)


def pairwise_id(*, secret: bytes, person_uid: str, sp_entity_id: str, scope: str) -> str:
    """The pairwise-id of a person at one SP: 52 characters, `@` and the scope (Subject Identifier Attributes 3.4).

    `secret` is at least 32 octets, kept for as long as any SP knows the identifiers. `person_uid` is the person's own
    immutable identifier, never reassigned. Raises `ConfigurationError` for a short secret or a scope that is no domain.
    """
    if not _SCOPE.fullmatch(scope):
        raise ConfigurationError(f"the scope {scope!r} must be 1 to 127 letters, digits, dots and hyphens")
    return f"{_digest(b'pairwise-id', secret, person_uid, sp_entity_id)}@{scope.lower()}"


def subject_id(*, secret: bytes, person_uid: str, scope: str) -> str:
    """The subject-id of a person, the same at every SP (Subject Identifier Attributes 3.3). As `pairwise_id` else."""
    if not _SCOPE.fullmatch(scope):
        raise ConfigurationError(f"the scope {scope!r} must be 1 to 127 letters, digits, dots and hyphens")
    return f"{_digest(b'subject-id', secret, person_uid)}@{scope.lower()}"


def persistent_id(*, secret: bytes, person_uid: str, sp_entity_id: str, idp_entity_id: str) -> NameID:
    """The persistent NameID of a person at one SP, with both qualifiers (SAML Core 8.3.7).

    Unrelated to the pairwise-id of the same pair. Raises `ConfigurationError` for a short secret.
    """
    return NameID(
        value=_digest(b"persistent", secret, person_uid, sp_entity_id),
        format=NameIDFormat.PERSISTENT,
        name_qualifier=idp_entity_id,
        sp_name_qualifier=sp_entity_id,
    )


def transient_id(random: Callable[[int], bytes]) -> NameID:
    """A NameID that means nothing outside one session: 160 random bits (SAML Core 8.3.8, 1.3.4).

    `random` answers that many octets from a cryptographic source (`secrets.token_bytes`).
    """
    return NameID(value=f"_{random(20).hex()}", format=NameIDFormat.TRANSIENT)


def is_subject_identifier(value: str) -> bool:
    """Whether a received pairwise-id or subject-id has the form that the specification demands (3.3.2, 3.4.2)."""
    return _SUBJECT_IDENTIFIER.fullmatch(value) is not None


def scope_of(subject_identifier: str) -> str:
    """The scope of a pairwise-id or subject-id in lower case: it compares without case (3.3.1)."""
    return subject_identifier.rpartition("@")[2].lower()


def _digest(purpose: bytes, secret: bytes, *parts: str) -> str:
    """HMAC-SHA256 over the length-prefixed parts, so that no two lists of parts share an input."""
    if len(secret) < MIN_SECRET_OCTETS:
        raise ConfigurationError(f"the identifier secret must have at least {MIN_SECRET_OCTETS} octets")
    octets = purpose
    for part in map(str.encode, parts):
        octets += len(part).to_bytes(4, "big") + part
    return base32.lower(hmac.digest(secret, octets, hashlib.sha256))
