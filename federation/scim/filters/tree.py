"""What a filter says, as a tree of frozen values. Every name in it is resolved to its attribute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from federation.scim.schema import Place

Literal: TypeAlias = str | bool | int | float | datetime | None

OPERATORS = ("eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le")


@dataclass(frozen=True, slots=True)
class Comparison:
    """`place operator value`. The operator is in lower case and fits the attribute's type; a dateTime is an instant."""

    place: Place
    operator: str
    value: Literal


@dataclass(frozen=True, slots=True)
class Present:
    """`place pr`: it has a value that is not empty."""

    place: Place


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`place[inner]`: one and the same value satisfies `inner`, whose places are parts of that value."""

    place: Place
    inner: Filter


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """At least one of them."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Not so."""

    part: Filter


@dataclass(frozen=True, slots=True)
class Never:
    """Matches nothing: an attribute that this type does not have, in a search over all types (3.4.2.1)."""


Filter: TypeAlias = Comparison | Present | ValuePath | And | Or | Not | Never
