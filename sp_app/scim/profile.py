"""From a SCIM User to the profile that the account store keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from federation.scim import urns
from sp_app.accounts import Profile


def profile_of(document: Mapping[str, Any]) -> Profile:
    """The profile that a User document tells; what it does not tell is None."""
    name = document.get("name") or {}
    return Profile(
        username=document["userName"],
        display_name=document.get("displayName") or name.get("formatted"),
        given_name=name.get("givenName"),
        family_name=name.get("familyName"),
        mail=_preferred(document.get("emails") or ()),
        department=(document.get(urns.ENTERPRISE_USER) or {}).get("department"),
    )


def _preferred(values: Sequence[Mapping[str, Any]]) -> str | None:
    """The primary value, or else the first."""
    given = [each for each in values if each.get("value")]
    chosen = next((each for each in given if each.get("primary") is True), next(iter(given), None))
    return None if chosen is None else str(chosen["value"])
