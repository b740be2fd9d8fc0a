"""A sign-in in which nobody was to be asked, and which came to nothing: back to the page, which is told so.

Whoever begins one wants to know whether somebody is signed in, and shows a page either way: an error page of ours would
stand in the way of people who never asked to sign in. A response that breaks a rule is refused as ever.
"""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response

from federation.errors import FederationError, Refused
from federation.http import OutgoingError
from federation.saml.profiles.sso_response import StatusRefused
from federation.web.saml import redirect
from federation.web.transactions import instead
from sp_app import targets
from sp_app.services import audit
from sp_app.services.interruptions import NoChoice

_NOBODY_CAN: Final = frozenset({"login.idp_connected", "connection.active", "connection.metadata_valid"})
"""The rules by which nobody could be signed in at all at the moment."""


def came_to_nothing(error: FederationError) -> bool:
    """Whether nothing was wrong with what arrived: the identity provider, or its absence, says that nobody is there."""
    return isinstance(error, StatusRefused | NoChoice | OutgoingError) or error.rule in _NOBODY_CAN


def back(error: FederationError, target: str, request: Request) -> Response:
    """Record what happened in place of what the request wrote, and lead to the page that wanted to know."""
    with instead(request):
        request.sp.audit(
            kind=audit.NOBODY,
            rule=error.rule,
            detail=f"nobody was signed in, and nobody was to be asked: {error.message}",
            checks=error.checks if isinstance(error, Refused) else (),
        )
    return redirect(request.federation.site.origin + targets.marked(target))
