"""Who an accepted assertion is about: the identifier that links, and what it tells for the profile.

Which identifier links is a matter of the connection (`IDENTIFIERS`): the pairwise-id unless told, because provisioning
knows people by it too; for a partner that has none its subject-id, or its persistent NameID. One connection has one
kind: nobody is found by a second one when the first is missing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from federation.attributes import scopes
from federation.attributes.catalogue import entry_named
from federation.attributes.identifiers import is_subject_identifier, scope_of
from federation.errors import Refused
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.messages import Attribute, NameID
from federation.saml.metadata.entity import Entity
from federation.saml.names import NameIDFormat
from federation.saml.profiles.sso_response import AcceptedResponse
from sp_app.accounts import Profile

MAX_VALUE_LENGTH: Final = 256
"""A longer value is not taken over into the profile; it stays visible among the attributes of the session."""


PAIRWISE_ID: Final = "pairwise-id"
PERSISTENT: Final = "persistent"
_ATTRIBUTES: Final = {PAIRWISE_ID: "pairwise_id", "subject-id": "subject_id"}
IDENTIFIERS: Final = (*_ATTRIBUTES, PERSISTENT)
"""The identifiers that a connection may link by."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A person of one identity provider. `identifier` is the pairwise-id or subject-id, as it arrived.

    For a persistent NameID it is a digest: NameIDs that differ in letter case only are two people's (SAML Core 8.3.7),
    and links compare without case.
    """

    identifier: str
    profile: Profile


class MissingAttributes(Refused):
    """The person cannot come in for want of what was not told. `keys` are those of the catalogue."""

    def __init__(self, checks: Sequence[Check], keys: Sequence[str]) -> None:
        super().__init__(checks)
        self.keys = tuple(keys)


def believed(accepted: AcceptedResponse, *, idp: Entity) -> AcceptedResponse:
    """What was accepted, without the values for whose scope the identity provider may not speak (SDP-SP17)."""
    attributes, checks = scopes.believed(accepted.attributes, idp)
    if not checks:
        return accepted
    assertion = replace(accepted.assertion, attributes=attributes)
    return replace(accepted, assertion=assertion, checks=(*accepted.checks, *checks))


def read(accepted: AcceptedResponse, *, idp: Entity, kind: str = PAIRWISE_ID, required: Sequence[str] = ()) -> Identity:
    """Read who signed in, by the `kind` of identifier; `required` are the keys of attributes that we need besides.

    Raises `Refused`, with the checks made before, when the identifier cannot be relied on, and `MissingAttributes`,
    which names all that is missing (SDP-SP12).
    """
    told = by_key(accepted.attributes)
    wanted = dict.fromkeys((*([_ATTRIBUTES[kind]] if kind in _ATTRIBUTES else []), *required))
    missing = [key for key in wanted if not any(told.get(key, ()))]
    try:
        identifier, checks = _identifier(accepted, told, idp, kind)
        run((check_required,), checks, missing)
    except Refused as refused:
        if missing and refused.rule in (check_one_identifier.rule, check_required.rule):
            raise MissingAttributes(refused.checks, missing) from None
        raise
    fields = {
        key: told[key][0] for key in Profile.__slots__ if key in told and 0 < len(told[key][0]) <= MAX_VALUE_LENGTH
    }
    return Identity(identifier=identifier, profile=Profile(**fields))


def _identifier(
    accepted: AcceptedResponse, told: Mapping[str, Sequence[str]], idp: Entity, kind: str
) -> tuple[str, tuple[Check, ...]]:
    if kind == PERSISTENT:
        checks = run((check_persistent,), accepted.checks, accepted.name_id)
        assert accepted.name_id is not None
        return _digest(accepted.name_id, idp), checks
    identifiers = told.get(_ATTRIBUTES[kind], ())
    checks = run(_RULES, accepted.checks, identifiers, idp, kind)
    return identifiers[0], checks


def _digest(name_id: NameID, idp: Entity) -> str:
    """One value for a NameID with its qualifiers; a NameQualifier that is left out is its issuer (SAML Core 8.3.7)."""
    parts = (name_id.name_qualifier or idp.entity_id, name_id.sp_name_qualifier or "", name_id.value)
    text = "".join(f"{len(part)}:{part}" for part in parts)
    return f"{PERSISTENT}:{hashlib.sha256(text.encode()).hexdigest()}"


def by_key(attributes: Sequence[Attribute]) -> Mapping[str, tuple[str, ...]]:
    """The attributes that the catalogue knows, by its keys; an attribute that comes twice adds up."""
    told: dict[str, tuple[str, ...]] = {}
    for attribute in attributes:
        entry = entry_named(attribute.name, attribute.name_format)
        if entry is not None and attribute.values:
            told[entry.key] = told.get(entry.key, ()) + attribute.values
    return told


@rule("identifier.pairwise_id", "SAML Subject-ID 3.3, 3.4; SAML2Int SDP-SP14")
def check_one_identifier(identifiers: Sequence[str], idp: Entity, kind: str) -> Seen:
    """The assertion names the person by exactly one such identifier: it is what links, and nothing else does."""
    return len(identifiers) == 1, f"one {kind}", f"{len(identifiers)} of them"


@rule("identifier.persistent", "SAML Core 8.3.7")
def check_persistent(name_id: NameID | None) -> Seen:
    """The assertion's NameID is a persistent one: any other may be somebody else's tomorrow."""
    ok = name_id is not None and name_id.format == NameIDFormat.PERSISTENT
    received = "no NameID" if name_id is None else name_id.format or NameIDFormat.UNSPECIFIED
    return ok, NameIDFormat.PERSISTENT, received


@rule("identifier.form", "SAML Subject-ID 3.3.2, 3.4.2")
def check_form(identifiers: Sequence[str], idp: Entity, kind: str) -> Seen:
    """The identifier has the form that the specification demands."""
    ok = is_subject_identifier(identifiers[0])
    return ok, "an identifier, @ and a scope", "one" if ok else "another form"


@rule("identifier.scope", "SAML2Int SDP-SP17")
def check_scope(identifiers: Sequence[str], idp: Entity, kind: str) -> Seen:
    """The identity provider may speak for this scope, where its metadata says which ones are its own."""
    scopes = idp.idp.scopes if idp.idp is not None else ()
    scope = scope_of(identifiers[0])
    allowed = not scopes or scope in {each.lower() for each in scopes}
    return allowed, ", ".join(scopes) or "any scope", scope


@rule("attributes.required", "SAML Metadata 2.4.4.2; SAML2Int SDP-SP12")
def check_required(missing: Sequence[str]) -> Seen:
    """Every attribute is there that the site's settings require, with a value that is not empty."""
    return (not missing, "the attributes that this site requires", f"not {', '.join(missing)}" if missing else "all")


_RULES: Final = (check_one_identifier, check_form, check_scope)
