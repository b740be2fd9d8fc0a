"""Permissions: a table, and deny by default."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from pyramid.interfaces import ISecurityPolicy
from zope.interface.verify import verifyObject

from idp_app.security import REQUIREMENTS, Permission, SessionSecurity
from idp_app.services.sessions import SignedIn
from tests.idp_factories import NOW

ADMIN = SignedIn(
    session_id="s",
    method="password",
    authn_instant=NOW,
    second_instant=None,
    expires=NOW,
    last_seen=NOW,
    person_id="p",
    username="admin",
    display_name="",
    given_name="Ada",
    family_name="Min",
    mail="",
    department="",
    administrator=True,
    guest=False,
)


def permits(signed_in: SignedIn | None, permission: str, *, second_factor: bool = False) -> bool:
    settings = SimpleNamespace(second_factor_for_administrators=second_factor)
    request = SimpleNamespace(idp=SimpleNamespace(signed_in=signed_in, installation=SimpleNamespace(settings=settings)))
    return bool(SessionSecurity().permits(request, None, permission))


def test_every_permission_is_in_the_table():
    assert set(REQUIREMENTS) == set(Permission)
    assert all(REQUIREMENTS.values())


@pytest.mark.parametrize("permission", Permission)
def test_administrators_may_and_nobody_else(permission: Permission):
    assert permits(ADMIN, permission)
    assert not permits(ADMIN._replace(administrator=False), permission)
    assert not permits(ADMIN._replace(guest=True), permission)
    assert not permits(None, permission)


@pytest.mark.parametrize("permission", Permission)
def test_a_setting_asks_administrators_for_a_second_factor(permission: Permission):
    assert not permits(ADMIN, permission, second_factor=True)
    assert permits(ADMIN._replace(second_instant=NOW), permission, second_factor=True)
    assert not permits(ADMIN._replace(second_instant=NOW, administrator=False), permission, second_factor=True)


def test_a_permission_that_nobody_declared_is_denied():
    assert not permits(ADMIN, "fly")


def test_the_policy_is_pyramids():
    verifyObject(ISecurityPolicy, SessionSecurity())


def test_the_person_behind_a_session_has_a_name_and_an_id():
    request = SimpleNamespace(idp=SimpleNamespace(signed_in=ADMIN))
    assert SessionSecurity().authenticated_userid(request) == "p"
    assert ADMIN.name == "Ada Min"
