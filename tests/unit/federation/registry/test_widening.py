"""What may happen by itself when a partner's metadata changes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.registry.widening import Rule, needs_review, same_meaning
from federation.saml.metadata.difference import Effect, difference
from federation.saml.metadata.entity import Endpoint, Entity, KeyDescriptor, SPRole
from federation.saml.metadata.restriction import restrict
from federation.saml.names import Binding
from tests.metadata_factories import NOW, sp_entity


def changed(**changes: object) -> Entity:
    entity = sp_entity()
    assert entity.sp is not None
    return replace(entity, sp=replace(entity.sp, **changes))  # type: ignore[arg-type]


def role(entity: Entity) -> SPRole:
    assert entity.sp is not None
    return entity.sp


KEY = KeyDescriptor(None, b"another key")
HOME = Endpoint(Binding.REDIRECT, "https://sp.example.org/saml/logout")
AWAY = Endpoint(Binding.REDIRECT, "https://sp.example.org.evil.example/saml/logout")
PORT = Endpoint(Binding.REDIRECT, "https://sp.example.org:8443/saml/logout")


@pytest.mark.parametrize(
    ("what", "entity", "waits_at_same_host"),
    [
        ("a key", changed(keys=(*role(sp_entity()).keys, KEY)), False),
        ("an endpoint at home", changed(single_logout=(HOME,)), False),
        ("an endpoint elsewhere", changed(single_logout=(AWAY,)), True),
        ("an endpoint on another port", changed(single_logout=(PORT,)), True),
        ("an entity attribute", sp_entity(attributes=(("urn:example:category", ("https://example.org/all",)),)), True),
        ("another registrar", sp_entity(registration_authority="https://example.org/registrar"), True),
    ],
)
def test_each_rule_lets_pass_what_it_says(what: str, entity: Entity, waits_at_same_host: bool):
    old = sp_entity()
    assert needs_review(old, entity, Rule.REVIEW), what
    assert not needs_review(old, entity, Rule.AT_ONCE), what
    assert bool(needs_review(old, entity, Rule.SAME_HOST)) is waits_at_same_host, what


def test_what_only_reduces_trust_never_waits():
    less = changed(keys=(), assertion_consumer=(), attribute_consuming=())
    assert not needs_review(sp_entity(), less, Rule.REVIEW)


def test_a_renewed_validity_means_the_same():
    assert same_meaning(sp_entity(valid_until=NOW), sp_entity(valid_until=NOW + timedelta(days=1)))
    assert not same_meaning(sp_entity(valid_until=NOW), sp_entity(valid_until=None))
    assert not same_meaning(sp_entity(), changed(single_logout=(HOME,)))


@pytest.mark.parametrize(
    "new",
    [
        changed(keys=(KEY,)),
        changed(single_logout=(AWAY,), assertion_consumer=()),
        changed(attribute_consuming=(), authn_requests_signed=False, want_assertions_signed=True),
        sp_entity(sp=None),
        sp_entity(attributes=(), valid_until=NOW),
    ],
    ids=["keys", "endpoints", "attributes", "no role", "entity attributes"],
)
def test_while_something_waits_only_what_both_versions_say_counts(new: Entity):
    old = changed(single_logout=(HOME,))
    both = restrict(old, new)
    assert not [change for change in difference(old, both) if change.effect is Effect.WIDENS]
    assert not [change for change in difference(both, new) if change.effect is Effect.REDUCES]


def test_a_promise_to_sign_is_kept_while_its_withdrawal_waits():
    old, new = changed(authn_requests_signed=True), changed(authn_requests_signed=False, want_assertions_signed=True)
    assert needs_review(old, new, Rule.SAME_HOST)
    both = role(restrict(old, new))
    assert (both.authn_requests_signed, both.want_assertions_signed) == (True, True)


def test_a_key_that_is_left_one_use_has_only_that():
    old, new = changed(keys=(KEY,)), changed(keys=(replace(KEY, use="signing"),))
    assert [key.use for key in role(restrict(old, new)).keys] == ["signing"]
    assert [key.use for key in role(restrict(new, old)).keys] == ["signing"]
    assert role(restrict(old, old)).keys == (KEY,)
