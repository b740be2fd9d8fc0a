import secrets

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.attributes import identifiers
from federation.errors import ConfigurationError
from federation.saml.names import NameIDFormat

SECRET = b"s" * 32
TEXTS = st.text(min_size=1, max_size=40)


def pairwise(person="p1", sp="https://sp.example.org", scope="example.org", secret=SECRET):
    return identifiers.pairwise_id(secret=secret, person_uid=person, sp_entity_id=sp, scope=scope)


def persistent(person="p1", sp="https://sp.example.org"):
    return identifiers.persistent_id(
        secret=SECRET, person_uid=person, sp_entity_id=sp, idp_entity_id="https://idp.example.org"
    )


def test_the_same_person_keeps_one_identifier_at_one_sp():
    assert pairwise() == pairwise()


def test_two_sps_cannot_compare_notes():
    assert pairwise(sp="https://a.example.org") != pairwise(sp="https://b.example.org")


def test_without_the_secret_nobody_can_guess():
    assert pairwise() != pairwise(secret=b"t" * 32)


@given(TEXTS, TEXTS)
def test_any_person_and_sp_give_an_identifier_of_the_specified_form(person, sp):
    value = pairwise(person, sp)
    assert identifiers.is_subject_identifier(value)
    assert value == value.lower()
    assert len(value.partition("@")[0]) == 52


@given(st.lists(st.tuples(TEXTS, TEXTS), unique=True, max_size=8))
def test_no_two_pairs_share_an_identifier_even_without_letter_case(pairs):
    values = {pairwise(person, sp).lower() for person, sp in pairs}
    assert len(values) == len(pairs)


def test_the_parts_cannot_be_shifted_into_each_other():
    assert pairwise("ab", "c") != pairwise("a", "bc")


def test_the_scope_is_written_in_lower_case_because_it_compares_without_case():
    assert pairwise(scope="Example.ORG") == pairwise(scope="example.org")


@pytest.mark.parametrize("scope", ["", "exa mple.org", "@example.org", "example.org\n", "-example.org", "a" * 128])
def test_a_scope_that_is_no_domain_is_our_mistake(scope):
    with pytest.raises(ConfigurationError, match="scope"):
        pairwise(scope=scope)


def test_a_short_secret_is_our_mistake_and_is_not_shown():
    with pytest.raises(ConfigurationError, match="32 octets") as caught:
        pairwise(secret=b"hunter2")
    assert "hunter2" not in str(caught.value)


def test_a_persistent_name_id_names_both_sides_and_is_not_the_pairwise_id():
    name_id = persistent()
    assert name_id.format == NameIDFormat.PERSISTENT
    assert name_id.name_qualifier == "https://idp.example.org"
    assert name_id.sp_name_qualifier == "https://sp.example.org"
    assert name_id.value != pairwise().partition("@")[0]
    assert name_id.value == persistent().value != persistent(person="p2").value


def test_a_transient_name_id_is_new_each_time_and_long_enough():
    first, second = (identifiers.transient_id(secrets.token_bytes) for _ in range(2))
    assert first.value != second.value
    assert first.format == NameIDFormat.TRANSIENT
    assert len(first.value) == 41


@pytest.mark.parametrize("value", ["abc@example.org", "A-b=1@x.y", "1@e"])
def test_what_the_specification_allows_is_a_subject_identifier(value):
    assert identifiers.is_subject_identifier(value)


@pytest.mark.parametrize(
    "value",
    ["", "abc", "@example.org", "abc@", "-abc@e", "a_b@e", "a@b@c", "a" * 128 + "@e", "a@" + "b" * 128, "a@é", "a@b\n"],
)
def test_anything_else_is_not(value):
    assert not identifiers.is_subject_identifier(value)


def test_the_scope_of_an_identifier_compares_without_case():
    assert identifiers.scope_of("abc@Example.ORG") == "example.org"
