"""A request to the server engine, the outcome of an operation, and the response that it becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from federation.scim import codec
from federation.scim.errors import ScimError

MEDIA_TYPE: Final = "application/scim+json"


@dataclass(frozen=True, slots=True)
class Request:
    """A request below the SCIM root. `path` is decoded, as WSGI has it; header names are in lower case."""

    method: str
    path: str
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Response:
    """What to answer. An empty body has no media type."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """One operation done: what a response says, or a line of a bulk response. `document` None means no body."""

    status: int
    document: Any = None
    location: str | None = None
    version: str | None = None
    resource_id: str | None = None


def respond(outcome: Outcome) -> Response:
    """The response to one operation."""
    headers = {}
    if outcome.location is not None:
        headers["Location"] = outcome.location
    if outcome.version is not None:
        headers["ETag"] = outcome.version
    if outcome.document is None:
        return Response(outcome.status, headers, b"")
    return Response(outcome.status, {"Content-Type": MEDIA_TYPE, **headers}, codec.dump(outcome.document))


def problem(error: ScimError, **headers: str) -> Response:
    """The response to a request that failed (RFC 7644 3.12)."""
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allowed)
    return Response(error.status, {"Content-Type": MEDIA_TYPE, **headers}, codec.dump(error.as_json()))


class MethodNotAllowed(ScimError):
    """405: the path exists, and does not work that way. `allowed` are the methods that do."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(405, "this address does not work that way")
        self.allowed = tuple(allowed)


def allow(method: str, *allowed: str) -> None:
    """Raise `MethodNotAllowed` unless the method is one of those."""
    if method not in allowed:
        raise MethodNotAllowed(allowed)
