"""Who may do what: permissions as an enum, and one table that says what each takes."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, Final

from pyramid.interfaces import ISecurityPolicy
from pyramid.request import Request
from pyramid.security import Allowed, Denied
from zope.interface import implementer

from idp_app.services.sessions import SignedIn


class Permission(enum.StrEnum):
    """What a view may demand."""

    MANAGE_FEDERATION = "manage_federation"
    MANAGE_PEOPLE = "manage_people"
    MANAGE_AUDIENCES = "manage_audiences"
    MANAGE_CONNECTIONS = "manage_connections"


def is_administrator(signed_in: SignedIn | None) -> bool:
    """Signed in, with the administrator's flag, and no guest."""
    return signed_in is not None and signed_in.administrator and not signed_in.guest


def used_second_factor(signed_in: SignedIn | None) -> bool:
    """Signed in with a second factor besides the password, in this very session."""
    return signed_in is not None and signed_in.second_instant is not None


REQUIREMENTS: Final[Mapping[Permission, tuple[Callable[[SignedIn | None], bool], ...]]] = {
    Permission.MANAGE_FEDERATION: (is_administrator,),
    Permission.MANAGE_PEOPLE: (is_administrator,),
    Permission.MANAGE_AUDIENCES: (is_administrator,),
    Permission.MANAGE_CONNECTIONS: (is_administrator,),
}
"""What each permission takes: all of these."""


@implementer(ISecurityPolicy)
class SessionSecurity:
    """Pyramid's policy on top of the session that lies on the server."""

    def identity(self, request: Request) -> SignedIn | None:
        """The live session of the request."""
        signed_in: SignedIn | None = request.idp.signed_in
        return signed_in

    def authenticated_userid(self, request: Request) -> str | None:
        """The person's id."""
        signed_in = self.identity(request)
        return signed_in.person_id if signed_in is not None else None

    def permits(self, request: Request, _context: Any, permission: str) -> Allowed | Denied:
        """By the table; a permission that is not in it is denied."""
        try:
            requirements = REQUIREMENTS[Permission(permission)]
            if request.idp.installation.settings.second_factor_for_administrators:
                requirements = (*requirements, used_second_factor)
        except (ValueError, KeyError):
            return Denied("there is no such permission")
        missing = [each.__name__ for each in requirements if not each(self.identity(request))]
        return Denied(", ".join(missing)) if missing else Allowed(permission)

    def remember(self, _request: Request, _userid: str, **_kw: Any) -> list[tuple[str, str]]:
        """Signing in sets its cookie itself."""
        return []

    def forget(self, _request: Request, **_kw: Any) -> list[tuple[str, str]]:
        """Signing out takes its cookie back itself."""
        return []
