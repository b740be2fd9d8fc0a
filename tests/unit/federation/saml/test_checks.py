"""Rules run in order, stop at the first that fails, and keep what they saw."""

import pytest

from federation.errors import Malformed, Refused
from federation.saml.checks import MAX_TEXT, Check, Seen, attempt, rule, run


@rule("test.even", "Clause 1")
def even(number: int) -> Seen:
    return number % 2 == 0, "an even number", str(number)


@rule("test.small", "Clause 2")
def small(number: int) -> Seen:
    return number < 10, "less than 10", str(number)


SEEN = Check("test.even", "Clause 1", "an even number", "2", ok=True)


def test_a_rule_judges_and_carries_its_name_and_clause() -> None:
    assert even(3) == (False, "an even number", "3")
    assert (even.rule, even.reference) == ("test.even", "Clause 1")


def test_a_run_records_what_each_rule_saw() -> None:
    assert run((even,), (), 2) == (SEEN,)


def test_every_check_is_kept() -> None:
    checks = run((even, small), (SEEN,), 4)
    assert [(check.rule, check.received, check.ok) for check in checks] == [
        ("test.even", "2", True),
        ("test.even", "4", True),
        ("test.small", "4", True),
    ]


def test_the_first_failure_ends_the_run_and_carries_all_checks() -> None:
    with pytest.raises(Refused) as caught:
        run((small, even, small), (), 3)
    assert [check.rule for check in caught.value.checks] == ["test.small", "test.even"]
    assert caught.value.rule == "test.even"
    assert str(caught.value) == "test.even (Clause 1): expected an even number, received 3"


def test_what_a_partner_sent_is_shown_shortened() -> None:
    @rule("test.long", "Clause 3")
    def long() -> Seen:
        return False, "x" * 1000, "y" * 1000

    with pytest.raises(Refused) as caught:
        run((long,), ())
    assert (len(caught.value.failed.expected), len(caught.value.failed.received)) == (MAX_TEXT, MAX_TEXT)


def test_malformed_input_becomes_the_last_check() -> None:
    def step(number: int) -> int:
        if number < 0:
            raise Malformed("test.form", "negative")
        return number + 1

    assert attempt((), "Clause 4", step, 1) == 2
    with pytest.raises(Refused) as caught:
        attempt((SEEN,), "Clause 4", step, -1)
    assert [(check.rule, check.ok) for check in caught.value.checks] == [("test.even", True), ("test.form", False)]
    assert caught.value.failed.received == "negative"
