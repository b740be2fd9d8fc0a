"""What the console's pages share, and its first page: the federation switch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation import console as shared_pages
from federation.web import page, saml
from federation.web.problems import problem_view
from idp_app.security import Permission, is_administrator, used_second_factor
from idp_app.services import overview, switch

ROUTES: Final = (
    "idp.console",
    "idp.people",
    "idp.people_import",
    "idp.person",
    "idp.audiences",
    "idp.audience",
    "idp.refusals",
    "idp.refusal",
    "idp.connections",
    "idp.connection",
    "idp.disconnect",
    "idp.connection_new",
    "idp.keys",
    "idp.invitations",
    "idp.invitation",
    *(f"idp.{name}" for name, _, _ in shared_pages.ROUTES),
)
DONE: Final[Mapping[str, str]] = {
    "on": "The federation is on.",
    "off": "The federation is off.",
    "suspended": "The person is suspended, and signed out everywhere on this site.",
    "sessions": "The session is ended, and the sites that it reached are being told.",
    "reinstated": "The suspension is lifted.",
    "second-factor": "The second factor is removed: the person signs in with the password alone.",
    "audiences": "The audiences are saved.",
    "created": "The audience is made.",
    "there": "This audience was there already.",
    "added": "The person is in the audience.",
    "removed": "The person is out of the audience.",
    "release": "The release policy is saved.",
    "options": "The options are saved.",
    "paused": "The connection is paused: nothing is sent to the site.",
    "resumed": "The connection is active again.",
    "disconnecting": "Nobody can sign in there any more. When the accounts are dealt with, the connection is over.",
    "disconnected": "The connection is over.",
    "invited": "The invitation is made.",
    "confirmed": "You have confirmed. The connection is made when the other side has confirmed too.",
    "connected": "Both sides have confirmed: the connection is made.",
    "connected-from": "The connection is made. It goes on following the source.",
    "connected-by-hand": "The site is connected.",
    "voided": "The invitation is void: its link opens nothing any more.",
}
"""What a page says after a change; the address only carries the word."""


def show(request: Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
    """A console page. `done` is the sentence about the change that led here."""
    done = DONE.get(str(request.GET.get("done", "")))
    return page(request, f"idp_app:templates/{template}", {"done": done, **values}, status=status)


def back(request: Request, done: str, route: str, **elements: str) -> Response:
    """After a change: the page again, by a redirect, so that a reload changes nothing twice."""
    return saml.redirect(request.federation.url(route, **elements, _query={"done": done}))


@view_config(route_name="idp.console", request_method="GET", permission=Permission.MANAGE_FEDERATION)
def settings(request: Request) -> Response:
    """The switch, and what there is."""
    idp = request.idp
    values = {
        "overview": overview.overview(idp.session),
        "settings": idp.installation.settings,
        "fingerprint": idp.installation.keys.fingerprint,
    }
    return show(request, "console_settings.jinja2", values)


@view_config(route_name="idp.console", request_method="POST", permission=Permission.MANAGE_FEDERATION)
def turn(request: Request) -> Response:
    """Turn the federation on or off."""
    on = request.POST.get("federation") == "on"
    switch.turn(request.idp.session, on, request.idp.act)
    return back(request, "on" if on else "off", "idp.console")


def forbidden(error: HTTPForbidden, request: Request) -> Response:
    """Who is not signed in, or without the second factor that administrators need, does that first and comes back."""
    signed_in = request.idp.signed_in
    if request.method in ("GET", "HEAD"):
        onward = {"next": request.path_info}
        if signed_in is None:
            return saml.redirect(request.federation.url("idp.sign_in", _query=onward))
        if is_administrator(signed_in) and not used_second_factor(signed_in):
            return saml.redirect(request.federation.url("idp.second_factor", _query=onward))
    return problem_view(error, request)


def includeme(config: Configurator) -> None:
    """Tell problems of the console's pages in their own way."""
    for route in ROUTES:
        config.add_exception_view(forbidden, context=HTTPForbidden, route_name=route)
    shared_pages.add_problem_views(config, ROUTES)
