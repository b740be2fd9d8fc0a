"""Reading filters and PATCH paths (RFC 7644 3.4.2.2, 3.5.2)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.scim import urns
from federation.scim.catalogue import GROUP, USER
from federation.scim.errors import ScimError
from federation.scim.filters import (
    And,
    Comparison,
    Filter,
    Never,
    Not,
    Or,
    Present,
    ValuePath,
    evaluate,
    parse_filter,
    parse_path,
)
from federation.scim.filters.parser import MAX_COMPARISONS, MAX_DEPTH
from federation.scim.filters.tokens import MAX_LENGTH
from federation.scim.schema import Place


def place(name: str) -> Place:
    found = USER.find(name)
    assert found is not None
    return found


def part(name: str, sub: str) -> Place:
    found = place(name).attribute.sub(sub)
    assert found is not None
    return Place(None, found)


def eq(name: str, value: Any) -> Comparison:
    return Comparison(place(name), "eq", value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('userName eq "alice"', eq("userName", "alice")),
        ('USERNAME EQ "alice"', eq("userName", "alice")),
        ('userName eq "a \\"b\\" \\u00e9"', eq("userName", 'a "b" é')),
        ("active eq true", eq("active", True)),
        ("active eq False", eq("active", False)),
        ('active eq "True"', eq("active", True)),
        ("title eq null", eq("title", None)),
        ("title pr", Present(place("title"))),
        ('name.familyName co "O\'Malley"', Comparison(place("name.familyName"), "co", "O'Malley")),
        ('emails eq "a@b.c"', eq("emails.value", "a@b.c")),
        (f'{urns.USER}:userName sw "J"', Comparison(place("userName"), "sw", "J")),
        (f'{urns.ENTERPRISE_USER}:department eq "X"', eq(f"{urns.ENTERPRISE_USER}:department", "X")),
        (f'{urns.ENTERPRISE_USER.upper()}:manager.value eq "1"', eq(f"{urns.ENTERPRISE_USER}:manager.value", "1")),
        (
            'meta.lastModified gt "2011-05-13T04:42:34Z"',
            Comparison(place("meta.lastModified"), "gt", datetime(2011, 5, 13, 4, 42, 34, tzinfo=UTC)),
        ),
    ],
)
def test_a_comparison_is_bound_to_its_attribute_whatever_the_letter_case(text: str, expected: Filter) -> None:
    assert parse_filter(text, USER) == expected


def test_and_binds_more_than_or_and_not_more_than_both() -> None:
    found = parse_filter('title pr or userName eq "a" and not (active eq true)', USER)
    assert found == Or((Present(place("title")), And((eq("userName", "a"), Not(eq("active", True))))))


def test_parentheses_bind_most() -> None:
    found = parse_filter('(title pr or userName eq "a") and active eq true', USER)
    assert found == And((Or((Present(place("title")), eq("userName", "a"))), eq("active", True)))


def test_brackets_filter_the_values_of_one_attribute() -> None:
    found = parse_filter('emails[type eq "work" and value co "@example.com"]', USER)
    inner = And(
        (
            Comparison(part("emails", "type"), "eq", "work"),
            Comparison(part("emails", "value"), "co", "@example.com"),
        )
    )
    assert found == ValuePath(place("emails"), inner)


def test_a_comparison_after_brackets_is_about_the_same_value() -> None:
    found = parse_filter('emails[type eq "work"].value eq "a@b.c"', USER)
    inner = (Comparison(part("emails", "type"), "eq", "work"), Comparison(part("emails", "value"), "eq", "a@b.c"))
    assert found == ValuePath(place("emails"), And(inner))


def test_a_value_without_quotes_is_a_text_where_a_text_is_meant() -> None:
    assert parse_filter("externalId eq jyoung", USER) == eq("externalId", "jyoung")
    assert parse_filter("externalId eq 701984", USER) == eq("externalId", "701984")


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "userName",
        "userName eq",
        'userName is "x"',
        'userName eq "x',
        'userName eq "x" and',
        'userName eq "x" userName eq "y"',
        '(userName eq "x"',
        'userName eq "x")',
        'not userName eq "x"',
        'emails[type eq "work"',
        'emails[type eq "work"].nothing eq "x"',
        'userName[value eq "x"]',
        'nothing eq "x"',
        'name.nothing eq "x"',
        'urn:unknown:User:userName eq "x"',
        'name eq "x"',
        "active gt true",
        'active eq "perhaps"',
        'active co "tru"',
        'meta.created gt "yesterday"',
        'meta.created sw "2011"',
        "title gt null",
        'userName eq "\\u0000"',
        'userName eq "\\ud800"',
        'userName eq "\\x"',
        "title eq [",
        "title eq )",
        'title\teq "x"',
    ],
)
def test_what_is_no_filter_is_refused_as_invalid_filter(text: str) -> None:
    with pytest.raises(ScimError) as refused:
        parse_filter(text, USER)
    assert (refused.value.status, refused.value.scim_type) == (400, "invalidFilter")


def test_a_filter_has_limits() -> None:
    deep = "(" * (MAX_DEPTH + 1) + "title pr" + ")" * (MAX_DEPTH + 1)
    many = " or ".join(["title pr"] * (MAX_COMPARISONS + 1))
    long = f'title eq "{"x" * MAX_LENGTH}"'
    for text in (deep, many, long):
        with pytest.raises(ScimError):
            parse_filter(text, USER)


def test_an_error_does_not_repeat_a_quoted_value() -> None:
    with pytest.raises(ScimError) as refused:
        parse_filter('"secret@example.org" eq "x"', USER)
    assert "secret" not in refused.value.detail


def test_in_a_search_over_all_types_an_unknown_attribute_matches_nothing() -> None:
    assert parse_filter('members.value eq "x"', USER, unknown_is_false=True) == Never()
    assert not evaluate(parse_filter('nothing eq "x"', USER, unknown_is_false=True), {"userName": "a"})


def test_a_patch_path_names_an_attribute_a_part_or_some_of_the_values() -> None:
    assert parse_path("displayName", USER).place == place("displayName")
    assert parse_path("name.givenName", USER).place == place("name.givenName")
    filtered = parse_path('emails[type eq "work"].value', USER)
    assert filtered.place == place("emails.value")
    assert filtered.inner == Comparison(part("emails", "type"), "eq", "work")
    assert parse_path('members[value eq "2819c223"]', GROUP).place.path == "members"
    assert parse_path(f"{urns.ENTERPRISE_USER}:department", USER).place.path == f"{urns.ENTERPRISE_USER}:department"


@pytest.mark.parametrize(
    "text", ["", "nothing", '"x"', "emails[", 'emails[type eq "x"].', "name.nothing", "a b", "[x pr]"]
)
def test_what_is_no_path_is_refused_as_invalid_path(text: str) -> None:
    with pytest.raises(ScimError) as refused:
        parse_path(text, USER)
    assert refused.value.scim_type == "invalidPath"


TEXTS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
COMPARISONS = st.one_of(
    st.builds(
        lambda name, operator, value: Comparison(place(name), operator, value),
        st.sampled_from(
            ["userName", "externalId", "name.familyName", "emails.value", f"{urns.ENTERPRISE_USER}:division"]
        ),
        st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]),
        TEXTS,
    ),
    st.builds(lambda value: eq("active", value), st.booleans()),
    st.builds(lambda name: Present(place(name)), st.sampled_from(["title", "emails", "name.givenName"])),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda parts: And(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(lambda parts: Or(tuple(parts)), st.lists(inner, min_size=2, max_size=3)),
        st.builds(Not, inner),
    ),
    max_leaves=8,
)


def written(found: Filter) -> str:
    """A filter as text, with every group in parentheses."""
    match found:
        case Comparison(at, operator, value):
            return f"{at.path} {operator} {json.dumps(value)}"
        case Present(at):
            return f"{at.path} pr"
        case Not(inner):
            return f"not ({written(inner)})"
        case And(parts):
            return " and ".join(f"({written(each)})" for each in parts)
        case Or(parts):
            return " or ".join(f"({written(each)})" for each in parts)
        case _:
            raise AssertionError(found)


@given(FILTERS)
def test_a_filter_that_is_written_down_reads_as_itself(found: Filter) -> None:
    assert parse_filter(written(found), USER) == found


PIECES = st.sampled_from(
    [
        "userName",
        "emails",
        "eq",
        "pr",
        "and",
        "or",
        "not",
        "(",
        ")",
        "[",
        "]",
        '"x"',
        ".value",
        "true",
        "null",
        "-1.5e3",
    ]
)


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=12).map(" ".join)))
def test_any_text_is_a_filter_or_an_invalid_filter(text: str) -> None:
    try:
        evaluate(parse_filter(text, USER), {"userName": "x", "emails": [{"value": "x"}]})
    except ScimError as error:
        assert error.scim_type == "invalidFilter"  # noqa: PT017 (either is right)
