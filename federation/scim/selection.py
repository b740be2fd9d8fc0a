"""Which attributes an answer shows (RFC 7644 3.9; `returned`, RFC 7643 2.2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from federation.scim.errors import invalid_value
from federation.scim.schema import Place, ResourceType

MAX_NAMES: Final = 200
_ALWAYS: Final = ("schemas", "id")


@dataclass(frozen=True, slots=True)
class Selection:
    """`included`: nothing but these and what is always shown; None means the default. `excluded`: all but these.

    Each is a set of canonical paths; an extension's URN stands for all of it.
    """

    included: frozenset[str] | None = None
    excluded: frozenset[str] = frozenset()

    def wants(self, place: Place) -> bool:
        """Whether anything at this place will be shown: what is not, need not be loaded."""
        path = place.path
        if self.included is not None:
            return any(name == path or name.startswith(f"{path}.") or name == place.urn for name in self.included)
        return path not in self.excluded and place.urn not in self.excluded

    def edges(self, kind: ResourceType) -> frozenset[str]:
        """The attributes with rows of their own that will be shown."""
        return frozenset(attribute.name for attribute in kind.edges if self.wants(Place(None, attribute)))

    def apply(self, resource: Mapping[str, Any], kind: ResourceType) -> dict[str, Any]:
        """The part of a rendered resource that is shown."""
        if self.included is None and not self.excluded:
            return dict(resource)
        shown: dict[str, Any] = {}
        for key, value in resource.items():
            if key in _ALWAYS:
                shown[key] = value
            elif kind.extension(key) is not None:
                inner = value if self._names(key) else self._object(value, f"{key}:")
                if inner and key not in self.excluded:
                    shown[key] = inner
            elif (part := self._value(key, value)) is not None:
                shown[key] = part
        return shown

    def _names(self, path: str) -> bool:
        return self.included is not None and path in self.included

    def _object(self, values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
        parts = {key: self._value(prefix + key, value) for key, value in values.items()}
        return {key: part for key, part in parts.items() if part is not None}

    def _value(self, path: str, value: Any) -> Any:
        """What is left of one attribute's value, or None."""
        if self.included is None:
            if path in self.excluded:
                return None
            parts = {name.rpartition(".")[2] for name in self.excluded if name.startswith(f"{path}.")}
            return _without(value, parts) if parts else value
        if path in self.included:
            return value
        parts = {name.rpartition(".")[2] for name in self.included if name.startswith(f"{path}.")}
        return _only(value, parts) if parts else None


def read(attributes: str | Iterable[str] | None, excluded: str | Iterable[str] | None, kind: ResourceType) -> Selection:
    """Read the two parameters: comma-separated texts of a URL, or lists of a search request.

    A name that the type does not have selects nothing. Raises `ScimError` (invalidValue) when both are given.
    """
    if attributes and excluded:
        raise invalid_value("attributes and excludedAttributes exclude each other")
    if attributes:
        return Selection(included=frozenset(_paths(attributes, kind)))
    return Selection(excluded=frozenset(_paths(excluded or (), kind)) - frozenset(_ALWAYS))


def _paths(names: str | Iterable[str], kind: ResourceType) -> Iterable[str]:
    parts = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    if len(parts) > MAX_NAMES:
        raise invalid_value(f"more than {MAX_NAMES} attributes are named")
    for name in parts:
        extension, place = kind.extension(name), kind.find(name)
        if extension is not None:
            yield extension.urn
        elif place is not None:
            yield place.path


def _only(value: Any, parts: set[str]) -> Any:
    if isinstance(value, list):
        return [kept for entry in value if (kept := _only(entry, parts))] or None
    return {key: each for key, each in value.items() if key in parts} or None


def _without(value: Any, parts: set[str]) -> Any:
    if isinstance(value, list):
        return [kept for entry in value if (kept := _without(entry, parts))] or None
    return {key: each for key, each in value.items() if key not in parts} or None
