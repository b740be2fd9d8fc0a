"""A request's transaction: who keeps it, and what happens to it when the request is refused or waits for others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.tweens import EXCVIEW


class Manager:
    """`request.tm` of a site where nobody but our own sessions takes part: as much of a manager as they ask for. It is
    its own transaction.

    The manager of the `transaction` package keeps books about hooks, synchronizers and savepoints, which a host may
    need. None of it is used here, and keeping them costs a sign-in as much as its look-ups in the database.
    """

    def __init__(self) -> None:
        self._parts: list[Any] | None = None

    def begin(self) -> Manager:
        """Begin; the one before must have ended."""
        if self._parts is not None:
            raise RuntimeError("a transaction is under way")
        self._parts = []
        return self

    def get(self) -> Manager:
        """The transaction that is under way."""
        if self._parts is None:
            raise RuntimeError("no transaction is under way")
        return self

    def join(self, part: Any) -> None:
        """Somebody takes part (`transaction.interfaces.IDataManager`)."""
        assert self._parts is not None  # get
        self._parts.append(part)

    def commit(self) -> None:
        """Commit each part, or none when what one holds back cannot be written. It is over, whatever is raised."""
        parts, self._parts = self._parts or (), None
        try:
            for part in parts:
                part.tpc_begin(self)
            for part in parts:
                part.tpc_vote(self)
        except BaseException:
            for part in parts:
                part.tpc_abort(self)
            raise

    def abort(self) -> None:
        """Take everything back. What has ended stays as it is."""
        parts, self._parts = self._parts or (), None
        for part in parts:
            part.tpc_abort(self)


def transaction_tween(handler: Callable[[Request], Response], _registry: Any) -> Callable[[Request], Response]:
    """A transaction of a `Manager` around each request, as pyramid_tm has it around a host's.

    What the request wrote is kept if it was answered, and taken back if an exception was, by a problem page or not at
    all. When it cannot be kept, the problem page is the answer.
    """

    def in_transaction(request: Request) -> Response:
        manager = request.tm = Manager().begin()
        try:
            response = handler(request)
        except BaseException:
            manager.abort()
            raise
        try:
            if request.exc_info is None:
                manager.commit()
            else:
                manager.abort()
        except Exception:  # noqa: BLE001 (whatever a database says at the end)
            return request.invoke_exception_view(reraise=True)
        return response

    return in_transaction


def includeme(config: Configurator) -> None:
    """`request.tm`, for a site where nobody else takes part; a host has pyramid_tm."""
    config.add_tween("federation.web.transactions.transaction_tween", over=EXCVIEW)


@contextmanager
def instead(request: Request) -> Iterator[None]:
    """Take back everything the request wrote, and commit what is written inside in its place.

    It leaves a fresh transaction behind, so that whoever manages the request's transactions finds one to end. Where the
    application has no `request.tm` the block just runs.
    """
    tm = getattr(request, "tm", None)
    if tm is None:
        yield
        return
    tm.abort()
    tm.begin()
    try:
        yield
    except BaseException:
        tm.abort()
        tm.begin()
        raise
    tm.commit()
    tm.begin()


def commit_so_far(request: Request) -> None:
    """Commit what the request wrote, and begin a fresh transaction: nothing stays locked while we wait for others."""
    request.tm.commit()
    request.tm.begin()
