"""From a filter to SQL: parameterised, over the columns that have an index and nothing else.

What SQL cannot answer exactly it narrows: the condition then holds for every match and maybe for more, and the caller
evaluates the filter on what is left. Null never reaches the result, so that `not` means what it means in a filter.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, not_, or_, true

from federation.scim.filters import And, Comparison, Filter, Never, Not, Or, Present, ValuePath, comparison_key
from federation.scim.schema import Place

Exists = Callable[[ColumnElement[bool]], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Column:
    """Where the values of a path are. `exists` wraps a condition on a row of another table; `key` folds letter case."""

    column: Any
    key: bool = False
    exists: Exists | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL for a filter. Not `exact`: it holds for every match and maybe for more."""

    sql: ColumnElement[bool]
    exact: bool


_NARROWS_NOTHING = Condition(true(), exact=False)


def condition_of(found: Filter, columns: Mapping[str, Column], *, within: str = "") -> Condition:
    """Compile a filter. `columns` are by canonical path; `within` is the attribute whose brackets this is inside of."""
    match found:
        case And() | Or():
            parts = [condition_of(part, columns, within=within) for part in found.parts]
            # Inside brackets one and the same value has to satisfy all parts, which separate EXISTS do not say.
            exact = all(part.exact for part in parts) and not (within and isinstance(found, And))
            combine = and_ if isinstance(found, And) else or_
            return Condition(combine(*(part.sql for part in parts)), exact)
        case Not():
            part = condition_of(found.part, columns, within=within)
            return Condition(not_(part.sql), exact=True) if part.exact and not within else _NARROWS_NOTHING
        case ValuePath():
            return condition_of(found.inner, columns, within=found.place.path)
        case Comparison():
            return _comparison(found, columns.get(_path(found.place, within)), within=within)
        case Present():
            return _NARROWS_NOTHING if within else _present(columns.get(found.place.path))
        case Never():
            return Condition(false(), exact=True)


def _comparison(comparison: Comparison, where: Column | None, *, within: str) -> Condition:
    if where is None or comparison.value is None or (within and comparison.operator == "ne"):
        return _NARROWS_NOTHING
    column, value, operator = where.column, comparison.value, comparison.operator
    if isinstance(value, str) and where.key:
        value = comparison_key(value)
    condition: ColumnElement[bool]
    match operator:
        case "eq" | "ne":
            condition = column == value
        case "sw" if isinstance(value, str):
            condition = func.substr(column, 1, len(value)) == value
        case "co" | "ew" if isinstance(value, str):
            # LIKE ignores letter case on SQLite: exact where it does not count anyway.
            found = (
                column.contains(value, autoescape=True) if operator == "co" else column.endswith(value, autoescape=True)
            )
            return Condition(_in(where, and_(column.is_not(None), found)), exact=where.key)
        case "gt" | "ge" | "lt" | "le" if isinstance(value, datetime):
            condition = {"gt": column > value, "ge": column >= value, "lt": column < value, "le": column <= value}[
                operator
            ]
        case _:
            # Each database sorts texts its own way, and none as Unicode does.
            return _NARROWS_NOTHING
    condition = _in(where, and_(column.is_not(None), condition))
    return Condition(not_(condition) if operator == "ne" else condition, exact=True)


def _path(place: Place, within: str) -> str:
    return f"{within}.{place.path}" if within else place.path


def _present(where: Column | None) -> Condition:
    if where is None:
        return _NARROWS_NOTHING
    return Condition(_in(where, where.column.is_not(None)), exact=True)


def _in(where: Column, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return condition if where.exists is None else where.exists(condition)
