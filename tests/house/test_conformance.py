"""docs/conformance.md says what the tests prove, no more and no less."""

import pytest

from tests.conformance.ids import ALL, IIP, NOT_YET, SDP
from tests.conformance.page import PAGE, open_musts, proofs, render


def test_every_id_of_both_profiles_is_in_the_table() -> None:
    assert (len(IIP), len(SDP), len(ALL)) == (69, 89, 158)


def test_no_test_carries_an_id_that_does_not_exist() -> None:
    assert proofs().keys() <= ALL.keys()


def test_every_must_is_proven_or_has_a_reason_not_to_be() -> None:
    assert open_musts() == []


def test_a_reason_is_given_for_what_no_test_proves_and_for_nothing_else() -> None:
    excused = {id_ for ids in NOT_YET.values() for id_ in ids}
    assert excused <= ALL.keys() - proofs().keys()


def test_a_must_that_loses_its_test_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {id_: names for id_, names in proofs().items() if id_ not in ("IIP-SSO01", "IIP-ALG03")}
    monkeypatch.setattr("tests.conformance.page.proofs", lambda: left)
    assert open_musts() == ["IIP-SSO01"]


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run: python -m tests.conformance.page"
