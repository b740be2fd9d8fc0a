from __future__ import annotations

import re

from federation.web.reference import ALPHABET, new_reference


def test_a_reference_is_two_groups_of_four() -> None:
    assert re.fullmatch(r"[2-9A-Z]{4}-[2-9A-Z]{4}", new_reference())


def test_no_character_looks_like_another() -> None:
    assert not set("01OILU") & set(ALPHABET)


def test_references_do_not_repeat() -> None:
    assert len({new_reference() for _ in range(2000)}) == 2000


def test_every_character_is_as_likely_as_another() -> None:
    letters = "".join(new_reference() for _ in range(3000)).replace("-", "")
    counts = [letters.count(letter) for letter in ALPHABET]
    assert sum(counts) == len(letters)
    assert min(counts) > 600  # 800 each, give or take 28
    assert max(counts) < 1000
