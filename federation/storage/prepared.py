"""Statements of the hot path: compiled once for each database, then run by its driver.

SQLAlchemy finds a statement's compiled form, its types and its events anew at each execution, which costs many times
what the database itself takes for one row. A sign-in runs seven statements that never change. They are written in
SQLAlchemy as every other, and run in the session's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from federation.storage.engine import become_writer
from federation.storage.session import driver_of

Row = tuple[Any, ...]


class _Compiled(NamedTuple):
    text: str
    positional: bool
    defaults: Mapping[str, Any]
    binds: tuple[tuple[str, Callable[[Any], Any] | None], ...]
    results: tuple[tuple[int, Callable[[Any], Any]], ...]
    refusal: type[Exception]


class Prepared:
    """A SELECT in Core, or an INSERT with the names of the columns that it fills.

    Give a function of the database's name where the databases spell it differently.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable], *, fills: Collection[str] = ()) -> None:
        self._statement: Final = statement
        self._fills: Final = list(fills)
        self._compiled: dict[type, _Compiled] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a SELECT in the session's transaction; answers its rows, each value as its column's type has it.

        Raises `sqlalchemy.exc.DBAPIError` as the session itself does.
        """
        cursor, compiled = self._run(session, parameters)
        try:
            found: list[Row] = cursor.fetchall()
        except compiled.refusal as error:
            raise _said(compiled, error) from error
        return _read(found, compiled.results) if compiled.results else found

    def write(self, session: Session, parameters: Mapping[str, Any]) -> int:
        """Run an INSERT in the session's transaction; answers how many rows it wrote. Raises as `rows` does."""
        cursor, _ = self._run(session, parameters)
        written: int = cursor.rowcount
        return written

    def _run(self, session: Session, parameters: Mapping[str, Any]) -> tuple[Any, _Compiled]:
        driver = driver_of(session)
        compiled = self._compiled.get(type(driver)) or self._compile(type(driver), session.get_bind().dialect)
        given = {**compiled.defaults, **parameters} if compiled.defaults else parameters
        if self._fills:
            become_writer(driver)
        values: Any
        if compiled.positional:
            values = [given[name] if process is None else process(given[name]) for name, process in compiled.binds]
        else:
            values = {
                name: given[name] if process is None else process(given[name]) for name, process in compiled.binds
            }
        try:
            return driver.execute(compiled.text, values), compiled
        except compiled.refusal as error:
            raise _said(compiled, error) from error

    def _compile(self, kind: type, dialect: Dialect) -> _Compiled:
        statement: Any = self._statement(dialect.name) if callable(self._statement) else self._statement
        made = statement.compile(dialect=dialect, column_keys=self._fills or None)
        names = made.positiontup if made.positional else made.binds
        compiled = _Compiled(
            str(made),
            made.positional,
            {name: bind.value for name, bind in made.binds.items() if not bind.required},
            tuple((name, made.binds[name].type.dialect_impl(dialect).bind_processor(dialect)) for name in names),
            tuple(
                (index, process)
                for index, each in enumerate(statement.exported_columns)
                if (process := each.type.dialect_impl(dialect).result_processor(dialect, None)) is not None
            ),
            dialect.loaded_dbapi.Error,
        )
        self._compiled[kind] = compiled
        return compiled


def _said(compiled: _Compiled, error: Exception) -> BaseException:
    return DBAPIError.instance(compiled.text, None, error, compiled.refusal, hide_parameters=True)


def _read(found: list[Row], results: Sequence[tuple[int, Callable[[Any], Any]]]) -> list[Row]:
    rows = []
    for row in found:
        mutable = list(row)
        for index, process in results:
            mutable[index] = process(mutable[index])
        rows.append(tuple(mutable))
    return rows
