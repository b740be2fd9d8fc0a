"""Which NameID a requester gets (SAML Core 3.4.1.1, 8.3; SDP-IDP12)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from federation.attributes import identifiers
from federation.attributes.catalogue import CATALOGUE
from federation.saml.messages import Attribute, NameID
from federation.saml.names import NameIDFormat
from idp_app.options import AUTO, NAME_ID_FORMATS
from idp_app.services.live import LiveConnection
from idp_app.services.questions import Question

SUPPORTED: Final = (NameIDFormat.TRANSIENT, NameIDFormat.PERSISTENT, NameIDFormat.EMAIL)
"""What can be asked for by name; transient first, because it is what a requester without a wish gets."""


def name_id(
    question: Question,
    partner: LiveConnection,
    released: Sequence[Attribute],
    *,
    session_id: str,
    person_id: str,
    own_entity_id: str,
    session_secret: bytes,
    identifier_secret: bytes,
) -> NameID | None:
    """The NameID, or None when it is left out (`left_out`) or the policy cannot be met (InvalidNameIDPolicy).

    `released` are the attributes that the release policy lets out, under our names. A persistent NameID tells as much
    as a pairwise-id, an address as much as mail, and an unspecified one is the user name: each leaves only where its
    attribute may.
    """
    if question.sp_name_qualifier not in (None, partner.entity_id):
        return None
    for name_id_format in _wanted(question, partner):
        match name_id_format:
            case NameIDFormat.TRANSIENT:
                return _transient(session_secret, session_id, partner.id)
            case NameIDFormat.PERSISTENT if _value("pairwise_id", released):
                return identifiers.persistent_id(
                    secret=identifier_secret,
                    person_uid=person_id,
                    sp_entity_id=partner.entity_id,
                    idp_entity_id=own_entity_id,
                )
            case NameIDFormat.EMAIL if mail := _value("mail", released):
                return NameID(mail, NameIDFormat.EMAIL)
            case NameIDFormat.UNSPECIFIED if username := _value("username", released):
                return NameID(username, NameIDFormat.UNSPECIFIED)
    return None


def left_out(question: Question, partner: LiveConnection) -> bool:
    """Whether this partner gets no NameID at all (IIP-IDP11): by its option, unless a request insists on a kind."""
    return partner.options.name_id == "none" and not _named(question)


def session_index(secret: bytes, session_id: str, connection_id: str) -> str:
    """The name of one session at one partner: the same for all its assertions, and no two partners can compare it."""
    return "_" + _derived(secret, "session-index", session_id, connection_id).hex()[:32]


def _wanted(question: Question, partner: LiveConnection) -> tuple[str, ...]:
    """The formats to try, in order. What the request names is all there is; otherwise the metadata says what suits."""
    if _named(question):
        return (str(question.name_id_format),)
    if partner.options.name_id != AUTO:
        chosen = NAME_ID_FORMATS[partner.options.name_id]
        return () if chosen is None else (chosen,)
    listed = partner.sp.name_id_formats
    if NameIDFormat.TRANSIENT in listed:
        return (NameIDFormat.TRANSIENT,)
    return (*(each for each in listed if each in SUPPORTED), NameIDFormat.TRANSIENT)


def _value(key: str, released: Sequence[Attribute]) -> str | None:
    """The first value that leaves under a key of the catalogue."""
    name = CATALOGUE[key].name
    return next((attribute.values[0] for attribute in released if attribute.name == name), None)


def _named(question: Question) -> bool:
    return question.name_id_format not in (None, NameIDFormat.UNSPECIFIED)


def _transient(secret: bytes, session_id: str, connection_id: str) -> NameID:
    """One for each session and partner, so that a later logout names all that the partner got (SAML Core 8.3.8)."""
    return identifiers.transient_id(lambda size: _derived(secret, "transient", session_id, connection_id)[:size])


def _derived(secret: bytes, *parts: str) -> bytes:
    return hmac.digest(secret, "\0".join(parts).encode(), hashlib.sha256)
