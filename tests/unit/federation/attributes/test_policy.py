import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.attributes import policy
from federation.attributes.catalogue import CATALOGUE, requested_attribute
from federation.attributes.policy import ReleasePolicy, Rule, requested_by
from federation.attributes.presets import (
    ACCESS_CATEGORIES,
    ANONYMOUS,
    PERSONALIZED,
    PRESETS,
    PSEUDONYMOUS,
    RESEARCH_AND_SCHOLARSHIP,
)
from federation.attributes.release import Release
from federation.errors import ConfigurationError
from federation.saml.metadata.entity import AttributeConsumingService, Entity, SPRole
from federation.saml.metadata.selection import ENTITY_CATEGORY
from federation.saml.names import PAIRWISE_ID, SUBJECT_ID, SUBJECT_ID_REQ


def allow(*keys, **options):
    return ReleasePolicy(tuple(Rule(key, **options) for key in keys))


def asks(*keys):
    return tuple(requested_attribute(key) for key in keys)


# What metadata requests


def sp(*services, signal=()):
    attributes = ((SUBJECT_ID_REQ, tuple(signal)),) if signal else ()
    return Entity("https://sp.example.org", sp=SPRole(attribute_consuming=services), attributes=attributes)


def service(index, is_default, *keys):
    return AttributeConsumingService(index, is_default, (), asks(*keys))


def names(requested):
    return [attribute.friendly_name or attribute.name for attribute in requested]


def test_metadata_without_a_service_requests_nothing():
    assert policy.requested_by(sp()) == ()
    assert policy.requested_by(Entity("https://idp.example.org")) == ()


def test_the_service_that_the_request_names_counts():
    assert names(policy.requested_by(sp(service(1, None, "mail"), service(2, None, "title")), 2)) == ["title"]


@pytest.mark.parametrize("index", [None, 9])
def test_otherwise_the_default_counts(index):
    marked = sp(service(1, False, "mail"), service(2, True, "title"))
    unmarked = sp(service(1, False, "mail"), service(2, None, "title"), service(3, None, "groups"))
    none_wanted = sp(service(1, False, "mail"), service(2, False, "title"))
    assert names(policy.requested_by(marked, index)) == ["title"]
    assert names(policy.requested_by(unmarked, index)) == ["title"]
    assert names(policy.requested_by(none_wanted, index)) == ["mail"]


@pytest.mark.parametrize(
    ("signal", "name"), [("pairwise-id", PAIRWISE_ID), ("any", PAIRWISE_ID), ("subject-id", SUBJECT_ID)]
)
def test_the_identifier_signal_requests_its_identifier(signal, name):
    requested = policy.requested_by(sp(service(1, True, "mail"), signal=[signal]))
    assert [(attribute.name, attribute.is_required) for attribute in requested] == [
        (name, True),
        (CATALOGUE["mail"].name, False),
    ]


def test_an_identifier_that_is_requested_already_is_not_requested_twice():
    requested = policy.requested_by(sp(service(1, True, "pairwise_id", "mail"), signal=["pairwise-id"]))
    assert names(requested) == ["pairwise-id", "mail"]


@pytest.mark.parametrize(("signal", "left"), [("none", ["mail"]), ("subject-id", [SUBJECT_ID, "mail"])])
def test_the_signal_strikes_out_the_identifier_it_does_not_want(signal, left):
    requested = policy.requested_by(sp(service(1, True, "pairwise_id", "mail"), signal=[signal]))
    assert names(requested) == left


@pytest.mark.parametrize("signal", [["whatever"], ["none", "subject-id"], ["Pairwise-ID"]])
def test_a_signal_that_cannot_be_understood_changes_nothing(signal):
    assert names(policy.requested_by(sp(service(1, True, "mail"), signal=signal))) == ["mail"]


# Presets and storage


@pytest.mark.parametrize("name", [name for name, preset in PRESETS.items() if not preset.by_category])
def test_every_preset_has_a_conditional_and_an_unconditional_form(name):
    keys = PRESETS[name].keys
    assert ReleasePolicy.from_preset(name) == ReleasePolicy(tuple(Rule(key) for key in keys), name)
    marked = ReleasePolicy.from_preset(f"{name}:unconditional")
    assert marked.rules == tuple(Rule(key, unconditional=True) for key in keys)


@pytest.mark.parametrize("name", ["", "everything", "directory:", "directory:always", ":unconditional"])
def test_an_unknown_preset_is_refused_with_the_choices(name):
    with pytest.raises(ConfigurationError, match="directory"):
        ReleasePolicy.from_preset(name)


def test_a_policy_names_each_attribute_once_and_only_ours():
    with pytest.raises(ConfigurationError) as caught:
        allow("mail", "mail", "shoe_size")
    assert len(caught.value.problems) == 2


@given(
    st.lists(st.sampled_from(sorted(CATALOGUE)), unique=True), st.booleans(), st.none() | st.lists(st.text(max_size=5))
)
def test_a_policy_survives_being_stored(keys, unconditional, values):
    values = None if values is None else tuple(values)
    before = ReleasePolicy(tuple(Rule(key, unconditional, values) for key in keys), "directory")
    assert ReleasePolicy.from_json(json.loads(json.dumps(before.to_json()))) == before


@pytest.mark.parametrize(
    "data",
    [
        {},
        {"attributes": []},
        {"attributes": {"mail": None}},
        {"attributes": {"mail": {}}},
        {"attributes": {"mail": {"unconditional": "yes"}}},
        {"attributes": {"mail": {"unconditional": True, "values": "x"}}},
        {"attributes": {"mail": {"unconditional": True, "values": [1]}}},
        {"attributes": {"mail": {"unconditional": True, "always": 1}}},
        {"attributes": {}, "preset": 1},
        {"attributes": {}, "version": 2},
    ],
)
def test_what_was_not_written_by_us_is_not_guessed_at(data):
    with pytest.raises(ConfigurationError, match="release policy"):
        ReleasePolicy.from_json(data)


# Entity categories and the subject identifier signal


def sp_of(*categories: str, signal: str | None = None) -> Entity:
    attributes = [(ENTITY_CATEGORY, categories)] if categories else []
    attributes += [(SUBJECT_ID_REQ, (signal,))] if signal is not None else []
    return Entity("https://sp.example.org", sp=SPRole(), attributes=tuple(attributes))


@pytest.mark.conformance("IIP-IDP03")
@pytest.mark.parametrize("category", ACCESS_CATEGORIES)
def test_who_has_a_category_is_told_what_it_stands_for(category: str) -> None:
    policy = ReleasePolicy.from_preset("refeds-access")
    told = policy.for_entity(sp_of(category)).keys
    assert told == {rule.key for rule in dict(policy.by_category)[category]}
    assert not policy.for_entity(sp_of()).keys
    assert not policy.for_entity(sp_of("urn:another")).keys


@pytest.mark.conformance("IIP-IDP03")
def test_access_categories_are_never_united() -> None:
    policy = ReleasePolicy.from_preset("refeds-access")
    assert policy.for_entity(sp_of(PERSONALIZED, ANONYMOUS)) == policy.for_entity(sp_of(ANONYMOUS))
    assert policy.for_entity(sp_of(*reversed(ACCESS_CATEGORIES))) == policy.for_entity(sp_of(ANONYMOUS))
    both = policy.for_entity(sp_of(PSEUDONYMOUS, RESEARCH_AND_SCHOLARSHIP)).keys
    assert {"pairwise_id", "subject_id", "mail"} <= both


def test_rules_by_category_survive_the_database() -> None:
    policy = ReleasePolicy.from_preset("refeds-access")
    with pytest.raises(ConfigurationError):
        ReleasePolicy.from_preset("refeds-access:unconditional")
    assert ReleasePolicy.from_json(json.loads(json.dumps(policy.to_json()))) == policy


@pytest.mark.conformance("SDP-IDP15", "SDP-IDP16", "SDP-IDP17")
@pytest.mark.parametrize(
    ("signal", "preset", "expected"),
    [
        ("pairwise-id", "directory", {"pairwise_id"}),
        ("subject-id", "directory", {"subject_id"}),
        ("subject-id", "name-only", set()),
        ("any", "directory", {"pairwise_id"}),
        ("any", "personalized", {"subject_id"}),
        ("none", "directory", set()),
        (None, "directory", set()),
        ("pairwise-id", "directory:unconditional", {"pairwise_id"}),
        ("subject-id", "directory:unconditional", {"subject_id"}),
        ("none", "directory:unconditional", set()),
        (None, "directory:unconditional", {"pairwise_id"}),
    ],
)
def test_the_signal_says_which_identifier_is_told(signal: str | None, preset: str, expected: set[str]) -> None:
    if preset == "personalized":
        entity = sp_of(PERSONALIZED, signal=signal)
        policy = ReleasePolicy.from_preset("refeds-access").for_entity(entity)
    else:
        entity = sp_of(signal=signal)
        policy = ReleasePolicy.from_preset(preset).for_entity(entity)
    person = {"pairwise_id": ["p@example.org"], "subject_id": ["s@example.org"]}
    told = Release.of(policy, requested_by(entity, allowed=policy.keys)).values(person)
    assert set(told) & {"pairwise_id", "subject_id"} == expected
