"""From the JSON of a PatchOp to operations on the document and changes of members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from federation.scim.codec import expect_object, field
from federation.scim.errors import ScimError, invalid_path, invalid_syntax, invalid_value, mutability, no_target
from federation.scim.filters import Comparison, Filter, PatchPath, parse_path
from federation.scim.schema import Place, ResourceType

MAX_OPERATIONS: Final = 2000
"""Operations of one PatchOp."""
_OPS: Final = ("add", "remove", "replace")
_IGNORED_KEYS: Final = ("schemas", "id", "meta")


class MemberAction(Enum):
    """What happens to the members of a group."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"
    REMOVE_MATCHING = "remove matching"


@dataclass(frozen=True, slots=True)
class MemberChange:
    """One operation on members. `ids` are resource ids; for REMOVE_MATCHING `matching` says which members instead."""

    action: MemberAction
    ids: tuple[str, ...] = ()
    matching: Filter | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation on the document. `value` is as it arrived; None with `remove` means all of the target."""

    op: str
    path: PatchPath
    value: Any


@dataclass(frozen=True, slots=True)
class Patch:
    """A PatchOp, read. Members and document do not touch each other, so the order between the two does not matter."""

    operations: tuple[Operation, ...]
    members: tuple[MemberChange, ...]


def read(data: Mapping[str, Any], kind: ResourceType) -> Patch:
    """Read a PatchOp message. Raises `ScimError`."""
    entries = field(data, "Operations")
    if not isinstance(entries, list) or not entries:
        raise invalid_syntax("Operations is missing, empty or not a list")
    if len(entries) > MAX_OPERATIONS:
        raise ScimError(413, f"a PATCH may have {MAX_OPERATIONS} operations")
    operations: list[Operation] = []
    members: list[MemberChange] = []
    for entry in entries:
        for operation in _read_operation(expect_object(entry), kind):
            if operation.path.place.attribute.edges and not operation.path.place.attribute.read_only:
                _append(members, _member_change(operation))
            else:
                operations.append(operation)
    return Patch(tuple(operations), tuple(members))


def member_ids(value: Any) -> tuple[str, ...]:
    """The ids in a list of members, each an object with `value` or the bare id. Raises `ScimError` (invalidValue)."""
    entries = value if isinstance(value, list) else [] if value is None else [value]
    ids: dict[str, None] = {}
    for entry in entries:
        each = field(entry, "value") if isinstance(entry, dict) else entry
        if not isinstance(each, str) or not each:
            raise invalid_value("a member has no value")
        ids[each] = None
    return tuple(ids)


def _read_operation(entry: Mapping[str, Any], kind: ResourceType) -> Iterator[Operation]:
    op, path, value = field(entry, "op"), field(entry, "path"), field(entry, "value")
    if not isinstance(op, str) or op.lower() not in _OPS:
        raise invalid_syntax("op is none of add, remove and replace")
    op = op.lower()
    if path in (None, ""):
        if op == "remove":
            raise no_target("remove needs a path")
        yield from _without_path(op, value, kind)
    elif not isinstance(path, str):
        raise invalid_path("path is not a text")
    else:
        yield from _with_path(op, path, value, kind)


def _with_path(op: str, path: str, value: Any, kind: ResourceType) -> Iterator[Operation]:
    extension = kind.extension(path)
    if extension is None:
        target = parse_path(path, kind)
        if target.place.leaf.read_only:
            raise mutability(f"{target.place.path} cannot be changed")
        yield Operation(op, target, value)
    elif op == "remove":
        for attribute in extension.attributes:
            yield Operation(op, PatchPath(Place(extension.urn, attribute), None), None)
    else:
        yield from _without_path(op, value, kind, prefix=f"{extension.urn}:")


def _without_path(op: str, value: Any, kind: ResourceType, *, prefix: str = "") -> Iterator[Operation]:
    """`value` is an object of attributes to add or replace; its keys may be paths. What is unknown is ignored."""
    if not isinstance(value, dict):
        raise invalid_value("without a path, the value is an object of attributes")
    for key, each in value.items():
        if not prefix and key.lower() in _IGNORED_KEYS:
            continue
        extension = None if prefix else kind.extension(key)
        if extension is not None:
            yield from _without_path(op, each, kind, prefix=f"{extension.urn}:")
            continue
        try:
            target = parse_path(prefix + key, kind)
        except ScimError:
            continue
        if not target.place.leaf.read_only:
            yield Operation(op, target, each)


def _member_change(operation: Operation) -> MemberChange:
    path = operation.path
    if path.place.sub is not None:
        raise invalid_path("members are added and removed whole: a part of one cannot be changed")
    if path.inner is not None:
        if operation.op != "remove":
            raise invalid_path("a filter on members goes with remove alone")
        if isinstance(path.inner, Comparison) and _is_id(path.inner):
            return MemberChange(MemberAction.REMOVE, (str(path.inner.value),))
        return MemberChange(MemberAction.REMOVE_MATCHING, matching=path.inner)
    if operation.op == "remove" and operation.value is None:
        return MemberChange(MemberAction.REPLACE, ())
    return MemberChange(MemberAction(operation.op), member_ids(operation.value))


def _append(changes: list[MemberChange], change: MemberChange) -> None:
    """Add a change; neighbours that do the same become one, so that fifty operations are one statement."""
    if changes and change.action in (MemberAction.ADD, MemberAction.REMOVE) and changes[-1].action is change.action:
        changes[-1] = MemberChange(change.action, tuple(dict.fromkeys(changes[-1].ids + change.ids)))
    else:
        changes.append(change)


def _is_id(comparison: Comparison) -> bool:
    return comparison.operator == "eq" and comparison.place.leaf.name == "value" and comparison.value is not None
