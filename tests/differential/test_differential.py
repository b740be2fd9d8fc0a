"""Where another implementation judges otherwise, we have a rule, and the repository records how often.

Who differs is told at run time only: `python -m tests.differential`, which also asks about thousands more.
"""

import gc
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.differential import parties
from tests.differential.__main__ import PARTS, part
from tests.differential.comparing import RECORDED, compare, recorded
from tests.differential.kinds import Message, usual, wrapped
from tests.interop.pysaml2_party import now

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def _files_of_the_others() -> Iterator[None]:
    """They leave temporary files open: collected here, no later test is told."""
    yield
    gc.collect()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["said", "asked", "some changed"])
def test_every_difference_has_its_rule_and_its_count(name: str) -> None:
    found = part(name)
    assert found.messages > 100
    if found.as_json() != recorded()[name]:
        pytest.fail("\n".join(["not what recorded.json says:", *found.table()]))


def test_everybody_accepts_the_usual_and_nobody_accepts_a_stranger() -> None:
    instant = now()
    good = Message("good", wrapped(usual(instant), "both", sealed=False))
    bad = Message("bad", wrapped(usual(instant), "both", sealed=False, key="mallory"))
    found = compare([good, bad], instant)
    assert dict(found.accepted) == {"good": 1, "bad": 0}
    assert found.as_json() == {}


def test_the_record_names_nobody(tmp_path: Path) -> None:
    text = RECORDED.read_text()
    assert set(recorded()) == {"said", "asked", *PARTS}
    assert [name for name in parties.others(tmp_path) if name in text] == []
