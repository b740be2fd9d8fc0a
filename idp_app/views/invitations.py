"""The console's pages about invitations."""

from __future__ import annotations

from datetime import timedelta

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import ConfigurationError, ProtocolError
from idp_app.errors import InvalidInput
from idp_app.security import Permission
from idp_app.services import audiences, invitations
from idp_app.services.invitation_steps import steps
from idp_app.views import once
from idp_app.views.connections import release_choices
from idp_app.views.console import back, show


@view_config(route_name="idp.invitations", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def every(request: Request) -> Response:
    """The list, and the form for a new one."""
    session, now = request.idp.session, request.federation.now
    values = {
        "found": [(each, invitations.state(each, now)) for each in invitations.every(session)],
        "audiences": audiences.every(session),
        "choices": release_choices(),
    }
    return show(request, "console_invitations.jinja2", values)


@view_config(route_name="idp.invitations", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def create(request: Request) -> Response:
    """Make an invitation. Its link is shown on the next page, and never again."""
    idp, form = request.idp, request.POST
    days = str(form.get("days", ""))
    if not (days.isascii() and days.isdigit() and len(days) <= 3):
        raise InvalidInput("days", "must be a whole number")
    chosen = [audiences.get(idp.session, str(each)) for each in form.getall("audience")]
    if not chosen:
        raise InvalidInput("audience", "choose at least one")
    try:
        invitation, link = invitations.create(
            idp.session,
            idp.act,
            idp.installation,
            name=str(form.get("name", "")),
            audiences=chosen,
            release=str(form.get("release", "")),
            lifetime=timedelta(days=int(days)),
        )
    except ConfigurationError as error:
        raise InvalidInput("release", error.message) from None
    response = back(request, "invited", "idp.invitation", id=invitation.id)
    once.keep(request, response, str(link), about=invitation.id)
    return response


@view_config(route_name="idp.invitation", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def one(request: Request) -> Response:
    """Who has taken it up, and what is done of it; right after it was made, its link."""
    session, now = request.idp.session, request.federation.now
    invitation = invitations.get(session, request.matchdict["id"])
    done = steps(session, invitation, now)
    values = {
        "invitation": invitation,
        "state": invitations.state(invitation, now),
        "steps": done,
        "link": once.take(request, about=invitation.id),
        "own_fingerprint": request.idp.installation.keys.fingerprint,
        "serves": [each.audience.name for each in audiences.every(session) if each.audience.id in invitation.audiences],
    }
    return show(request, "console_invitation.jinja2", values)


@view_config(route_name="idp.invitation", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def decide(request: Request) -> Response:
    """Confirm the site that has taken it up, or take it back."""
    idp = request.idp
    invitation = invitations.get(idp.session, request.matchdict["id"])
    match request.POST.get("action"):
        case "confirm":
            if request.POST.get("fingerprint") != invitation.fingerprint:
                raise InvalidInput("fingerprint", "the site has another key by now: look again")
            try:
                made = invitations.confirm(idp.session, invitation, idp.act, idp.installation)
            except ProtocolError as error:  # what was proposed has expired meanwhile, for instance
                raise InvalidInput("metadata", error.message) from None
            done = "confirmed" if made is None else "connected"
        case "void":
            invitations.void(idp.session, invitation, idp.act)
            done = "voided"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.invitation", id=invitation.id)
