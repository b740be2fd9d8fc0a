"""Bulk (RFC 7644 3.7): many operations in one request, each of them whole or not at all, the request as such not.

A `bulkId:…` reference may point forward: an operation waits until the one that it names has been done. References in a
circle are refused with 409.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import unquote

from federation.scim import urns
from federation.scim.codec import expect_object, field
from federation.scim.errors import ScimError, invalid_syntax, invalid_value
from federation.scim.limits import Limits

_PREFIX: Final = "bulkId:"
_METHODS: Final = ("POST", "PUT", "PATCH", "DELETE")
_MAX_DEPTH: Final = 32


class Done(Protocol):
    """What is read of an operation's outcome."""

    @property
    def status(self) -> int: ...
    @property
    def location(self) -> str | None: ...
    @property
    def version(self) -> str | None: ...
    @property
    def resource_id(self) -> str | None: ...


class Perform(Protocol):
    """Does one operation. Raises `ScimError`."""

    def __call__(
        self, method: str, path: str, data: Mapping[str, Any] | None, *, conditions: Mapping[str, str | None]
    ) -> Done: ...


@dataclass(frozen=True, slots=True)
class _Operation:
    number: int
    method: str
    path: str
    bulk_id: str | None
    version: str | None
    data: Any

    @property
    def references(self) -> frozenset[str]:
        """The bulkIds that have to be known before this operation can be done."""
        found = set(_references(self.data))
        found.update(part.removeprefix(_PREFIX) for part in self.path.split("/") if part.startswith(_PREFIX))
        return frozenset(found)


def run(message: Mapping[str, Any], perform: Perform, *, limits: Limits) -> dict[str, Any]:
    """Do the operations of a BulkRequest; answer the BulkResponse. Raises `ScimError` for the request as such."""
    entries = field(message, "Operations")
    if not isinstance(entries, list):
        raise invalid_syntax("Operations is missing or not a list")
    if len(entries) > limits.bulk_operations:
        raise ScimError(413, f"a bulk request may have {limits.bulk_operations} operations")
    fail_on_errors = field(message, "failOnErrors")
    if fail_on_errors is not None and (isinstance(fail_on_errors, bool) or not isinstance(fail_on_errors, int)):
        raise invalid_value("failOnErrors is not a whole number")
    operations = [_read(number, expect_object(entry)) for number, entry in enumerate(entries)]
    results, errors = {}, 0
    ids: dict[str, str | None] = {}
    for operation, circular in _in_order(operations):
        result, resource_id = _do(operation, perform, ids, circular=circular)
        results[operation.number] = result
        if operation.bulk_id is not None and operation.method == "POST":
            ids[operation.bulk_id] = resource_id
        errors += int(result["status"]) >= 400
        if fail_on_errors and errors >= fail_on_errors:
            break
    return {"schemas": [urns.BULK_RESPONSE], "Operations": [results[number] for number in sorted(results)]}


def _read(number: int, entry: Mapping[str, Any]) -> _Operation:
    method, path, bulk_id, version = (field(entry, name) for name in ("method", "path", "bulkId", "version"))
    for name, value in (("method", method), ("path", path)):
        if not isinstance(value, str):
            raise invalid_syntax(f"operation {number + 1} has no {name}")
    for name, value in (("bulkId", bulk_id), ("version", version)):
        if value is not None and not isinstance(value, str):
            raise invalid_syntax(f"{name} of operation {number + 1} is not a text")
    return _Operation(number, method.upper(), path, bulk_id, version, field(entry, "data"))


def _in_order(operations: list[_Operation]) -> Iterator[tuple[_Operation, bool]]:
    """The operations as given, except that one which refers to a later one comes after it; then those in a circle."""
    made = {operation.bulk_id for operation in operations if operation.bulk_id and operation.method == "POST"}
    missing = {operation.number: set(operation.references & made) for operation in operations}
    waiting: dict[str, list[_Operation]] = defaultdict(list)
    for operation in operations:
        for bulk_id in missing[operation.number]:
            waiting[bulk_id].append(operation)
    ready = [operation.number for operation in operations if not missing[operation.number]]
    while ready:
        operation = operations[heapq.heappop(ready)]
        yield operation, False
        if operation.bulk_id is None or operation.method != "POST":
            continue
        for follower in waiting.pop(operation.bulk_id, ()):
            missing[follower.number].discard(operation.bulk_id)
            if not missing[follower.number]:
                heapq.heappush(ready, follower.number)
    yield from ((operation, True) for operation in operations if missing[operation.number])


def _do(
    operation: _Operation, perform: Perform, ids: Mapping[str, str | None], *, circular: bool
) -> tuple[dict[str, Any], str | None]:
    """One line of the response, and the id of the resource."""
    line: dict[str, Any] = {"method": operation.method}
    if operation.bulk_id is not None:
        line["bulkId"] = operation.bulk_id
    try:
        done = _perform(operation, perform, ids, circular=circular)
    except ScimError as error:
        return line | {"status": str(error.status), "response": error.as_json()}, None
    line["status"] = str(done.status)
    if done.location is not None:
        line["location"] = done.location
    if done.version is not None:
        line["version"] = done.version
    return line, done.resource_id


def _perform(operation: _Operation, perform: Perform, ids: Mapping[str, str | None], *, circular: bool) -> Done:
    if circular:
        raise ScimError(409, "the operations refer to each other in a circle")
    if operation.method not in _METHODS:
        raise invalid_syntax("method is none of POST, PUT, PATCH and DELETE")
    if operation.method == "POST" and not operation.bulk_id:
        raise invalid_syntax("a POST in a bulk needs a bulkId")
    if not operation.path.startswith("/"):
        raise invalid_value("path has to begin with a slash")
    path = "/".join(unquote(str(_resolved(part, ids))) for part in operation.path.split("/"))
    data = None if operation.method == "DELETE" else expect_object(_resolved(operation.data, ids))
    return perform(operation.method, path, data, conditions={"if-match": operation.version})


def _references(value: Any, depth: int = 0) -> Iterator[str]:
    if depth > _MAX_DEPTH:
        raise invalid_syntax(f"data is nested deeper than {_MAX_DEPTH}")
    if isinstance(value, str) and value.startswith(_PREFIX):
        yield value.removeprefix(_PREFIX)
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _references(each, depth + 1)


def _resolved(value: Any, ids: Mapping[str, str | None]) -> Any:
    """The value with each reference replaced by the id of the resource that it names."""
    if isinstance(value, str) and value.startswith(_PREFIX):
        resource_id = ids.get(value.removeprefix(_PREFIX))
        if resource_id is None:
            raise ScimError(409, "a bulkId names no resource that was created in this request")
        return resource_id
    if isinstance(value, dict):
        return {key: _resolved(each, ids) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, ids) for each in value]
    return value
