"""Scopes: for which domains an identity provider may speak (SDP-SP17; Subject Identifier Attributes 3.3.1).

A scoped value is `something@domain`, and the domain is believed only from an identity provider whose metadata lists it.
"""

from __future__ import annotations

from collections.abc import Sequence

from federation.attributes.catalogue import CatalogueEntry, entry_named
from federation.saml.checks import MAX_TEXT, Check, Seen, rule
from federation.saml.messages import Attribute
from federation.saml.metadata.entity import Entity


def believed(attributes: Sequence[Attribute], idp: Entity) -> tuple[tuple[Attribute, ...], tuple[Check, ...]]:
    """The attributes without the values whose scope is not the identity provider's, and a check for each scoped one.

    Such a value is dropped and the rest goes on: it says nothing about the person that could be relied on. Where the
    metadata lists no scope nothing scoped is believed, except pairwise-id and subject-id: they name a person of this
    identity provider alone, whatever their scope says, and `identifier.scope` judges them.
    """
    kept, checks = [], []
    scopes = frozenset(scope.lower() for scope in idp.idp.scopes) if idp.idp is not None else frozenset()
    for attribute in attributes:
        entry = entry_named(attribute.name, attribute.name_format)
        if entry is None or not entry.is_scoped or entry.key in _JUDGED_ALONE:
            kept.append(attribute)
            continue
        values = tuple(value for value in attribute.values if own_scope(value, scopes)[0])
        checks.append(_told(entry, scopes, len(attribute.values) - len(values)))
        if values:
            kept.append(attribute if values == attribute.values else attribute._replace(values=values))
    return tuple(kept), tuple(checks)


@rule("attribute.scope", "SDP-SP17")
def own_scope(value: str, scopes: frozenset[str]) -> Seen:
    """The identity provider may speak for the scope of a value."""
    scope = _scope(value)
    return scope in scopes, _listed(scopes), scope or "none"


def _told(entry: CatalogueEntry, scopes: frozenset[str], dropped: int) -> Check:
    """What became of an attribute's values. It refuses nothing: the sign-in goes on without those that were dropped."""
    received = "as expected" if not dropped else f"{entry.friendly_name}: dropped {dropped} with another scope, or none"
    expected = f"{entry.friendly_name} in {_listed(scopes)}"
    return Check("attribute.scope", "SDP-SP17", expected[:MAX_TEXT], received[:MAX_TEXT], ok=True)


def _listed(scopes: frozenset[str]) -> str:
    return ", ".join(sorted(scopes)) or "no scope: none is listed"


_JUDGED_ALONE = frozenset({"pairwise_id", "subject_id"})


def _scope(value: str) -> str:
    """The domain behind the only `@`, in lower case; empty where the form is another."""
    local, at, scope = value.partition("@")
    return scope.lower() if local and at and "@" not in scope else ""
