"""The console's pages about audiences."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from idp_app.errors import InvalidInput, NotThere
from idp_app.models import Person
from idp_app.security import Permission
from idp_app.services import audiences, people
from idp_app.views.console import back, show

SHOWN_MEMBERS: Final = 200


@view_config(route_name="idp.audiences", request_method="GET", permission=Permission.MANAGE_AUDIENCES)
def every(request: Request) -> Response:
    """The list, and the form for a new one."""
    found = audiences.every(request.idp.session)
    return show(request, "console_audiences.jinja2", {"found": found, "error": None, "name": ""})


@view_config(route_name="idp.audiences", request_method="POST", permission=Permission.MANAGE_AUDIENCES)
def create(request: Request) -> Response:
    """Make one."""
    session, name = request.idp.session, str(request.POST.get("name", ""))
    description = str(request.POST.get("description", ""))
    try:
        audience, is_new = audiences.create(session, name, request.idp.act, description=description)
    except InvalidInput as error:
        values = {"found": audiences.every(session), "error": error.message, "name": name}
        return show(request, "console_audiences.jinja2", values, status=400)
    return back(request, "created" if is_new else "there", "idp.audience", id=audience.id)


@view_config(route_name="idp.audience", request_method="GET", permission=Permission.MANAGE_AUDIENCES)
def one(request: Request) -> Response:
    """One audience and who is in it."""
    session = request.idp.session
    audience = audiences.get(session, request.matchdict["id"])
    members = audiences.members(session, audience, limit=SHOWN_MEMBERS)
    total = audiences.size(session, audience)
    return show(request, "console_audience.jinja2", {"audience": audience, "members": members, "total": total})


@view_config(route_name="idp.audience", request_method="POST", permission=Permission.MANAGE_AUDIENCES)
def change(request: Request) -> Response:
    """Put a person in or take one out."""
    session, act = request.idp.session, request.idp.act
    audience = audiences.get(session, request.matchdict["id"])
    match request.POST.get("action"):
        case "add":
            audiences.add(session, audience, [_named(request)], act)
            done = "added"
        case "remove":
            audiences.remove(session, audience, [people.get(session, str(request.POST.get("person", "")))], act)
            done = "removed"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.audience", id=audience.id)


def _named(request: Request) -> Person:
    """The person whose user name was typed: a slip of the keyboard is not a page that does not exist."""
    try:
        return people.find(request.idp.session, str(request.POST.get("username", "")))
    except NotThere as error:
        raise InvalidInput("user name", error.message) from None
