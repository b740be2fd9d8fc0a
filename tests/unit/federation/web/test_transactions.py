from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest
from pyramid.request import Request
from pyramid.response import Response
from transaction import TransactionManager
from webtest import TestApp

from federation.web.transactions import Manager, instead
from tests.web_factories import HTTPForbidden, raising, site, view


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
    manager, notes = Manager(), []
    manager.begin().get().join(Part(notes, "first"))
    with instead(SimpleNamespace(tm=manager)):
        manager.get().join(Part(notes, "inside"))
    manager.get().join(Part(notes, "after"))
    manager.commit()
    assert notes == ["first lost", "inside kept", "after kept"]


def test_a_site_of_ours_keeps_nothing_when_something_cannot_be_written() -> None:
    manager, notes = Manager(), []
    manager.begin()
    for name in ("first", "second"):
        manager.get().join(Part(notes, name, refuses=name == "second"))
    with pytest.raises(ZeroDivisionError):
        manager.commit()
    assert notes == ["first lost", "second lost"]
    manager.abort()  # over already
    manager.begin().commit()


def test_a_site_of_ours_has_one_transaction_at_a_time_and_none_after_its_end() -> None:
    manager = Manager()
    with pytest.raises(RuntimeError):
        manager.get()
    manager.begin()
    with pytest.raises(RuntimeError):
        manager.begin()
    manager.abort()
    with pytest.raises(RuntimeError):
        manager.get()


def site_with(answer: Callable[[Request], Response], notes: list[str], *, refuses: bool = False) -> TestApp:
    """A site of ours whose page takes part in the request's transaction and then answers."""

    def show(request: Request) -> Response:
        request.tm.get().join(Part(notes, "request", refuses=refuses))
        return answer(request)

    return site(view("show", show), transactions="federation.web.transactions")


def test_what_a_request_wrote_is_kept_when_it_is_answered() -> None:
    notes: list[str] = []
    assert site_with(lambda request: Response("answered"), notes).get("/show").text == "answered"
    assert notes == ["request kept"]


@pytest.mark.parametrize(("error", "status"), [(ZeroDivisionError(), 500), (HTTPForbidden(), 403)])
def test_what_a_request_wrote_is_taken_back_when_a_problem_page_answers_it(error: Exception, status: int) -> None:
    notes: list[str] = []
    assert "Reference" in site_with(raising(error), notes).get("/show", status=status).text
    assert notes == ["request lost"]


def test_what_a_request_wrote_is_taken_back_when_nobody_answers_it() -> None:
    notes: list[str] = []
    with pytest.raises(SystemExit):
        site_with(raising(SystemExit()), notes).get("/show")
    assert notes == ["request lost"]


def test_a_request_is_not_answered_as_if_kept_when_it_cannot_be() -> None:
    notes: list[str] = []
    app = site_with(lambda request: Response("answered"), notes, refuses=True)
    answer = app.get("/show", status=500)
    assert "Reference" in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert notes == ["request lost"]
