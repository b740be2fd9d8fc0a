from hypothesis import given
from hypothesis import strategies as st

from federation.attributes.catalogue import CATALOGUE, requested_attribute
from federation.attributes.policy import ReleasePolicy, Rule
from federation.attributes.release import Release
from federation.saml.metadata.entity import RequestedAttribute
from federation.saml.names import NameFormat

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
TEXTS = st.lists(st.sampled_from(["", "staff", "board", "admins"]), max_size=4)


def allow(*keys, **options):
    return ReleasePolicy(tuple(Rule(key, **options) for key in keys))


def asks(*keys):
    return tuple(requested_attribute(key) for key in keys)


def released(a_policy, requested, person=None):
    return Release.of(a_policy, requested).values(ALICE if person is None else person)


def verdicts_of(a_policy, requested):
    return Release.of(a_policy, requested).verdicts(ALICE)


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
    verdicts = verdicts_of(allow("groups", values=("x",)), asks("groups"))
    assert [(verdict.outcome, verdict.values) for verdict in verdicts] == [("value_not_wanted", ())]


def test_two_requests_for_one_attribute_add_up():
    name = CATALOGUE["groups"].name
    some = RequestedAttribute(name, NameFormat.URI, values=("staff",))
    others = RequestedAttribute(name, NameFormat.URI, values=("board",), is_required=True)
    anything = RequestedAttribute(name, NameFormat.URI)
    assert released(allow("groups"), (some, others)) == {"groups": ("staff", "board")}
    assert released(allow("groups"), (some, anything)) == {"groups": ("staff", "board")}
    assert verdicts_of(allow("groups"), (some, others))[0].required


@given(TEXTS, st.none() | TEXTS, st.booleans(), TEXTS)
def test_a_value_leaves_when_policy_and_request_both_take_it(held, taken, unconditional, wanted):
    rule = Rule("groups", unconditional, None if taken is None else tuple(taken))
    wish = RequestedAttribute(CATALOGUE["groups"].name, NameFormat.URI, values=tuple(wanted))
    leaving = [
        value
        for value in held
        if value and (taken is None or value in taken) and (unconditional or not wanted or value in wanted)
    ]
    release = Release.of(ReleasePolicy((rule,)), (wish,))
    (verdict,) = release.verdicts({"groups": held})
    assert list(release.values({"groups": held}).get("groups", ())) == leaving == list(verdict.values)
    assert verdict.outcome == ("released" if leaving else "value_not_wanted" if any(held) else "no_value")


# Names


def test_a_request_is_matched_by_name_and_format_never_by_friendly_name():
    friendly = RequestedAttribute("urn:example:other", NameFormat.URI, "mail")
    basic = RequestedAttribute(CATALOGUE["mail"].name, NameFormat.BASIC, "mail")
    assert released(allow("mail"), (friendly, basic)) == {}


def test_an_unknown_request_is_reported_and_blocks_nothing():
    unknown = RequestedAttribute("urn:example:shoe-size", NameFormat.URI, is_required=True)
    verdicts = verdicts_of(allow("mail"), (unknown, *asks("mail")))
    assert [(verdict.key, verdict.outcome) for verdict in verdicts] == [("mail", "released"), (None, "unknown")]


# The forms it leaves in


def test_assertion_and_provisioning_are_told_the_same():
    chosen = allow("mail", "groups", "pairwise_id")
    attributes = Release.of(chosen, EVERYTHING).attributes(ALICE)
    keys = released(chosen, EVERYTHING)
    assert {attribute.name: attribute.values for attribute in attributes} == {
        CATALOGUE[key].name: values for key, values in keys.items()
    }


def test_an_attribute_carries_its_oid_name_the_uri_format_and_a_friendly_name():
    (mail,) = Release.of(allow("mail"), asks("mail")).attributes(ALICE)
    assert mail.name == "urn:oid:0.9.2342.19200300.100.1.3"
    assert mail.name_format == NameFormat.URI
    assert mail.friendly_name == "mail"
    assert mail.values == ("alice@example.org", "a.adams@example.org")


def test_the_verdicts_say_what_happens_to_each_attribute_and_why():
    verdicts = verdicts_of(allow("mail", "title", "department"), asks("mail", "title", "username"))
    assert {verdict.key: verdict.outcome for verdict in verdicts} == {
        "mail": "released",
        "title": "no_value",
        "department": "not_requested",
        "username": "not_allowed",
    }
    assert all(verdict.reason for verdict in verdicts)


def test_what_is_required_and_not_told_is_named():
    mail, title = (requested_attribute(key, required=True) for key in ("mail", "title"))
    shoes = RequestedAttribute("urn:example:shoe-size", NameFormat.URI, is_required=True)
    release = Release.of(allow("mail", "title"), (mail, title, shoes, *asks("groups")))
    assert release.missing(release.attributes(ALICE)) == ["title", "urn:example:shoe-size"]


def test_what_a_connection_can_ever_receive_does_not_depend_on_a_person():
    chosen = ReleasePolicy((Rule("mail"), Rule("title", unconditional=True), Rule("department")))
    assert Release.of(chosen, asks("mail", "username")).keys == ("mail", "title")


# The presets


def test_the_demo_sites_get_what_they_were_promised():
    assert set(released(ReleasePolicy.from_preset("directory"), EVERYTHING)) == {
        "pairwise_id", "display_name", "mail", "department", "groups",
    }  # fmt: skip
    assert set(released(ReleasePolicy.from_preset("name-only"), EVERYTHING)) == {"pairwise_id", "display_name"}


def test_a_partner_that_requests_nothing_gets_nothing_unless_the_preset_says_unconditional():
    assert released(ReleasePolicy.from_preset("directory"), ()) == {}
    assert len(released(ReleasePolicy.from_preset("directory:unconditional"), ())) == 5
