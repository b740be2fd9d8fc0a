"""What goes to a SCIM server and what comes back, as values: operations, results, capabilities, failures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from federation.errors import ProtocolError

MAX_RETRY_AFTER: Final = 3600
_LONGEST_DETAIL: Final = 300


class RequestFailed(ProtocolError):
    """The server refused a request as such. `retry_after` is in seconds, where the server named a time."""

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(status, detail, retry_after)
        self.status = status
        self.detail = detail
        self.retry_after = retry_after
        self.rule = f"scim.{status}"

    @property
    def denied(self) -> bool:
        """Whether the server refuses our credentials."""
        return self.status in (401, 403)

    def __str__(self) -> str:
        return f"the server answered {self.status}{': ' if self.detail else ''}{self.detail}"


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What ServiceProviderConfig announces (RFC 7643 5). What cannot be read is taken as not supported."""

    bulk_operations: int = 0
    bulk_payload: int = 0
    etag: bool = False

    @property
    def bulk(self) -> bool:
        """Whether /Bulk can be used."""
        return self.bulk_operations > 0 and self.bulk_payload > 0


@dataclass(frozen=True, slots=True)
class Operation:
    """One change to ask for. `path` is below the root; `version` is sent only to servers that know versions."""

    method: str
    path: str
    data: Mapping[str, Any] | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What became of an operation. `status` 0: the server did not say."""

    status: int
    resource_id: str | None = None
    version: str | None = None
    scim_type: str | None = None
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that a look-up found."""

    id: str
    version: str | None


class SeveralFound(ProtocolError):
    """More than one resource has the externalId that was looked for: which one is meant, nobody can tell."""

    rule = "scim.several_found"

    def __str__(self) -> str:
        return "the server has several resources with the same externalId"


def failure(status: int, headers: Mapping[str, str], body: Mapping[str, Any]) -> RequestFailed:
    """Read a response that refused a request as such."""
    detail, after = body.get("detail"), headers.get("retry-after", "")
    seconds = min(int(after), MAX_RETRY_AFTER) if after.isascii() and after.isdigit() and len(after) < 9 else None
    return RequestFailed(status, detail[:_LONGEST_DETAIL] if isinstance(detail, str) else "", seconds)


def result(line: Mapping[str, Any]) -> Result:
    """Read one line of a BulkResponse; also the forms of SCIM 1.1 and of servers that send numbers."""
    status = line.get("status")
    if isinstance(status, dict):
        status = status.get("code")
    text = str(status) if isinstance(status, str | int) and not isinstance(status, bool) else ""
    error = line.get("response")
    error = error if isinstance(error, dict) else {}
    location, version = line.get("location"), line.get("version")
    identifier = line.get("id") or (
        unquote(location.rstrip("/").rpartition("/")[2]) if isinstance(location, str) else None
    )
    detail, scim_type = error.get("detail"), error.get("scimType")
    return Result(
        int(text) if text.isascii() and text.isdigit() and len(text) == 3 else 0,
        identifier if isinstance(identifier, str) else None,
        version if isinstance(version, str) else None,
        scim_type if isinstance(scim_type, str) else None,
        detail[:_LONGEST_DETAIL] if isinstance(detail, str) else "",
    )


def found(resource: Any) -> Found:
    """Read a resource. Raises `RequestFailed` for one without an id."""
    if not isinstance(resource, dict) or not isinstance(resource.get("id"), str):
        raise RequestFailed(200, "but with a resource that has no id")
    meta = resource.get("meta")
    version = meta.get("version") if isinstance(meta, dict) else None
    return Found(resource["id"], version if isinstance(version, str) else None)


def capabilities(config: Mapping[str, Any]) -> Capabilities:
    """Read a ServiceProviderConfig, member by member: a part that cannot be read is a part not supported."""
    bulk, etag = config.get("bulk"), config.get("etag")
    if not isinstance(bulk, dict) or bulk.get("supported") is not True:
        bulk = {}
    return Capabilities(
        _natural(bulk.get("maxOperations")),
        _natural(bulk.get("maxPayloadSize")),
        isinstance(etag, dict) and etag.get("supported") is True,
    )


def _natural(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
