"""The console's page that ends a connection."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.registry.ending import Ending, require_typed
from federation.web import saml
from idp_app.errors import InvalidInput
from idp_app.models import Connection, ConnectionState
from idp_app.security import Permission
from idp_app.services import connections, disconnecting, switch
from idp_app.services.disconnecting import Outlook
from idp_app.services.provisioning import service
from idp_app.views.console import back, show

_LABELS: Final = {Ending.KEEP: "Keep them", Ending.SUSPEND: "Suspend them", Ending.DELETE: "Delete them"}
_BY_ITSELF: Final = {
    Ending.KEEP: "Nobody brings them up to date any more.",
    Ending.SUSPEND: "Connected again, the site gets them back.",
    Ending.DELETE: "There is no way back for what they hold.",
}


@view_config(route_name="idp.disconnect", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def ask(request: Request) -> Response:
    """What would happen, in numbers; or how far it is."""
    connection = _connection(request)
    if connection.state is ConnectionState.DISCONNECTED:
        return saml.redirect(request.federation.url("idp.connection", id=connection.id))
    return _page(request, connection)


@view_config(route_name="idp.disconnect", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def disconnect(request: Request) -> Response:
    """End it, if somebody has chosen, and typed which one they mean."""
    idp, form, connection = request.idp, request.POST, _connection(request)
    chosen, typed = str(form.get("accounts", "")), str(form.get("confirm", ""))
    missing = None if chosen in tuple(Ending) else "Choose what becomes of them."
    wrong = None
    try:
        require_typed(typed, entity_id=connection.entity_id, name=connection.name)
    except InvalidInput:
        wrong = f"This is not it. Type {connection.entity_id}, or {connection.name}."
    if missing or wrong:
        return _page(request, connection, chosen=chosen, typed=typed, missing=missing, wrong=wrong)
    disconnecting.begin(idp.session, connection, Ending(chosen), idp.act)
    over = connection.state is ConnectionState.DISCONNECTED
    return back(request, "disconnected" if over else "disconnecting", "idp.connection", id=connection.id)


def _connection(request: Request) -> Connection:
    return connections.get(request.idp.session, request.matchdict["id"])


def _page(
    request: Request,
    connection: Connection,
    *,
    chosen: str = "",
    typed: str = "",
    missing: str | None = None,
    wrong: str | None = None,
) -> Response:
    session = request.idp.session
    outlook = disconnecting.look(session, connection, request.federation.now)
    values = {
        "connection": connection,
        "outlook": outlook,
        "health": service.health_of(session, connection),
        "federating": switch.is_on(session),
        "choices": [(each.value, _label(each, outlook), _hint(each, outlook)) for each in outlook.choices],
        "chosen": chosen,
        "typed": typed,
        "missing": missing,
        "wrong": wrong,
    }
    return show(request, "console_disconnect.jinja2", values, status=400 if missing or wrong else 200)


def _label(ending: Ending, outlook: Outlook) -> str:
    return "Give up" if ending is Ending.KEEP and outlook.ending is not None else _LABELS[ending]


def _hint(ending: Ending, outlook: Outlook) -> str:
    return f"{outlook.sentence(ending)}. {_BY_ITSELF[ending]}"
