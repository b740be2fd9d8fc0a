"""Attribute values with a scope for which the identity provider may not speak: dropped, and nothing else refused."""

from __future__ import annotations

from dataclasses import replace

from federation.attributes import scopes
from federation.errors import Refused
from federation.saml.messages import Attribute
from federation.saml.metadata.entity import Entity
from tests import factories
from tests.attacks.catalogue import Attack
from tests.sp_factories import attribute


def idp() -> Entity:
    """An identity provider that may speak for example.org."""
    entity = factories.idp_entity()
    assert entity.idp is not None
    return replace(entity, idp=replace(entity.idp, scopes=("example.org",)))


ATTACKS = tuple(
    Attack(scopes.own_scope, name, lambda value=value: attribute("scoped_affiliation", value))
    for name, value in (
        ("a professor of another university", "faculty@other.example"),
        ("of one whose name ends like ours", "faculty@not-example.org"),
        ("of one whose name begins like ours", "faculty@example.org.evil.example"),
        ("of two at once", "faculty@evil.example@example.org"),
        ("of none", "faculty"),
    )
)


def judge(attack: Attack) -> object:
    """What a site goes on with. A value that was dropped counts as refused."""
    told: Attribute = attack.message()
    kept, checks = scopes.believed((told,), idp())
    if not kept:
        raise Refused([replaced._replace(ok=False) for replaced in checks])
    return kept
