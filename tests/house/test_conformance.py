"""docs/conformance.md says what the tests prove, no more and no less."""

from tests.conformance.ids import ALL, IIP, OPEN, SDP
from tests.conformance.page import PAGE, open_musts, proofs, render


def test_every_id_of_both_profiles_is_in_the_table() -> None:
    assert (len(IIP), len(SDP), len(ALL)) == (69, 89, 158)


def test_no_test_carries_an_id_that_does_not_exist() -> None:
    assert proofs().keys() <= ALL.keys()


def test_every_must_is_proven_or_admitted_to_be_open() -> None:
    assert open_musts() == list(OPEN)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text() == render(), "run: python -m tests.conformance.page"
