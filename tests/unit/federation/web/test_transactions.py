from __future__ import annotations

from types import SimpleNamespace

import pytest
from transaction import TransactionManager

from federation.web.transactions import Manager, instead


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


class Part:
    """Somebody who takes part in a transaction and says what became of it."""

    def __init__(self, notes: list[str], name: str, *, refuses: bool = False) -> None:
        self._notes = notes
        self._name = name
        self._refuses = refuses

    def tpc_begin(self, _transaction: object) -> None:
        if self._refuses:
            raise ZeroDivisionError

    def tpc_vote(self, _transaction: object) -> None:
        self._notes.append(f"{self._name} kept")

    def tpc_abort(self, _transaction: object) -> None:
        self._notes.append(f"{self._name} lost")


def test_a_site_of_ours_ends_what_takes_part_with_the_transaction() -> None:
    manager, notes = Manager(None), []
    manager.begin().get().join(Part(notes, "first"))
    with instead(SimpleNamespace(tm=manager)):
        manager.get().join(Part(notes, "inside"))
    manager.get().join(Part(notes, "after"))
    manager.commit()
    assert notes == ["first lost", "inside kept", "after kept"]


def test_a_site_of_ours_keeps_nothing_when_something_cannot_be_written() -> None:
    manager, notes = Manager(None), []
    manager.begin()
    for name in ("first", "second"):
        manager.get().join(Part(notes, name, refuses=name == "second"))
    with pytest.raises(ZeroDivisionError):
        manager.commit()
    assert notes == ["first lost", "second lost"]
    manager.abort()  # over already
    manager.begin().commit()


def test_a_site_of_ours_has_one_transaction_at_a_time_and_none_after_its_end() -> None:
    manager = Manager(None)
    with pytest.raises(RuntimeError):
        manager.get()
    manager.begin()
    with pytest.raises(RuntimeError):
        manager.begin()
    manager.abort()
    with pytest.raises(RuntimeError):
        manager.get()
