"""Statements of the hot path: compiled once for each database, then run by its driver.

SQLAlchemy finds a statement's compiled form, its types and its events anew at each execution, which costs many times
what the database itself takes for one row. A sign-in runs seven statements that never change. They are written in
SQLAlchemy as every other, and run in the session's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from federation.storage.engine import become_writer
from federation.storage.session import driver_of

Row = tuple[Any, ...]


Processes = Sequence[tuple[Any, Callable[[Any], Any]]]
"""Where a value stands that does not go in or come out as it is, and what makes of it what does."""


class _Compiled(NamedTuple):
    text: str
    defaults: Mapping[str, Any]
    pick: Callable[[Mapping[str, Any]], Any]
    """The values as the driver takes them: in the statement's order, or by their names."""
    mutable: Callable[[Any], Any]
    binds: Processes
    results: Processes
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
        driver = getattr(session, "alone", None) or driver_of(session)
        compiled = self._compiled.get(type(driver)) or self._compile(type(driver), session.get_bind().dialect)
        values = compiled.pick({**compiled.defaults, **parameters} if compiled.defaults else parameters)
        if compiled.binds:
            values = compiled.mutable(values)
            for place, process in compiled.binds:
                values[place] = process(values[place])
        if self._fills:
            become_writer(driver)
        try:
            return driver.execute(compiled.text, values), compiled
        except compiled.refusal as error:
            raise _said(compiled, error) from error

    def _compile(self, kind: type, dialect: Dialect) -> _Compiled:
        statement: Any = self._statement(dialect.name) if callable(self._statement) else self._statement
        made = statement.compile(dialect=dialect, column_keys=self._fills or None)
        names = list(made.positiontup if made.positional else made.binds)
        ways_in = [made.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
        columns = list(statement.exported_columns)
        ways_out = [each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns]
        compiled = _Compiled(
            str(made),
            {name: bind.value for name, bind in made.binds.items() if not bind.required},
            _picker(names) if made.positional else dict,
            list if made.positional else dict,
            _needed(range(len(names)) if made.positional else names, ways_in),
            _needed(range(len(columns)), ways_out),
            dialect.loaded_dbapi.Error,
        )
        self._compiled[kind] = compiled
        return compiled


def _said(compiled: _Compiled, error: Exception) -> BaseException:
    return DBAPIError.instance(compiled.text, None, error, compiled.refusal, hide_parameters=True)


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: [given[name] for name in names]  # of one, itemgetter makes no sequence


def _needed(places: Iterable[Any], processes: Iterable[Callable[[Any], Any] | None]) -> Processes:
    return tuple((place, process) for place, process in zip(places, processes, strict=True) if process is not None)


def _read(found: list[Row], results: Processes) -> list[Row]:
    rows = []
    for row in found:
        values = list(row)
        for place, process in results:
            values[place] = process(values[place])
        rows.append(tuple(values))
    return rows
