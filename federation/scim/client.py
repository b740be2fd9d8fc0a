"""What a provisioning client needs of a SCIM server: its capabilities, a look-up, and operations, in bulk where it can.

It sends through any `Sender`; that one's own exceptions pass through unchanged. A request that failed as a whole raises
`RequestFailed`; an operation that failed is a `Result`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from federation.scim import codec, urns
from federation.scim.errors import ScimError
from federation.scim.exchange import MEDIA_TYPE
from federation.scim.results import (
    Capabilities,
    Found,
    Operation,
    RequestFailed,
    Result,
    SeveralFound,
    capabilities,
    failure,
    found,
    result,
)


class Received(Protocol):
    """A response. Header names are in lower case."""

    @property
    def status(self) -> int: ...
    @property
    def headers(self) -> Mapping[str, str]: ...
    @property
    def content(self) -> bytes: ...


class Sender(Protocol):
    """Sends one request and answers its response, whatever the status."""

    def request(
        self, method: str, url: str, *, headers: Mapping[str, str] | None = None, content: bytes | None = None
    ) -> Received: ...


class Client:
    """One SCIM server. `base_url` is its root, without a slash at the end; `token` answers the bearer token to use."""

    def __init__(self, sender: Sender, *, base_url: str, token: str | Callable[[], str]) -> None:
        self._sender = sender
        self._base_url = base_url
        self._token = token if callable(token) else lambda: token
        self._capabilities: Capabilities | None = None

    @property
    def capabilities(self) -> Capabilities:
        """What the server can do, asked for once. Raises `RequestFailed`."""
        if self._capabilities is None:
            self._capabilities = self._ask()
        return self._capabilities

    def find(self, endpoint: str, external_id: str) -> Found | None:
        """The resource with an externalId at `/Users` or `/Groups`. Raises `RequestFailed`, `SeveralFound`."""
        text = codec.dump(external_id).decode()
        query = urlencode({"filter": f"externalId eq {text}", "attributes": "id,meta.version"}, quote_via=quote)
        answer = self._expect_object(self._send("GET", f"{endpoint}?{query}"))
        resources = codec.field(answer, "Resources") or []
        if not isinstance(resources, list) or len(resources) > 1:
            raise SeveralFound
        return found(resources[0]) if resources else None

    def read(self, path: str) -> Found | None:
        """The resource at a path, or None. Raises `RequestFailed`."""
        response = self._send("GET", f"{path}?attributes=id,meta.version", allowed=(404,))
        return None if response.status == 404 else found(self._expect_object(response))

    def perform(self, operations: Sequence[Operation], *, key: str) -> Iterator[tuple[Operation, Result]]:
        """Do the operations, in bulk where the server can; each result comes as soon as it is known.

        `key` names this attempt: a server that knows Idempotency-Key does nothing twice for it. Raises `RequestFailed`
        when a request fails as such; what came before it has been done.
        """
        if not self.capabilities.bulk:
            for operation in operations:
                yield operation, self._perform_one(operation)
            return
        for number, batch in enumerate(self._batches(operations)):
            yield from self._perform_in_parts(batch, key=f"{key}.{number}")

    # -- sending ------------------------------------------------------------------------------------------------------

    def _ask(self) -> Capabilities:
        response = self._send("GET", "/ServiceProviderConfig", allowed=(404, 501))
        if response.status != 200:
            return Capabilities()
        return capabilities(self._expect_object(response))

    def _batches(self, operations: Sequence[Operation]) -> Iterator[list[tuple[Operation, dict[str, Any]]]]:
        """The operations in requests that the server's limits allow."""
        batch: list[tuple[Operation, dict[str, Any]]] = []
        size = envelope = 200
        for number, operation in enumerate(operations):
            entry = self._entry(operation, number)
            length = len(codec.dump(entry)) + 1
            full = len(batch) >= self.capabilities.bulk_operations or size + length > self.capabilities.bulk_payload
            if batch and full:
                yield batch
                batch, size = [], envelope
            batch.append((operation, entry))
            size += length
        if batch:
            yield batch

    def _entry(self, operation: Operation, number: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"method": operation.method, "path": operation.path, "bulkId": str(number)}
        if operation.version is not None and self.capabilities.etag:
            entry["version"] = operation.version
        if operation.data is not None:
            entry["data"] = operation.data
        return entry

    def _perform_in_parts(
        self, batch: Sequence[tuple[Operation, dict[str, Any]]], *, key: str
    ) -> Iterator[tuple[Operation, Result]]:
        """One bulk request, or two of half the size when the server takes less than it announces (413)."""
        try:
            results = list(self._perform_many(batch, key=key))
        except RequestFailed as error:
            if error.status != 413:
                raise
            if len(batch) == 1:
                yield batch[0][0], Result(413, detail=error.detail)
                return
            middle = len(batch) // 2
            yield from self._perform_in_parts(batch[:middle], key=f"{key}.0")
            yield from self._perform_in_parts(batch[middle:], key=f"{key}.1")
        else:
            yield from results

    def _perform_many(
        self, batch: Sequence[tuple[Operation, dict[str, Any]]], *, key: str
    ) -> Iterator[tuple[Operation, Result]]:
        message = {"schemas": [urns.BULK_REQUEST], "Operations": [entry for _, entry in batch]}
        answer = self._expect_object(self._send("POST", "/Bulk", message, headers={"Idempotency-Key": key}))
        lines = codec.field(answer, "Operations")
        lines = [line for line in lines if isinstance(line, dict)] if isinstance(lines, list) else []
        by_id = {str(line["bulkId"]): line for line in lines if "bulkId" in line}
        in_order = len(lines) == len(batch)
        for number, (operation, entry) in enumerate(batch):
            # bulkId has to come back for a POST alone (RFC 7644 3.7), so a complete answer is also read by its order.
            line = by_id.get(entry["bulkId"]) or (lines[number] if in_order and "bulkId" not in lines[number] else {})
            yield operation, result(line)

    def _perform_one(self, operation: Operation) -> Result:
        headers = {"If-Match": operation.version} if operation.version and self.capabilities.etag else {}
        response = self._send(
            operation.method, operation.path, operation.data, headers=headers, allowed=range(400, 500)
        )
        location = response.headers.get("location")
        line: dict[str, Any] = {
            "status": response.status,
            "location": location,
            "version": response.headers.get("etag"),
        }
        if response.status >= 400:
            if response.status in (401, 403, 429):
                raise self._failure(response)
            line["response"] = _object_or_nothing(response)
        elif location is None:
            line["id"] = _object_or_nothing(response).get("id")
        return result(line)

    def _send(
        self,
        method: str,
        path: str,
        data: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        allowed: Sequence[int] | range = (),
    ) -> Received:
        """One request. A status of 2xx or one of `allowed` is an answer; any other raises `RequestFailed`."""
        named = {
            "Authorization": f"Bearer {self._token()}",
            "Accept": f"{MEDIA_TYPE}, application/json",
            **(headers or {}),
        }
        if data is not None:
            named["Content-Type"] = MEDIA_TYPE
        content = None if data is None else codec.dump(data)
        response = self._sender.request(method, self._base_url + path, headers=named, content=content)
        if 200 <= response.status < 300 or response.status in allowed:
            return response
        raise self._failure(response)

    def _expect_object(self, response: Received) -> Mapping[str, Any]:
        try:
            return codec.load_object(response.content)
        except ScimError:
            raise RequestFailed(response.status, "but with no JSON object") from None

    def _failure(self, response: Received) -> RequestFailed:
        return failure(response.status, response.headers, _object_or_nothing(response))


def _object_or_nothing(response: Received) -> Mapping[str, Any]:
    try:
        return codec.load_object(response.content)
    except ScimError:
        return {}
