from __future__ import annotations

from types import SimpleNamespace

import pytest
from transaction import TransactionManager

from federation.web.transactions import instead


def begun() -> TransactionManager:
    manager = TransactionManager(explicit=True)
    manager.begin()
    return manager


def noting(manager: TransactionManager, notes: list[str], text: str) -> None:
    manager.get().addAfterCommitHook(lambda committed: notes.append(f"{text} {'kept' if committed else 'lost'}"))


def test_what_was_written_before_is_taken_back_and_what_is_written_inside_is_kept() -> None:
    manager, notes = begun(), []
    noting(manager, notes, "before")
    with instead(SimpleNamespace(tm=manager)):
        noting(manager, notes, "inside")
    assert notes == ["inside kept"]
    manager.abort()  # the fresh transaction that its manager expects to find


def test_what_fails_inside_is_taken_back_too() -> None:
    manager, notes = begun(), []
    with pytest.raises(ZeroDivisionError), instead(SimpleNamespace(tm=manager)):
        noting(manager, notes, str(1 // len(notes)))
    assert notes == []
    manager.abort()


def test_without_a_transaction_manager_the_block_just_runs() -> None:
    ran = []
    with instead(SimpleNamespace()):
        ran.append(1)
    assert ran == [1]
