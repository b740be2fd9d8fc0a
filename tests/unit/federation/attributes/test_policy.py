import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.attributes import policy
from federation.attributes.catalogue import CATALOGUE, requested_attribute
from federation.attributes.policy import ReleasePolicy, Rule, release_keys, requested_by
from federation.attributes.presets import (
    ACCESS_CATEGORIES,
    ANONYMOUS,
    PERSONALIZED,
    PRESETS,
    PSEUDONYMOUS,
    RESEARCH_AND_SCHOLARSHIP,
)
from federation.errors import ConfigurationError
from federation.saml.metadata.entity import AttributeConsumingService, Entity, RequestedAttribute, SPRole
from federation.saml.metadata.selection import ENTITY_CATEGORY
from federation.saml.names import PAIRWISE_ID, SUBJECT_ID, SUBJECT_ID_REQ, NameFormat

ALICE = {
    "pairwise_id": ["abc@example.org"],
    "username": ["alice"],
    "display_name": ["Alice Adams"],
    "given_name": ["Alice"],
    "mail": ["alice@example.org", "a.adams@example.org"],
    "department": ["Finance"],
    "groups": ["staff", "board"],
}
EVERYTHING = tuple(requested_attribute(key) for key in CATALOGUE)
KEYS = st.lists(st.sampled_from(sorted(CATALOGUE)), unique=True)


def allow(*keys, **options):
    return ReleasePolicy(tuple(Rule(key, **options) for key in keys))


def asks(*keys):
    return tuple(requested_attribute(key) for key in keys)


def released(a_policy, requested, person=None):
    return policy.release_keys(a_policy, ALICE if person is None else person, requested)


# The rule


def test_nothing_is_released_by_default():
    assert released(ReleasePolicy(), EVERYTHING) == {}


def test_an_allowed_attribute_that_is_not_requested_stays():
    assert released(allow("mail", "display_name"), asks("display_name")) == {"display_name": ("Alice Adams",)}


def test_a_requested_attribute_that_is_not_allowed_stays_even_if_required():
    assert released(allow("display_name"), (requested_attribute("mail", required=True),)) == {}


def test_an_unconditional_attribute_needs_no_request():
    assert released(allow("mail", unconditional=True), ()) == {"mail": tuple(ALICE["mail"])}


def test_an_attribute_without_a_value_is_left_out():
    assert released(allow("mail", "telephone"), asks("mail", "telephone"), {"mail": ["", "a@b.example"]}) == {
        "mail": ("a@b.example",)
    }


@given(KEYS, KEYS, KEYS)
def test_what_leaves_is_always_allowed_and_asked_for_or_marked(conditional, marked, requested):
    rules = {key: Rule(key) for key in conditional} | {key: Rule(key, unconditional=True) for key in marked}
    leaving = released(ReleasePolicy(tuple(rules.values())), asks(*requested))
    for key, values in leaving.items():
        assert key in marked or (key in conditional and key in requested)
        assert values == tuple(ALICE[key])
    assert set(leaving) == set(ALICE) & (set(marked) | (set(conditional) & set(requested)))


# Values


def test_a_request_for_some_values_gets_no_others():
    staff_only = RequestedAttribute(CATALOGUE["groups"].name, NameFormat.URI, values=("staff", "admins"))
    assert released(allow("groups"), (staff_only,)) == {"groups": ("staff",)}


def test_the_policy_may_allow_some_values_only():
    assert released(allow("groups", values=("board",)), asks("groups")) == {"groups": ("board",)}


def test_an_attribute_whose_values_are_all_held_back_is_left_out():
    verdicts = policy.decide(allow("groups", values=("x",)), ALICE, asks("groups"))
    assert [(verdict.outcome, verdict.values) for verdict in verdicts] == [("value_not_wanted", ())]


def test_two_requests_for_one_attribute_add_up():
    name = CATALOGUE["groups"].name
    some = RequestedAttribute(name, NameFormat.URI, values=("staff",))
    others = RequestedAttribute(name, NameFormat.URI, values=("board",), is_required=True)
    anything = RequestedAttribute(name, NameFormat.URI)
    assert released(allow("groups"), (some, others)) == {"groups": ("staff", "board")}
    assert released(allow("groups"), (some, anything)) == {"groups": ("staff", "board")}
    assert policy.decide(allow("groups"), ALICE, (some, others))[0].required


# Names


def test_a_request_is_matched_by_name_and_format_never_by_friendly_name():
    friendly = RequestedAttribute("urn:example:other", NameFormat.URI, "mail")
    basic = RequestedAttribute(CATALOGUE["mail"].name, NameFormat.BASIC, "mail")
    assert released(allow("mail"), (friendly, basic)) == {}


def test_an_unknown_request_is_reported_and_blocks_nothing():
    unknown = RequestedAttribute("urn:example:shoe-size", NameFormat.URI, is_required=True)
    verdicts = policy.decide(allow("mail"), ALICE, (unknown, *asks("mail")))
    assert [(verdict.key, verdict.outcome) for verdict in verdicts] == [("mail", "released"), (None, "unknown")]


# The forms it leaves in


def test_assertion_and_provisioning_are_told_the_same():
    chosen = allow("mail", "groups", "pairwise_id")
    attributes = policy.release(chosen, ALICE, EVERYTHING)
    keys = policy.release_keys(chosen, ALICE, EVERYTHING)
    assert {attribute.name: attribute.values for attribute in attributes} == {
        CATALOGUE[key].name: values for key, values in keys.items()
    }


def test_an_attribute_carries_its_oid_name_the_uri_format_and_a_friendly_name():
    (mail,) = policy.release(allow("mail"), ALICE, asks("mail"))
    assert mail.name == "urn:oid:0.9.2342.19200300.100.1.3"
    assert mail.name_format == NameFormat.URI
    assert mail.friendly_name == "mail"
    assert mail.values == ("alice@example.org", "a.adams@example.org")


def test_the_verdicts_say_what_happens_to_each_attribute_and_why():
    verdicts = policy.decide(allow("mail", "title", "department"), ALICE, asks("mail", "title", "username"))
    assert {verdict.key: verdict.outcome for verdict in verdicts} == {
        "mail": "released",
        "title": "no_value",
        "department": "not_requested",
        "username": "not_allowed",
    }
    assert all(verdict.reason for verdict in verdicts)


def test_what_a_connection_can_ever_receive_does_not_depend_on_a_person():
    chosen = ReleasePolicy((Rule("mail"), Rule("title", unconditional=True), Rule("department")))
    assert policy.allowed_keys(chosen, asks("mail", "username")) == ("mail", "title")


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


def test_the_demo_sites_get_what_they_were_promised():
    assert set(released(ReleasePolicy.from_preset("directory"), EVERYTHING)) == {
        "pairwise_id", "display_name", "mail", "department", "groups",
    }  # fmt: skip
    assert set(released(ReleasePolicy.from_preset("name-only"), EVERYTHING)) == {"pairwise_id", "display_name"}


def test_a_partner_that_requests_nothing_gets_nothing_unless_the_preset_says_unconditional():
    assert released(ReleasePolicy.from_preset("directory"), ()) == {}
    assert len(released(ReleasePolicy.from_preset("directory:unconditional"), ())) == 5


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
    told = release_keys(policy, person, requested_by(entity, allowed=policy.keys))
    assert set(told) & {"pairwise_id", "subject_id"} == expected
