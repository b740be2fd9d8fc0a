"""Statements of the hot path: compiled once for each database, then run by its driver.

SQLAlchemy finds a statement's compiled form, its types and its events anew at each execution, which costs many times
what the database itself takes for one row. A sign-in runs seven statements that never change. They are written in
SQLAlchemy as every other, and run in the session's own transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from federation.storage.engine import Database
from federation.storage.session import driver_of

Row = tuple[Any, ...]
_Run = Callable[[Any, Mapping[str, Any]], Any]
"""A statement on one kind of connection. Takes the connection and the statement's values by name."""
_Processes = Sequence[tuple[Any, Callable[[Any], Any]]]
"""Where a value stands that is not handed on as it is, and what takes it in or out."""


class Prepared:
    """A SELECT in Core, or an INSERT with the names of the columns that it fills.

    Give a function of the database's name where the databases spell it differently.
    """

    def __init__(self, statement: Executable | Callable[[str], Executable], *, fills: Collection[str] = ()) -> None:
        self._statement: Final = statement
        self._fills: Final = list(fills)
        self._runs: dict[type, _Run] = {}

    def rows(self, session: Session, parameters: Mapping[str, Any]) -> list[Row]:
        """Run a SELECT in the session's transaction; answers its rows, each value as its column's type has it.

        Raises `sqlalchemy.exc.DBAPIError` as the session itself does.
        """
        driver = getattr(session, "alone", None) or driver_of(session)
        run = self._runs.get(type(driver)) or self._compile(type(driver), session.get_bind().dialect)
        found: list[Row] = run(driver, parameters)
        return found

    def write(self, session: Session, parameters: Mapping[str, Any]) -> int:
        """Run an INSERT in the session's transaction; answers how many rows it wrote. Raises as `rows` does."""
        driver = getattr(session, "alone", None) or driver_of(session)
        run = self._runs.get(type(driver)) or self._compile(type(driver), session.get_bind().dialect)
        written: int = run(driver, parameters)
        return written

    def _compile(self, kind: type, dialect: Dialect) -> _Run:
        statement: Any = self._statement(dialect.name) if callable(self._statement) else self._statement
        made = statement.compile(dialect=dialect, column_keys=self._fills or None)
        if self._fills:
            run = _insert(made, _values(made, dialect), issubclass(kind, Database))
        else:
            ways_out = [each.type.dialect_impl(dialect) for each in statement.exported_columns]
            results = _needed(enumerate(each.result_processor(dialect, None) for each in ways_out))
            run = _select(made, _values(made, dialect), results)
        self._runs[kind] = run
        return run


def _select(made: Any, given: Callable[[Mapping[str, Any]], Any], results: _Processes) -> _Run:
    text, refusal = str(made), made.dialect.loaded_dbapi.Error

    def run(driver: Any, parameters: Mapping[str, Any]) -> list[Row]:
        try:
            found: list[Row] = driver.execute(text, given(parameters)).fetchall()
        except refusal as error:
            raise _said(text, error, refusal) from error
        if results:
            for index, row in enumerate(found):
                values = list(row)
                for place, process in results:
                    values[place] = process(values[place])
                found[index] = tuple(values)
        return found

    return run


def _insert(made: Any, given: Callable[[Mapping[str, Any]], Any], begins_as_reader: bool) -> _Run:
    text, refusal = str(made), made.dialect.loaded_dbapi.Error

    def run(driver: Any, parameters: Mapping[str, Any]) -> int:
        values = given(parameters)
        if begins_as_reader:
            driver.become_writer()
        try:
            written: int = driver.execute(text, values).rowcount
        except refusal as error:
            raise _said(text, error, refusal) from error
        return written

    return run


def _said(text: str, error: Exception, refusal: type[Exception]) -> BaseException:
    return DBAPIError.instance(text, None, error, refusal, hide_parameters=True)


def _values(made: Any, dialect: Dialect) -> Callable[[Mapping[str, Any]], Any]:
    """Takes values by name, and answers them as the driver wants them: in the statement's order, or by name."""
    names = list(made.positiontup if made.positional else made.binds)
    ways_in = [made.binds[name].type.dialect_impl(dialect).bind_processor(dialect) for name in names]
    processes = _needed(zip(range(len(names)) if made.positional else names, ways_in, strict=True))
    own = {name: bind.value for name, bind in made.binds.items() if not bind.required}
    pick: Callable[[Mapping[str, Any]], Any] = _picker(names) if made.positional else dict
    mutable: Callable[[Any], Any] = list if made.positional else dict

    def values(parameters: Mapping[str, Any]) -> Any:
        found = mutable(pick({**own, **parameters} if own else parameters))
        for place, process in processes:
            found[place] = process(found[place])
        return found

    return values if processes or own else pick


def _picker(names: Sequence[str]) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    if len(names) == 1:
        (name,) = names
        return lambda given: (given[name],)
    return itemgetter(*names) if names else lambda _given: ()


def _needed(found: Iterable[tuple[Any, Callable[[Any], Any] | None]]) -> _Processes:
    return [(place, process) for place, process in found if process is not None]
