"""Who may see what on this site: a security policy in a few lines, because the federation answers who it is."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.security import Allowed, Denied

from sp_app.composition import Identity


class Permission(StrEnum):
    """What a view may ask for."""

    VIEW = "view"


class SecurityPolicy:
    """The federated session is the only one there is, so there is nothing to remember besides it."""

    def identity(self, request: Request) -> Identity | None:
        """Who is signed in."""
        identity: Identity | None = request.sp.identity
        return identity

    def authenticated_userid(self, request: Request) -> str | None:
        """The id of their account."""
        identity = self.identity(request)
        return identity.account.id if identity is not None else None

    def permits(self, request: Request, _context: object, permission: str) -> Allowed | Denied:
        """Signed in is enough to view; the console asks `request.sp.administrator` itself."""
        if self.identity(request) is None:
            return Denied("nobody is signed in")
        return Allowed("signed in") if permission == Permission.VIEW else Denied("no such permission")

    def remember(self, _request: Request, _userid: str, **_options: Any) -> list[tuple[str, str]]:
        """Nothing to add to the federated session."""
        return []

    def forget(self, _request: Request, **_options: Any) -> list[tuple[str, str]]:
        """Nothing to take back."""
        return []


def includeme(config: Configurator) -> None:
    """Set the policy."""
    config.set_security_policy(SecurityPolicy())
