"""Rules run in order, stop at the first that fails, and keep what they saw."""

import pytest

from federation.errors import Malformed, Refused
from federation.saml.checks import MAX_TEXT, Check, Seen, attempt, rule, run


@rule("test.even", "Clause 1")
def even(number: int) -> Seen:
    return Seen(number % 2 == 0, "an even number", str(number))


@rule("test.small", "Clause 2")
def small(number: int) -> Seen:
    return Seen(number < 10, "less than 10", str(number))


def test_a_rule_records_what_it_saw() -> None:
    assert even(3) == Check("test.even", "Clause 1", "an even number", "3", ok=False)


def test_every_check_is_kept() -> None:
    checks = run((even, small), (even(2),), 4)
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
        return Seen(False, "x" * 1000, "y" * 1000)

    assert (len(long().expected), len(long().received)) == (MAX_TEXT, MAX_TEXT)


def test_malformed_input_becomes_the_last_check() -> None:
    def step(number: int) -> int:
        if number < 0:
            raise Malformed("test.form", "negative")
        return number + 1

    assert attempt((), "Clause 4", step, 1) == 2
    with pytest.raises(Refused) as caught:
        attempt((even(2),), "Clause 4", step, -1)
    assert [(check.rule, check.ok) for check in caught.value.checks] == [("test.even", True), ("test.form", False)]
    assert caught.value.failed.received == "negative"
