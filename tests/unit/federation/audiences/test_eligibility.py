import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.audiences.eligibility import decide

NAMES = st.frozensets(st.sampled_from(["staff", "learners", "board"]))


def ask(**changes):
    facts = {
        "guest": False,
        "suspended": False,
        "person_audiences": {"staff"},
        "connection_audiences": {"staff", "board"},
        "connection_active": True,
    }
    return decide(**(facts | changes))


def test_somebody_in_one_of_the_audiences_may():
    decision = ask()
    assert decision.allowed
    assert decision.rule == "eligibility.audience"


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"guest": True}, "eligibility.guest"),
        ({"suspended": True}, "eligibility.suspended"),
        ({"connection_active": False}, "eligibility.connection"),
        ({"connection_audiences": set()}, "eligibility.no_audience"),
        ({"person_audiences": {"learners"}}, "eligibility.audience"),
        ({"person_audiences": set()}, "eligibility.audience"),
    ],
)
def test_anybody_else_may_not_and_is_told_why_in_a_sentence(changes, rule):
    decision = ask(**changes)
    assert not decision.allowed
    assert decision.rule == rule
    assert decision.reason.endswith(".")


def test_everybody_is_a_choice_of_its_own():
    assert ask(everybody=True, connection_audiences=set(), person_audiences=set()).allowed


def test_no_audience_chosen_is_not_everybody():
    assert not ask(connection_audiences=set(), person_audiences=set()).allowed


@given(NAMES, NAMES, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_a_guest_a_suspended_person_or_an_inactive_connection_is_refused_whatever_else_holds(
    person, connection, everybody, guest, suspended, active
):
    decision = ask(
        person_audiences=person,
        connection_audiences=connection,
        everybody=everybody,
        guest=guest,
        suspended=suspended,
        connection_active=active,
    )
    if guest or suspended or not active:
        assert not decision.allowed
    else:
        assert decision.allowed == (everybody or bool(person & connection))
