"""What a filter says of one resource, in Python: where no index answers, and for the values in a PATCH path."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, assert_never

from federation.scim.filters.tree import And, Comparison, Filter, Never, Not, Or, Present, ValuePath
from federation.scim.schema import Place


def comparison_key(text: str) -> str:
    """The form in which texts are compared whose letter case does not count (RFC 7643 2.2 caseExact, 8.7.1)."""
    return unicodedata.normalize("NFC", text).casefold()


def evaluate(found: Filter, resource: Mapping[str, Any]) -> bool:
    """Whether a resource (canonical names, times as datetimes) satisfies a filter."""
    match found:
        case Comparison():
            return _compare(found, list(_values(found.place, resource)))
        case Present():
            return any(_is_present(value) for value in _values(found.place, resource))
        case ValuePath():
            return any(evaluate(found.inner, value) for value in _entries(found.place, resource))
        case And():
            return all(evaluate(part, resource) for part in found.parts)
        case Or():
            return any(evaluate(part, resource) for part in found.parts)
        case Not():
            return not evaluate(found.part, resource)
        case Never():
            return False
        case _:
            assert_never(found)


def matches(comparison: Comparison, value: Any) -> bool:
    """Whether one value satisfies a comparison other than `ne`, by its attribute's type and caseExact."""
    expected = comparison.value
    if type(value) is not type(expected):
        return False
    if isinstance(value, str) and isinstance(expected, str) and not comparison.place.leaf.case_exact:
        value, expected = comparison_key(value), comparison_key(expected)
    return _OPERATORS[comparison.operator](value, expected)


def _compare(comparison: Comparison, values: list[Any]) -> bool:
    if comparison.value is None:
        # Null, empty and absent are the same: unassigned (RFC 7643 2.5).
        present = any(_is_present(value) for value in values)
        return present if comparison.operator == "ne" else not present
    if comparison.operator == "ne":
        # Of several values "not equal" says that none is equal, and of no value too: the contrary of eq.
        return not _compare(replace(comparison, operator="eq"), values)
    return any(matches(comparison, value) for value in values)


def _values(place: Place, resource: Mapping[str, Any]) -> Iterator[Any]:
    """Every value at a place: of a multi-valued attribute that of each entry."""
    for entry in _entries(place, resource):
        if place.sub is None:
            yield entry
        elif isinstance(entry, Mapping) and entry.get(place.sub.name) is not None:
            yield entry[place.sub.name]


def _entries(place: Place, resource: Mapping[str, Any]) -> Iterator[Any]:
    owner = resource if place.urn is None else resource.get(place.urn) or {}
    value = owner.get(place.attribute.name)
    if isinstance(value, list | tuple):
        yield from value
    elif value is not None:
        yield value


def _is_present(value: Any) -> bool:
    return value not in (None, "", [], {})


_OPERATORS: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda value, expected: bool(value == expected),
    "co": lambda value, expected: expected in value,
    "sw": lambda value, expected: value.startswith(expected),
    "ew": lambda value, expected: value.endswith(expected),
    "gt": lambda value, expected: bool(value > expected),
    "ge": lambda value, expected: bool(value >= expected),
    "lt": lambda value, expected: bool(value < expected),
    "le": lambda value, expected: bool(value <= expected),
}
