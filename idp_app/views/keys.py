"""The console's page about our own keys: where each stands, who lags, what comes next."""

from __future__ import annotations

from datetime import UTC, datetime

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from idp_app.errors import InvalidInput
from idp_app.security import Permission
from idp_app.services import keys
from idp_app.views.console import back, show


@view_config(route_name="idp.keys", request_method="GET", permission=Permission.MANAGE_FEDERATION)
def every(request: Request) -> Response:
    """Every key, every warning, and a text for each partner that lags."""
    desk = keys.desk(request.idp.installation, request.idp.session, request.idp.act)
    found = desk.status()
    lagging = [(row, [(each, desk.text_to(each, row.record)) for each in row.laggards]) for row in found.rows]
    return show(request, "console_keys.jinja2", {"found": found, "lagging": [each for each in lagging if each[1]]})


@view_config(route_name="idp.keys", request_method="POST", permission=Permission.MANAGE_FEDERATION)
def change(request: Request) -> Response:
    """One step of one key, or an administrator's word for a partner."""
    act = request.idp.act
    desk = keys.desk(request.idp.installation, request.idp.session, act)
    name = str(request.POST.get("key", ""))
    match request.POST.get("action"):
        case "prepare":
            if name not in ("signing", "encryption"):
                raise InvalidInput("key", "is for signing or for encryption")
            desk.prepare(name)
            done = "key-prepared"
        case "publish":
            desk.publish(name)
            done = "key-published"
        case "promote":
            desk.promote(name)
            done = "key-promoted"
        case "plan":
            desk.plan(name, on=_instant(str(request.POST.get("on", ""))), share=None)
            done = "key-planned"
        case "retire":
            desk.retire(name)
            done = "key-retired"
        case "confirm":
            desk.confirm(str(request.POST.get("partner", "")), act.actor)
            done = "key-confirmed"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.keys")


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("date", "is written as 2027-03-01 or 2027-03-01T06:00, in UTC") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
