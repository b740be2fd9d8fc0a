"""Engines for the two databases we support, made to behave alike.

PostgreSQL runs in READ COMMITTED. SQLite gets the same: a transaction begins as a reader (in WAL mode it blocks nobody
and nobody blocks it) and becomes a writer by BEGIN IMMEDIATE at its first statement that is not a plain SELECT, before
that statement runs. SQLite's own upgrade in mid-transaction fails at once when somebody else wrote meanwhile, whatever
the busy timeout; beginning afresh waits in line instead. What was read before the upgrade may be stale by then, exactly
as in READ COMMITTED: to decide on what you read, read it with `with_for_update()`, which locks on both, or let a
constraint decide.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from federation.errors import ConfigurationError
from federation.storage.written import json_text

BUSY_TIMEOUT_MS: Final = 15_000
CONNECT_TIMEOUT_S: Final = 5
CHECKPOINT_PAGES: Final = 4_000
"""How long SQLite's log grows before it goes into the file: 16 MB. A page that many wrote meanwhile goes there once."""
_COMMON: Final[dict[str, Any]] = {"hide_parameters": True, "json_serializer": json_text}
_READS: Final = ("SELECT", "PRAGMA", "BEGIN", "COMMIT", "ROLLBACK", "RELEASE", "EXPLAIN")


def create(url: str) -> Engine:
    """An engine for `sqlite:///PATH` or `postgresql://…`. Connects to nothing yet, but makes a missing SQLite folder.

    Raises ConfigurationError when the address cannot be used.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigurationError(
            "the database address is not one: expected sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME"
        ) from None
    match parsed.get_backend_name():
        case "sqlite":
            return _sqlite(parsed)
        case "postgresql":
            return _postgresql(parsed)
        case other:
            raise ConfigurationError(f"the database {other!r} is not supported: use sqlite or postgresql")


def check(engine: Engine) -> None:
    """Connect once. Raises ConfigurationError with one sentence that says what is wrong with the database."""
    try:
        with engine.connect() as connection:
            connection.execute(
                text("SELECT count(*) FROM sqlite_master" if engine.dialect.name == "sqlite" else "SELECT 1")
            )
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        raise unusable(engine, error) from error


def unusable(engine: Engine, error: BaseException) -> ConfigurationError:
    """The sentence for an administrator about a database that cannot be used; never holds the password."""
    where = engine.url.render_as_string(hide_password=True)
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    reason = " ".join(str(cause).split()) or type(cause).__name__
    return ConfigurationError(f"the database {where} cannot be used: {reason}")


class Database(sqlite3.Connection):
    """A connection to SQLite. Each transaction is a reader until it becomes a writer, once, before its first write."""

    _writes = True
    """Whether the transaction need not become a writer; outside one there is nothing to become."""

    def begin(self) -> None:
        """Begin a transaction, as a reader, unless one has begun."""
        if self.in_transaction:
            return
        if self.isolation_level is not None:  # SQLAlchemy puts the driver's own back after an autocommit
            self.isolation_level = None
        self.execute("BEGIN")
        self._writes = False

    def begin_nothing(self) -> None:
        """Each statement commits itself."""
        self._writes = True

    def become_writer(self) -> None:
        """Make the transaction one that writes, if it is not yet; waits in line. Raises `OperationalError`."""
        if self._writes:
            return
        # By the driver: what is no statement of the application's costs it nothing, and no listener hears of it.
        self.execute("COMMIT")
        begin = "BEGIN IMMEDIATE"
        try:
            self.execute(begin)
        except sqlite3.Error as error:
            raise OperationalError(begin, None, error, hide_parameters=True) from error
        self._writes = True


def _sqlite(url: URL) -> Engine:
    arguments: dict[str, Any] = {"factory": Database, "check_same_thread": False}
    if url.database in (None, "", ":memory:"):
        engine = create_engine(url, poolclass=StaticPool, connect_args=arguments, **_COMMON)
    else:
        _make_private_file(url)
        # The connection used last goes first: it has at hand what this process wrote last.
        engine = create_engine(url, connect_args=arguments, pool_use_lifo=True, **_COMMON)
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", _on_sqlite_begin)
    event.listen(engine, "before_cursor_execute", _on_sqlite_execute)
    return engine


def _make_private_file(url: URL) -> None:
    """Create the folder and an empty file that only we can read; SQLite gives its -wal and -shm the same mode."""
    path = Path(str(url.database))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise ConfigurationError(f"the database file {path} cannot be opened for writing: {error.strerror}") from None


def _on_sqlite_connect(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _on_sqlite_begin(connection: Connection) -> None:
    database: Any = connection.connection.dbapi_connection
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        database.begin_nothing()
    else:
        database.begin()


def _on_sqlite_execute(
    connection: Connection, _cursor: object, statement: str, _parameters: object, context: Any, _many: bool
) -> None:
    if not _only_reads(statement, context):
        become_writer(connection.connection.dbapi_connection)


def begin(driver: Any) -> None:
    """Begin a transaction on the driver's connection. PostgreSQL's driver begins by itself, at the first statement."""
    if isinstance(driver, Database):
        driver.begin()


def become_writer(driver: Any) -> None:
    """Make a transaction on SQLite one that writes, if it is not yet. On PostgreSQL each may write anyway."""
    if isinstance(driver, Database):
        driver.become_writer()


def _only_reads(statement: str, context: Any) -> bool:
    compiled = getattr(context, "compiled", None)
    if compiled is not None and getattr(compiled.statement, "_for_update_arg", None) is not None:
        return False
    return statement.lstrip()[:10].upper().startswith(_READS)


def _postgresql(url: URL) -> Engine:
    if url.drivername == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
    if url.get_driver_name() != "psycopg":
        raise ConfigurationError("PostgreSQL is used through psycopg 3: write postgresql:// or postgresql+psycopg://")
    return create_engine(url, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}, **_COMMON)
