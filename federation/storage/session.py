"""Sessions: one per unit of work, committed in one place (the transaction manager, or the end of `unit_of_work`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

if TYPE_CHECKING:
    from transaction.interfaces import ITransactionManager

SessionFactory = sessionmaker[Session]

_MANAGER: Final = "federation.transaction_manager"


def factory(engine: Engine) -> SessionFactory:
    """Makes sessions on the engine. Objects stay readable after the commit, so a worker can report on what it did."""
    sessions = sessionmaker(engine, expire_on_commit=False)
    event.listen(sessions, "after_begin", _on_begin)
    event.listen(sessions, "after_attach", _on_attach)
    return sessions


def for_transaction_manager(sessions: SessionFactory, tm: ITransactionManager) -> Session:
    """A session that commits, aborts and closes with the transaction manager (`request.tm`).

    It counts as changed from the start: a Core statement, which the ORM does not notice, is committed like any other.
    That leaves two events to listen to, and the listeners are the factory's: zope.sqlalchemy's own seven for each
    session would cost as much as a statement.
    """
    return sessions(info={_MANAGER: tm})


def _on_begin(session: Session, _transaction: SessionTransaction, _connection: Connection) -> None:
    _join(session)


def _on_attach(session: Session, _instance: object) -> None:
    """An object that was only added is written at the commit, if the session has joined by then."""
    _join(session)


def _join(session: Session) -> None:
    if _MANAGER in session.info:
        from zope.sqlalchemy.datamanager import STATUS_CHANGED, join_transaction  # noqa: PLC0415 (brings every driver)

        join_transaction(session, STATUS_CHANGED, session.info[_MANAGER])


@contextmanager
def unit_of_work(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction for a command or a worker: commits at the end, rolls back on any exception, always closes."""
    with sessions.begin() as session:
        yield session
