"""A page of the library for everybody, which greets whom the identity provider knows without asking anybody."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.security import NO_PERMISSION_REQUIRED


def news(request: Request) -> Response:
    """The news."""
    unasked = request.sp.passive_login_path()
    return HTTPSeeOther(unasked) if unasked else Response(f"news for {request.authenticated_userid or 'everybody'}")


def includeme(config: Configurator) -> None:
    """One view."""
    config.add_route("news", "/news")
    config.add_view(news, route_name="news", permission=NO_PERMISSION_REQUIRED)
