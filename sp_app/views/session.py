"""Ending a session here."""

from __future__ import annotations

from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import forget
from pyramid.view import view_config

from federation.web import cookies, csrf
from sp_app.services import sessions


@view_config(route_name="sp.logout", request_method="POST")
def logout(_context: object, request: Request) -> Response:
    """End this browser's session at this site; the one at the identity provider goes on."""
    handle = request.federation.cookies.get(request, cookies.SESSION)
    if handle:
        sessions.end(request.sp.session, handle, request.federation.now)
    target = request.federation.site.origin + request.sp.provider.settings.logout_target
    response = HTTPSeeOther(target, headers=forget(request))
    request.federation.cookies.delete(response, cookies.SESSION)
    csrf.renew(request)
    return response
