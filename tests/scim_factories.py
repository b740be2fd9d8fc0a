"""SCIM for tests: a client of a service provider's site, and the documents it sends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from webtest import TestResponse

from federation.scim import urns
from sp_app.services import connections, scim_tokens
from tests.sp_factories import ALICE, FakeIdP, Site

MEDIA_TYPE = "application/scim+json"


def user(identifier: str | None = ALICE, user_name: str = "alice", **more: Any) -> dict[str, Any]:
    """A User as an identity provider creates one; `department` goes into the enterprise extension."""
    department = more.pop("department", None)
    document: dict[str, Any] = {"schemas": [urns.USER], "userName": user_name, **more}
    if identifier is not None:
        document["externalId"] = identifier
    if department is not None:
        document["schemas"].append(urns.ENTERPRISE_USER)
        document[urns.ENTERPRISE_USER] = {"department": department}
    return document


def group(name: str, *members: str, **more: Any) -> dict[str, Any]:
    """A Group with members by id."""
    return {
        "schemas": [urns.GROUP],
        "displayName": name,
        "members": [{"value": member} for member in members],
        **more,
    }


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    """A PatchOp message."""
    return {"schemas": [urns.PATCH_OP], "Operations": list(operations)}


def op(kind: str, path: str | None = None, **value: Any) -> dict[str, Any]:
    """One operation of a PatchOp: `op("replace", "active", value=False)`."""
    return {"op": kind, **({} if path is None else {"path": path}), **value}


def bulk(*operations: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A BulkRequest message."""
    return {"schemas": [urns.BULK_REQUEST], "Operations": list(operations), **more}


@dataclass
class ScimClient:
    """A client with a bearer token, below /scim/v2 of a site. Every status is answered, none is an exception."""

    site: Site
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, data: Any = None, **headers: str) -> TestResponse:
        """One request; `data` goes as JSON unless it is bytes."""
        named = {"Authorization": f"Bearer {self.token}", **self.headers}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        body = data if isinstance(data, bytes) else b"" if data is None else json.dumps(data).encode()
        if data is not None:
            named.setdefault("Content-Type", MEDIA_TYPE)
        return self.site.browser().request(
            f"/scim/v2{path}", method=method, body=body, headers=named, expect_errors=True
        )

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def post(self, path: str, data: Any, **headers: str) -> TestResponse:
        return self.send("POST", path, data, **headers)

    def put(self, path: str, data: Any, **headers: str) -> TestResponse:
        return self.send("PUT", path, data, **headers)

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> TestResponse:
        return self.send("PATCH", path, patch(*operations), **headers)

    def delete(self, path: str, **headers: str) -> TestResponse:
        return self.send("DELETE", path, **headers)

    def bulk(self, *operations: dict[str, Any], **headers: str) -> TestResponse:
        return self.send("POST", "/Bulk", bulk(*operations), **headers)

    def create(self, document: dict[str, Any] | None = None) -> dict[str, Any]:
        """Create a user (Alice) or a group; answers the resource."""
        document = user() if document is None else document
        path = "/Groups" if urns.GROUP in document["schemas"] else "/Users"
        response = self.post(path, document)
        assert response.status_int == 201, response.text
        created: dict[str, Any] = response.json
        return created

    def members(self, group_id: str) -> set[str]:
        """Who is in a group."""
        return {member["value"] for member in self.get(f"/Groups/{group_id}").json.get("members", ())}


def scim_client(site: Site, idp: FakeIdP | None = None) -> ScimClient:
    """A client with a new token for the connection to an identity provider."""
    with site.unit_of_work() as session:
        connection = connections.by_entity_id(session, (idp or site.idp).entity_id)
        assert connection is not None
        token = scim_tokens.create(session, connection, name="a test", now=site.clock())
    return ScimClient(site, token)
