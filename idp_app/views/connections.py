"""The console's pages about connections."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.attributes.policy import ReleasePolicy
from federation.attributes.presets import PRESETS, UNCONDITIONAL_SUFFIX
from federation.errors import ConfigurationError
from idp_app.errors import InvalidInput, NotThere
from idp_app.security import Permission
from idp_app.services import audiences, connections, people, preview
from idp_app.views.console import back, show


@view_config(route_name="idp.connections", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def every(request: Request) -> Response:
    """The list."""
    return show(request, "console_connections.jinja2", {"found": connections.every(request.idp.session)})


@view_config(route_name="idp.connection", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def one(request: Request) -> Response:
    """One connection: its trust, what it misses, whom it serves, what it is told, and that for a chosen person."""
    idp = request.idp
    connection = connections.get(idp.session, request.matchdict["id"])
    partner = idp.installation.partners.by_id(idp.session, connection.id)
    values = {
        "connection": connection,
        "partner": partner,
        "expired": not partner.usable(request.federation.now),
        "audiences": audiences.every(idp.session),
        "serves": {audience.id for audience in connection.audiences},
        "presets": list(PRESETS.values()),
        "choices": _choices(),
        "preview": None,
        "username": str(request.GET.get("person", "")),
        "error": None,
    }
    if values["username"]:
        try:
            person = people.find(idp.session, values["username"])
            values["preview"] = preview.of_person(idp.session, idp.installation, partner, person)
        except NotThere:
            values["error"] = "Nobody has this user name."
    values["release"] = values["preview"] or preview.of_nobody(partner)
    return show(request, "console_connection.jinja2", values)


@view_config(route_name="idp.connection", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def change(request: Request) -> Response:
    """Choose audiences or release policy, pause, resume."""
    session, act = request.idp.session, request.idp.act
    connection = connections.get(session, request.matchdict["id"])
    match request.POST.get("action"):
        case "audiences":
            chosen = [audiences.get(session, each) for each in request.POST.getall("audience")]
            connections.set_audiences(session, connection, chosen, act)
            done = "audiences"
        case "release":
            connections.set_policy(session, connection, _policy(str(request.POST.get("release", ""))), act)
            done = "release"
        case "pause":
            connections.pause(session, connection, act)
            done = "paused"
        case "resume":
            connections.resume(session, connection, act)
            done = "resumed"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.connection", id=connection.id)


def _policy(preset: str) -> ReleasePolicy:
    try:
        return ReleasePolicy.from_preset(preset)
    except ConfigurationError as error:
        raise InvalidInput("release", error.message) from None


def _choices() -> list[tuple[str, str]]:
    """Pairs of value and text: each preset plain, and unconditional."""
    return [
        (f"{preset.name}{suffix}", f"{preset.name}{text}")
        for preset in PRESETS.values()
        for suffix, text in (("", ""), (UNCONDITIONAL_SUFFIX, ", whatever its metadata requests"))
        if preset.keys or not suffix
    ]
