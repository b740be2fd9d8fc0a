"""What the server says about itself (RFC 7644 4): true to what is implemented, from the same values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from federation.scim import urns
from federation.scim.catalogue import RESOURCE_TYPES, SCHEMAS
from federation.scim.errors import ScimError
from federation.scim.limits import Limits


def answer(path: str, *, base_url: str, limits: Limits) -> dict[str, Any] | None:
    """The document at a discovery path, or None where the path is none. Raises `ScimError` (404)."""
    root, _, name = path[1:].partition("/")
    if root == "ServiceProviderConfig" and not name:
        return service_provider_config(base_url, limits)
    if root == "ResourceTypes":
        return _entry(_resource_types(base_url), name)
    if root == "Schemas":
        return _entry(_schemas(base_url), name)
    return None


def service_provider_config(base_url: str, limits: Limits) -> dict[str, Any]:
    """The features that the server has (RFC 7643 5)."""
    return {
        "schemas": [urns.SERVICE_PROVIDER_CONFIG],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": limits.bulk_operations,
            "maxPayloadSize": limits.payload,
        },
        "filter": {"supported": True, "maxResults": limits.page},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token that an administrator of this site made, in the Authorization header.",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": f"{base_url}/ServiceProviderConfig"},
    }


def list_response(resources: Sequence[Any], *, total: int, start: int) -> dict[str, Any]:
    """A ListResponse (RFC 7644 3.4.2)."""
    return {
        "schemas": [urns.LIST_RESPONSE],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(resources),
        "Resources": list(resources),
    }


def _resource_types(base_url: str) -> dict[str, dict[str, Any]]:
    return {
        kind.name: {
            "schemas": [urns.RESOURCE_TYPE],
            "id": kind.name,
            "name": kind.name,
            "endpoint": kind.endpoint,
            "description": kind.description,
            "schema": kind.schema.urn,
            "schemaExtensions": [{"schema": extension.urn, "required": False} for extension in kind.extensions],
            "meta": {"resourceType": "ResourceType", "location": f"{base_url}/ResourceTypes/{kind.name}"},
        }
        for kind in RESOURCE_TYPES
    }


def _schemas(base_url: str) -> dict[str, dict[str, Any]]:
    return {
        schema.urn: schema.as_json()
        | {"meta": {"resourceType": "Schema", "location": f"{base_url}/Schemas/{schema.urn}"}}
        for schema in SCHEMAS
    }


def _entry(entries: dict[str, dict[str, Any]], name: str) -> dict[str, Any]:
    if not name:
        return list_response(list(entries.values()), total=len(entries), start=1)
    found = next((entry for key, entry in entries.items() if key.lower() == name.lower()), None)
    if found is None:
        raise ScimError(404, "there is no such document")
    return found
