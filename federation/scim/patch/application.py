"""Applying the operations of a PatchOp to a document."""

from __future__ import annotations

import copy
from typing import Any

from federation.scim import codec
from federation.scim.codec import Document
from federation.scim.errors import invalid_path, invalid_value, mutability, no_target
from federation.scim.filters import And, Comparison, Filter, evaluate
from federation.scim.patch.reading import Operation, Patch
from federation.scim.schema import MAX_VALUES, Place


def apply(patch: Patch, document: Document) -> Document:
    """The document after all operations, each on the result of the one before. `document` itself stays as it is.

    Raises `ScimError`; then nothing has happened.
    """
    changed = copy.deepcopy(document)
    for operation in patch.operations:
        _apply(operation, changed)
    return changed


def _apply(operation: Operation, document: Document) -> None:
    place = operation.path.place
    owner = document if place.urn is None else document.setdefault(place.urn, {})
    if place.attribute.multi_valued:
        _apply_to_many(operation, owner)
    else:
        _apply_to_one(operation, owner)
    if place.urn is not None and not owner:
        del document[place.urn]


def _apply_to_one(operation: Operation, owner: Document) -> None:
    place = operation.path.place
    name = place.attribute.name
    if operation.path.inner is not None:
        raise invalid_path(f"{place.path} has one value: there is nothing to filter")
    if place.sub is not None:
        entry = dict(owner.get(name) or {})
        _set_part(entry, place, operation)
        _set(owner, name, entry)
    elif operation.op == "remove":
        owner.pop(name, None)
    else:
        value = codec.read_value(place.attribute, operation.value)
        if place.attribute.type == "complex" and value is not None and isinstance(operation.value, dict):
            # Only the parts that are named are replaced; null takes one away (RFC 7644 3.5.2.3).
            value = {**(owner.get(name) or {}), **value}
            for key, each in operation.value.items():
                if each is None and (part := place.attribute.sub(key)) is not None:
                    value.pop(part.name, None)
        _set(owner, name, value)
    if place.attribute.required and name not in owner:
        raise (mutability if operation.op == "remove" else invalid_value)(f"{name} is required")


def _apply_to_many(operation: Operation, owner: Document) -> None:
    place, inner = operation.path.place, operation.path.inner
    name = place.attribute.name
    entries: list[Any] = list(owner.get(name) or ())
    if operation.op == "remove":
        entries = _removed(operation, entries)
    elif inner is not None or place.sub is not None:
        entries = _changed_where(operation, entries)
    else:
        new = codec.read_value(place.attribute, operation.value) or []
        entries = new if operation.op == "replace" else _appended(entries, new)
    if len(entries) > MAX_VALUES:
        raise invalid_value(f"{name} has more than {MAX_VALUES} values")
    _set(owner, name, entries)


def _removed(operation: Operation, entries: list[Any]) -> list[Any]:
    place, inner = operation.path.place, operation.path.inner
    if place.sub is not None:
        left = [_without_part(entry, place) if _is_meant(entry, inner) else entry for entry in entries]
        return [entry for entry in left if entry]
    if inner is not None:
        return [entry for entry in entries if not _is_meant(entry, inner)]
    if operation.value is None:
        return []
    named = codec.read_value(place.attribute, operation.value) or []
    return [entry for entry in entries if not any(_is_same(entry, each) for each in named)]


def _changed_where(operation: Operation, entries: list[Any]) -> list[Any]:
    """Change the values that the path means; where there is none, make one if the filter says what it would be."""
    place, inner = operation.path.place, operation.path.inner
    found = [entry for entry in entries if _is_meant(entry, inner)]
    if not found:
        made = _made_from(inner)
        if made is None:
            raise no_target(f"no value of {place.attribute.name} matches")
        entries, found = [*entries, made], [made]
    meant = [any(entry is each for each in found) for entry in entries]
    result = [_changed_entry(operation, entry) if hit else entry for entry, hit in zip(entries, meant, strict=True)]
    preferred = [number for number, hit in enumerate(meant) if hit and result[number].get("primary") is True]
    if preferred:
        # A value that becomes primary takes it from the others (RFC 7644 3.5.2).
        result = [_not_primary(entry) if number != preferred[-1] else entry for number, entry in enumerate(result)]
    return [entry for entry in result if entry]


def _changed_entry(operation: Operation, entry: Document) -> Document:
    place = operation.path.place
    if place.sub is not None:
        changed = dict(entry)
        _set_part(changed, place, operation)
        return changed
    value = codec.read_single(place.attribute, operation.value) or {}
    return dict(value) if operation.op == "replace" else {**entry, **value}


def _made_from(inner: Filter | None) -> Document | None:
    """The value that a filter of `eq` and `and` alone describes (Entra: `emails[type eq "work"].value`)."""
    if inner is None:
        return {}
    parts = inner.parts if isinstance(inner, And) else (inner,)
    made = {}
    for part in parts:
        if not isinstance(part, Comparison) or part.operator != "eq" or part.value is None:
            return None
        made[part.place.leaf.name] = part.value
    return made


def _appended(entries: list[Any], new: list[Any]) -> list[Any]:
    fresh = [each for each in new if each not in entries]
    if any(each.get("primary") is True for each in fresh):
        entries = [_not_primary(entry) for entry in entries]
    return [*entries, *fresh]


def _not_primary(entry: Document) -> Document:
    return {**entry, "primary": False} if entry.get("primary") else entry


def _is_meant(entry: Document, inner: Filter | None) -> bool:
    return inner is None or evaluate(inner, entry)


def _is_same(entry: Document, named: Document) -> bool:
    """Whether a value that is there is the one that was named: every part that was named is equal."""
    return all(entry.get(key) == value for key, value in named.items())


def _set_part(entry: Document, place: Place, operation: Operation) -> None:
    assert place.sub is not None
    if place.sub.read_only:
        raise mutability(f"{place.path} cannot be changed")
    value = None if operation.op == "remove" else codec.read_single(place.sub, operation.value)
    _set(entry, place.sub.name, value)


def _without_part(entry: Document, place: Place) -> Document:
    assert place.sub is not None
    return {key: value for key, value in entry.items() if key != place.sub.name}


def _set(owner: Document, name: str, value: Any) -> None:
    if value in (None, [], {}):
        owner.pop(name, None)
    else:
        owner[name] = value
