"""The one error of this package: what a SCIM error response says (RFC 7644 3.12)."""

from __future__ import annotations

from typing import Any

from federation.errors import ProtocolError
from federation.scim import urns


class ScimError(ProtocolError):
    """A request that is answered with an error. `detail` is for people and never echoes more than names.

    `scim_type` is the detail error keyword of RFC 7644 table 9, where one fits.
    """

    def __init__(self, status: int, detail: str, scim_type: str | None = None) -> None:
        super().__init__(status, detail, scim_type)
        self.status = status
        self.detail = detail
        self.scim_type = scim_type
        self.rule = f"scim.{scim_type or status}"

    def __str__(self) -> str:
        return self.detail

    def as_json(self) -> dict[str, Any]:
        """The body of the response; `status` is a string there."""
        kind = {"scimType": self.scim_type} if self.scim_type else {}
        return {"schemas": [urns.ERROR], "status": str(self.status), **kind, "detail": self.detail}


def invalid_filter(detail: str) -> ScimError:
    """400: the filter cannot be read, or asks for what cannot be compared."""
    return ScimError(400, detail, "invalidFilter")


def invalid_path(detail: str) -> ScimError:
    """400: the path of a PATCH operation names nothing that there is."""
    return ScimError(400, detail, "invalidPath")


def invalid_syntax(detail: str) -> ScimError:
    """400: the body is not what the operation takes."""
    return ScimError(400, detail, "invalidSyntax")


def invalid_value(detail: str) -> ScimError:
    """400: a value is missing, or not of the attribute's type."""
    return ScimError(400, detail, "invalidValue")


def mutability(detail: str) -> ScimError:
    """400: the attribute cannot be changed that way."""
    return ScimError(400, detail, "mutability")


def no_target(detail: str) -> ScimError:
    """400: the path matches nothing to work on."""
    return ScimError(400, detail, "noTarget")


def uniqueness(detail: str) -> ScimError:
    """409: another resource has this value."""
    return ScimError(409, detail, "uniqueness")
