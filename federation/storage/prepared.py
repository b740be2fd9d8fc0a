"""Statements of the hot path: compiled once for each database, then run by its driver.

SQLAlchemy finds a statement's compiled form, its types and its events anew at each execution, which costs many times
what the database itself takes for one row. A sign-in runs seven statements that never change. They are written in
SQLAlchemy as every other, and run in the session's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from federation.storage.engine import become_writer

Row = tuple[Any, ...]


class _Compiled(NamedTuple):
    text: str
    names: tuple[str, ...]
    positional: bool
    defaults: Mapping[str, Any]
    binds: tuple[tuple[str, Callable[[Any], Any]], ...]
    results: tuple[tuple[int, Callable[[Any], Any]], ...]


class Prepared:
    """A SELECT in Core, or an INSERT with the names of the columns that it fills.

    Give a function of the database's name where the databases spell it differently.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable], *, fills: Collection[str] = ()) -> None:
        self._statement: Final = statement
        self._fills: Final = list(fills)
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[Row]:
        """Run it in the session's transaction; answers its rows, each value as its column's type has it.

        Raises `sqlalchemy.exc.DBAPIError` as the session itself does.
        """
        session.flush()  # what was only added counts, as with the session's own execute
        connection = session.connection()
        compiled = self._compiled.get(connection.dialect.name) or self._compile(connection.dialect)
        values = {**compiled.defaults, **parameters}
        for name, process in compiled.binds:
            values[name] = process(values[name])
        if self._fills:
            become_writer(connection)
        return _run(connection, compiled, values)

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement: Any = self._statement(dialect.name) if callable(self._statement) else self._statement
        made = statement.compile(dialect=dialect, column_keys=self._fills or None)
        binds = [(name, bind.type.dialect_impl(dialect).bind_processor(dialect)) for name, bind in made.binds.items()]
        results = [
            each.type.dialect_impl(dialect).result_processor(dialect, None) for each in statement.exported_columns
        ]
        compiled = _Compiled(
            str(made),
            tuple(made.positiontup or ()),
            bool(made.positional),
            {name: bind.value for name, bind in made.binds.items() if not bind.required},
            tuple((name, process) for name, process in binds if process is not None),
            tuple((index, process) for index, process in enumerate(results) if process is not None),
        )
        self._compiled[dialect.name] = compiled
        return compiled


def _run(connection: Connection, compiled: _Compiled, values: dict[str, Any]) -> list[Row]:
    driver: Any = connection.connection.dbapi_connection
    refusal = connection.dialect.loaded_dbapi.Error
    try:
        cursor = driver.execute(
            compiled.text, [values[name] for name in compiled.names] if compiled.positional else values
        )
        found: list[Row] = cursor.fetchall() if cursor.description else []
    except refusal as error:
        raise DBAPIError.instance(compiled.text, None, error, refusal, hide_parameters=True) from error
    if not compiled.results:
        return found
    rows = []
    for row in found:
        mutable = list(row)
        for index, process in compiled.results:
            mutable[index] = process(mutable[index])
        rows.append(tuple(mutable))
    return rows
