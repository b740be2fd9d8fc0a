"""From a record to the resource that a client sees."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from federation.scim import codec
from federation.scim.catalogue import RESOURCE_TYPES
from federation.scim.codec import Document
from federation.scim.schema import ResourceType
from federation.scim.store import Record


class Renderer:
    """Renders resources under one base URL."""

    def __init__(self, base_url: str) -> None:
        self._base_url = base_url

    def render(self, kind: ResourceType, record: Record) -> Document:
        """The whole resource, with `schemas`, `id` and `meta` (RFC 7643 3)."""
        edges = {
            name: [self._with_reference(kind, name, row) for row in rows] for name, rows in record.edges.items() if rows
        }
        return {
            "schemas": codec.schemas_of(record.document, kind),
            "id": record.id,
            **record.document,
            **edges,
            "meta": {
                "resourceType": kind.name,
                "created": _timestamp(record.created),
                "lastModified": _timestamp(record.modified),
                "location": self.location(kind, record.id),
                "version": etag(record),
            },
        }

    def _with_reference(self, kind: ResourceType, name: str, row: Mapping[str, Any]) -> Document:
        place = kind.find(f"{name}.$ref")
        assert place is not None, "an attribute whose values are rows refers to resources"
        target = next(each for each in RESOURCE_TYPES if each.name in place.leaf.reference_types)
        return {**row, "$ref": self.location(target, str(row["value"]))}

    def location(self, kind: ResourceType, resource_id: str) -> str:
        """The resource's address."""
        return f"{self._base_url}{kind.endpoint}/{quote(resource_id, safe='')}"


def etag(record: Record) -> str:
    """The version as an entity tag (RFC 7644 3.14)."""
    return f'W/"{record.version}"'


def names_version(header: str | None, record: Record) -> bool:
    """Whether If-Match or If-None-Match names the version that the resource has; compared weakly (RFC 9110 8.8.3.2)."""
    if not header:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in header.split(",")}
    return "*" in tags or f'"{record.version}"' in tags


def _timestamp(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
