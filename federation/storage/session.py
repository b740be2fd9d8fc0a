"""Sessions: one per unit of work, committed in one place (the transaction manager, or the end of `unit_of_work`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import zope.sqlalchemy
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker
from transaction.interfaces import ITransactionManager
from zope.sqlalchemy.datamanager import STATUS_CHANGED

SessionFactory = sessionmaker[Session]


def factory(engine: Engine) -> SessionFactory:
    """Makes sessions on the engine. Objects stay readable after the commit, so a worker can report on what it did."""
    return sessionmaker(engine, expire_on_commit=False)


def for_transaction_manager(sessions: SessionFactory, tm: ITransactionManager) -> Session:
    """A session that commits, aborts and closes with the transaction manager (`request.tm`).

    It counts as changed from the start: a Core statement, which the ORM does not notice, is committed like any other.
    """
    session = sessions()
    zope.sqlalchemy.register(session, initial_state=STATUS_CHANGED, transaction_manager=tm)
    return session


@contextmanager
def unit_of_work(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction for a command or a worker: commits at the end, rolls back on any exception, always closes."""
    with sessions.begin() as session:
        yield session
