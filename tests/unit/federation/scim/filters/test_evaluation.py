"""What a filter says of one resource."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from federation.scim import urns
from federation.scim.catalogue import USER
from federation.scim.filters import evaluate, parse_filter

ALICE: dict[str, Any] = {
    "id": "1",
    "externalId": "AbC",
    "userName": "Alice",
    "name": {"givenName": "Alice", "familyName": "Straße"},
    "active": True,
    "emails": [
        {"value": "alice@work.example", "type": "work", "primary": True},
        {"value": "alice@home.example", "type": "home"},
    ],
    urns.ENTERPRISE_USER: {"department": "Physics", "manager": {"value": "9"}},
    "meta": {"lastModified": datetime(2026, 3, 4, 10, tzinfo=UTC)},
}


def holds(text: str) -> bool:
    return evaluate(parse_filter(text, USER), ALICE)


@pytest.mark.parametrize(
    "text",
    [
        'userName eq "ALICE"',
        'name.familyName eq "STRASSE"',
        'externalId eq "AbC"',
        'externalId ne "abc"',
        'userName sw "al"',
        'userName ew "ICE"',
        'userName co "lic"',
        'userName gt "alhambra"',
        'userName le "alice"',
        "active eq true",
        "active ne false",
        'emails.value eq "ALICE@home.example"',
        'emails[type eq "work" and primary eq true]',
        'emails[type eq "home" and not (primary eq true)]',
        "emails pr",
        "name.givenName pr",
        "title eq null",
        "userName ne null",
        'title ne "x"',
        'not (title sw "x")',
        f'{urns.ENTERPRISE_USER}:department eq "physics"',
        f'{urns.ENTERPRISE_USER}:manager eq "9"',
        'meta.lastModified ge "2026-03-04T10:00:00Z"',
        'meta.lastModified lt "2026-03-04T12:00:01+02:00"',
    ],
)
def test_it_holds(text: str) -> None:
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        'externalId eq "abc"',
        'emails[type eq "home" and primary eq true]',
        'emails.value ne "alice@home.example"',
        "title pr",
        'title eq ""',
        'title gt "a"',
        "active eq false",
        'id eq "2"',
        'name.middleName co "x"',
        f'{urns.ENTERPRISE_USER}:manager.displayName sw "x"',
    ],
)
def test_it_does_not_hold(text: str) -> None:
    assert not holds(text)
