"""What a partner's account should hold, as attribute path to value: `{"userName": …, "name.givenName": …}`.

The paths are those of SCIM PATCH (RFC 7644 3.5.2), so that a difference is a list of operations. A value of None in a
document that the partner holds means that we do not know it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from federation.scim import urns

Document = dict[str, Any]
Released = Mapping[str, Sequence[str]]

_ENTERPRISE: Final = f"{urns.ENTERPRISE_USER}:"


def _first(values: Sequence[str]) -> Any:
    return values[0]


def _typed(values: Sequence[str]) -> Any:
    """Several values of one kind; the first is the preferred one."""
    return [{"value": value, "type": "work", "primary": number == 0} for number, value in enumerate(values)]


def _plain(values: Sequence[str]) -> Any:
    return [{"value": value} for value in values]


PATHS: Final[Mapping[str, tuple[str, Callable[[Sequence[str]], Any]]]] = {
    "username": ("userName", _first),
    "display_name": ("displayName", _first),
    "given_name": ("name.givenName", _first),
    "family_name": ("name.familyName", _first),
    "mail": ("emails", _typed),
    "telephone": ("phoneNumbers", _typed),
    "title": ("title", _first),
    "language": ("preferredLanguage", _first),
    "entitlements": ("entitlements", _plain),
    "department": (f"{_ENTERPRISE}department", _first),
    "organization": (f"{_ENTERPRISE}organization", _first),
    "employee_number": (f"{_ENTERPRISE}employeeNumber", _first),
}
"""Where each attribute of our catalogue goes in a User. What is not here has no place in SCIM and is not sent."""


def of_account(released: Released) -> Document | None:
    """The account of a person of whom this may be told; None when the identifier that links may not be told.

    SCIM demands a userName (RFC 7643 4.1.1). Where ours may not be told, it is the pairwise identifier once more.
    """
    identifier = next(iter(released.get("pairwise_id", ())), None)
    if identifier is None:
        return None
    document: Document = {"externalId": identifier, "userName": identifier, "active": True}
    for key, (path, form) in PATHS.items():
        if values := released.get(key):
            document[path] = form(values)
    return document


def of_group(group_id: str, name: str) -> Document:
    """A group. Its id here is its externalId there: names change."""
    return {"externalId": group_id, "displayName": name}


def resource(document: Document, schema: str) -> dict[str, Any]:
    """The document as a SCIM resource, for a create."""
    result: dict[str, Any] = {"schemas": [schema]}
    for path, value in document.items():
        owner = result
        if path.startswith(_ENTERPRISE):
            if urns.ENTERPRISE_USER not in result["schemas"]:
                result["schemas"].append(urns.ENTERPRISE_USER)
            owner = result.setdefault(urns.ENTERPRISE_USER, {})
        name, _, part = path.removeprefix(_ENTERPRISE).partition(".")
        if part:
            owner.setdefault(name, {})[part] = value
        else:
            owner[name] = value
    return result


def differences(before: Document, after: Document) -> list[dict[str, Any]]:
    """The PATCH operations from one document to another; what is not known of the first is said again."""
    operations: list[dict[str, Any]] = [
        {"op": "replace", "path": path, "value": value} for path, value in after.items() if before.get(path) != value
    ]
    operations += [{"op": "remove", "path": path} for path in before if path not in after]
    return operations


def doubted(document: Document, intended: Document | None) -> Document:
    """What the partner surely holds when it may hold either: where the two differ, nothing is known."""
    if intended is None:
        return document
    paths = dict.fromkeys([*document, *intended])
    return {path: document[path] if document.get(path) == intended.get(path) else None for path in paths}
