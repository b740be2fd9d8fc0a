"""Sessions: one per unit of work, committed in one place (the transaction manager, or the end of `unit_of_work`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

if TYPE_CHECKING:
    from transaction.interfaces import ITransaction, ITransactionManager

SessionFactory = sessionmaker[Session]

_TRY_AGAIN: Final = "40"
"""The class of SQLSTATE for a transaction that the database gave up: a deadlock, a conflict."""


class WebSession(Session):
    """A session in the transactions of a manager (`request.tm`): it begins, commits, aborts and closes with them.

    Its connection is checked out and its transaction begun beneath the ORM, at the first statement. A request whose
    statements all go to the driver (`prepared`), as those of a sign-in do, never wakes the ORM's own bookkeeping, which
    costs more than the transaction; whoever asks for objects gets them in the same transaction.

    Without a manager it is an ordinary session.
    """

    def __init__(self, bind: Engine, manager: ITransactionManager | None = None, **options: Any) -> None:
        super().__init__(bind, join_transaction_mode="control_fully", **options)
        self._engine = bind
        self._manager = manager
        self._joined = False
        self._connection: Connection | None = None

    def get_bind(self, *arguments: Any, **named: Any) -> Engine | Connection:
        """Where the ORM's statements go: to the connection of the transaction."""
        return super().get_bind(*arguments, **named) if self._manager is None else self._begun()

    def begun(self) -> Connection:
        """The connection, in the transaction and within the savepoint that the ORM has set, if any."""
        return self.connection() if self._manager is None or self.in_transaction() else self._begun()

    def _begun(self) -> Connection:
        connection = self._connection
        if connection is None:
            self.join()
            connection = self._connection = self._engine.connect()
        if not connection.in_transaction():
            connection.begin()
        return connection

    def join(self) -> None:
        """Take part in the manager's transaction, once."""
        if self._manager is not None and not self._joined:
            self._manager.get().join(_Part(self, self._manager))
            self._joined = True

    def keep(self) -> None:
        """Commit, and be ready for the manager's next transaction."""
        connection = self._connection
        if self.in_transaction():
            self.commit()
            self.close()
        if connection is not None and connection.in_transaction():
            connection.commit()
            self.dispatch.after_commit(self)
        self._release()

    def take_back(self) -> None:
        """Roll back, and be ready for the manager's next transaction."""
        try:
            self.close()
        finally:
            self._release()

    def _release(self) -> None:
        connection, self._connection, self._joined = self._connection, None, False
        if connection is not None:
            connection.close()


class _Part:
    """A session's part in one transaction of its manager (`transaction.interfaces.ISavepointDataManager`)."""

    def __init__(self, session: WebSession, manager: ITransactionManager) -> None:
        self._session = session
        self.transaction_manager = manager

    def tpc_begin(self, _transaction: ITransaction) -> None:
        self._session.flush()

    def commit(self, _transaction: ITransaction) -> None:
        """Nothing yet: who else takes part may still refuse."""

    def tpc_vote(self, _transaction: ITransaction) -> None:
        """The last to vote has heard all the others, and commits."""
        self._session.keep()

    def tpc_finish(self, _transaction: ITransaction) -> None:
        """Done by then."""

    def tpc_abort(self, _transaction: ITransaction) -> None:
        self._session.take_back()

    abort = tpc_abort

    def sortKey(self) -> str:  # noqa: N802 (the interface's name)
        return "~federation"

    def savepoint(self) -> SessionTransaction:
        return self._session.begin_nested()

    def should_retry(self, error: BaseException) -> bool:
        """Whether the same request may do better in another transaction (pyramid_retry asks)."""
        state = getattr(error.orig, "sqlstate", None) if isinstance(error, DBAPIError) else None
        return state is not None and state.startswith(_TRY_AGAIN)


def factory(engine: Engine) -> SessionFactory:
    """Makes sessions on the engine. Objects stay readable after the commit, so a worker can report on what it did."""
    sessions: SessionFactory = sessionmaker(engine, class_=WebSession, expire_on_commit=False)
    event.listen(sessions, "after_attach", _on_attach)
    return sessions


def for_transaction_manager(sessions: SessionFactory, tm: ITransactionManager) -> Session:
    """A session that commits, aborts and closes with the transaction manager (`request.tm`)."""
    return sessions(manager=tm)


def begun(session: Session) -> Connection:
    """The connection of a session's transaction, which begins if it has not yet. What was only added is written."""
    session.flush()
    return session.begun() if isinstance(session, WebSession) else session.connection()


def _on_attach(session: WebSession, _instance: object) -> None:
    """An object that was only added is written at the commit, if the session has joined by then."""
    session.join()


@contextmanager
def unit_of_work(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction for a command or a worker: commits at the end, rolls back on any exception, always closes."""
    with sessions.begin() as session:
        yield session
