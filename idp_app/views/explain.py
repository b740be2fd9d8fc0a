"""The console's pages about refusals: the list, searched, and everything that happened under one reference number."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from idp_app.errors import NotThere
from idp_app.security import Permission
from idp_app.services import explain
from idp_app.views.console import show


@view_config(route_name="idp.refusals", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def every(request: Request) -> Response:
    """The latest refusals, by reference number, person or site."""
    text = str(request.GET.get("q", ""))[:200]
    found = explain.refusals(request.idp.session, text)
    return show(request, "console_refusals.jinja2", {"found": found, "text": text, "most": explain.LISTED})


@view_config(route_name="idp.refusal", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def one(request: Request) -> Response:
    """The timeline under a reference number; accepted sign-ins have one too."""
    reference = request.matchdict["reference"]
    moments = explain.timeline(request.idp.session, reference, request.idp.installation.partners)
    if not moments:
        raise NotThere("reference number", reference)
    return show(request, "console_refusal.jinja2", {"reference": reference, "moments": moments})
