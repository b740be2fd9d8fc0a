"""Sessions: one per unit of work, committed in one place (the transaction manager, or the end of `unit_of_work`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker
from sqlalchemy.pool import PoolProxiedConnection, QueuePool

from federation.storage import engine as engines

if TYPE_CHECKING:
    from transaction.interfaces import ITransaction, ITransactionManager

SessionFactory = sessionmaker[Session]

_TRY_AGAIN: Final = "40"
"""The class of SQLSTATE for a transaction that the database gave up: a deadlock, a conflict."""

_KEPT: Final = 2


class Ready:
    """Connections for requests. A few to SQLite stay out of the pool between two of them: the pool's books cost more
    than a transaction's begin and end, and a file does not hang up.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._kept: list[PoolProxiedConnection] = []
        self._most = _KEPT if engine.dialect.name == "sqlite" and isinstance(engine.pool, QueuePool) else 0
        event.listen(engine, "engine_disposed", lambda _engine: self._forget())

    def take(self) -> PoolProxiedConnection:
        """One that has begun nothing. Raises the driver's error."""
        try:
            return self._kept.pop()
        except IndexError:
            return self._engine.raw_connection()

    def give(self, connection: PoolProxiedConnection) -> None:
        """Take one back whose transaction has ended well."""
        if len(self._kept) < self._most:
            self._kept.append(connection)
        else:
            connection.close()

    def _forget(self) -> None:
        while self._kept:
            self._kept.pop().invalidate()


class WebSession(Session):
    """A session in the transactions of a manager (`request.tm`): it begins, commits, aborts and closes with them.

    A request whose statements all go to the driver (`prepared`), as those of a sign-in do, takes a connection from the
    pool, begins and commits on it, and wakes no bookkeeping of SQLAlchemy's: that costs more than the transaction. Who
    asks for objects, or executes a statement, gets them in the same transaction.

    SQLAlchemy's own part is set up when somebody first asks for anything of it (`__getattr__`).

    Without a manager it is an ordinary session.
    """

    alone: Any = None
    """The driver's connection of a transaction that nobody but `prepared` has a part in."""
    _awake = False
    _joined = False
    _pooled: PoolProxiedConnection | None = None
    _connection: Connection | None = None

    def __init__(self, bind: Engine, ready: Ready, manager: ITransactionManager | None = None, **options: Any) -> None:
        self._engine = bind
        self._ready = ready
        self._manager = manager
        self._options = options
        self.info = {}
        if manager is None:
            self._wake()

    def _wake(self) -> None:
        self._awake, self.alone = True, None
        super().__init__(self._engine, join_transaction_mode="control_fully", **self._options)

    def __getattr__(self, name: str) -> Any:
        """What only `Session.__init__` sets, which is called now."""
        if self._awake:
            raise AttributeError(f"a session has no {name}", name=name, obj=self)
        self._wake()
        return getattr(self, name)

    def get_bind(self, *arguments: Any, **named: Any) -> Engine | Connection:
        """Where the ORM's statements go: to the connection of the transaction."""
        if self._manager is None:
            return super().get_bind(*arguments, **named)
        connection = self._connection
        if connection is None:
            connection = self._connection = Connection(self._engine, self._pooled or self._check_out())
            self.alone = None
        if not connection.in_transaction():
            connection.begin()
        return connection

    def driver(self) -> Any:
        """As `driver_of`."""
        if self._manager is None or self._connection is not None or self._in_use():
            self.flush()
            return self.connection().connection.dbapi_connection
        return (self._pooled or self._check_out()).dbapi_connection

    def _check_out(self) -> PoolProxiedConnection:
        self.join()
        try:
            pooled = self._pooled = self._ready.take()
        except self._engine.dialect.loaded_dbapi.Error as error:
            raise self._said("CONNECT", error) from error
        engines.begin(pooled.dbapi_connection)
        if not self._awake:
            self.alone = pooled.dbapi_connection
        return pooled

    def join(self) -> None:
        """Take part in the manager's transaction, once."""
        if self._manager is not None and not self._joined:
            self._manager.get().join(_Part(self, self._manager))
            self._joined = True

    def _in_use(self) -> bool:
        """Whether the ORM has begun: it may have something to write, or has set a savepoint."""
        return self._awake and self.in_transaction()

    def prepare(self) -> None:
        """Write what is held back, before anybody commits."""
        if self._awake:
            self.flush()

    def keep(self) -> None:
        """Commit, and be ready for the manager's next transaction."""
        if self._in_use():
            self.connection()  # what went to the driver alone belongs to it, too
            self.commit()
            self.close()
        elif self._connection is not None:
            self._connection.commit()
            self._tell()
        elif self._pooled is not None:
            try:
                self._pooled.commit()
            except self._engine.dialect.loaded_dbapi.Error as error:
                raise self._said("COMMIT", error) from error
            self._ready.give(self._pooled)
            self._pooled = None
            self._tell()
        self._release()

    def take_back(self) -> None:
        """Roll back, and be ready for the manager's next transaction."""
        try:
            if self._awake:
                self.close()
        finally:
            self._release()

    def _release(self) -> None:
        """Back to the pool, which rolls back what was not committed."""
        held = self._connection or self._pooled
        self._connection, self._pooled, self._joined, self.alone = None, None, False, None
        if held is not None:
            held.close()

    def _tell(self) -> None:
        """Whoever listens for commits does so for what was noted in `info`."""
        if self.info:
            self.dispatch.after_commit(self)

    def _said(self, statement: str, error: Exception) -> BaseException:
        kind = self._engine.dialect.loaded_dbapi.Error
        return DBAPIError.instance(statement, None, error, kind, hide_parameters=True)


class _Part:
    """A session's part in one transaction of its manager (`transaction.interfaces.ISavepointDataManager`)."""

    def __init__(self, session: WebSession, manager: ITransactionManager) -> None:
        self._session = session
        self.transaction_manager = manager

    def tpc_begin(self, _transaction: ITransaction) -> None:
        self._session.prepare()

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
    sessions: SessionFactory = sessionmaker(engine, class_=WebSession, expire_on_commit=False, ready=Ready(engine))
    event.listen(sessions, "after_attach", _on_attach)
    return sessions


def for_transaction_manager(sessions: SessionFactory, tm: ITransactionManager) -> Session:
    """A session that commits, aborts and closes with the transaction manager (`request.tm`)."""
    kind: Any = sessions.class_
    session: Session = kind(manager=tm, **sessions.kw)  # as the factory would, which merges its options one by one
    return session


def driver_of(session: Session) -> Any:
    """The driver's connection in a session's transaction, which begins if it has not. What was only added is written.

    Whoever uses it translates the driver's errors.
    """
    if isinstance(session, WebSession):
        return session.driver()
    session.flush()
    return session.connection().connection.dbapi_connection


def _on_attach(session: WebSession, _instance: object) -> None:
    """An object that was only added is written at the commit, if the session has joined by then."""
    session.join()


@contextmanager
def unit_of_work(sessions: SessionFactory) -> Iterator[Session]:
    """One transaction for a command or a worker: commits at the end, rolls back on any exception, always closes."""
    with sessions.begin() as session:
        yield session
