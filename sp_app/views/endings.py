"""What every ending of a session has in common: this browser's cookies, and the application that wants to know."""

from __future__ import annotations

from collections.abc import Sequence

from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import forget

from federation.web import cookies, csrf
from sp_app.events import SessionEnded
from sp_app.services.sessions import EndedSession, digest


def tell(request: Request, response: Response, ended: Sequence[EndedSession], *, leaving: bool = False) -> None:
    """Take back this browser's cookie if its session is among those that ended, and notify the application of each.

    `leaving`: the person of this browser signs out, so the cookie goes and the application forgets them in any case.
    """
    cookie = request.federation.cookies.get(request, cookies.SESSION)
    here = digest(cookie) if cookie else None
    if leaving or any(each.id == here for each in ended):
        response.headerlist.extend(forget(request))
        request.federation.cookies.delete(response, cookies.SESSION)
        csrf.renew(request)
    for each in ended:
        request.registry.notify(
            SessionEnded(request, response, each.account_id, each.idp_entity_id, each.id, each.id == here)
        )
