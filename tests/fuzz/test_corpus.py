"""What fuzzing starts from, and what it once found, passes every target; and a fault would be found."""

import random
from pathlib import Path

import pytest

from tests.attacks.mutations import OCTETS
from tests.fuzz.__main__ import HERE, fuzz
from tests.fuzz.targets import TARGETS, tried

KEPT = [path for folder in sorted((HERE / "corpus").iterdir()) for path in sorted(folder.iterdir())]


def test_every_target_has_a_corpus_and_every_corpus_a_target() -> None:
    assert {path.parent.name for path in KEPT} == set(TARGETS)
    assert sum(path.stat().st_size for path in KEPT) < 1_000_000


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_passes(path: Path) -> None:
    tried(TARGETS[path.parent.name], path.read_bytes())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_and_so_does_what_is_near_it(path: Path) -> None:
    choose = random.Random(path.name).choice
    for _ in range(5):
        octets = path.read_bytes()
        for change in OCTETS:
            octets = change(octets, choose)
            tried(TARGETS[path.parent.name], octets)


def breaks_on_an_exclamation_mark(octets: bytes) -> None:
    """A target with a fault that a second of fuzzing finds."""
    if b"!" in octets:
        raise RuntimeError("found")


@pytest.mark.slow
def test_a_fault_is_found_and_reported() -> None:
    outcome = fuzz(f"{__name__}:breaks_on_an_exclamation_mark", seconds=20)
    assert outcome.failed
    assert "RuntimeError: found" in outcome.output


@pytest.mark.slow
def test_a_sound_target_is_tried_thousands_of_times() -> None:
    outcome = fuzz("instants", seconds=2)
    assert not outcome.failed, outcome.output
    assert outcome.runs > 1000
