"""The console's pages about where metadata comes from, what waits for a review, and every version of it."""

from __future__ import annotations

from datetime import UTC, datetime

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import PolicyRefusal
from federation.registry import entities, sources, versions
from federation.registry.columns import SCHEDULED, SUPERSEDED, WAITING
from federation.registry.host import Occasion
from idp_app.errors import InvalidInput
from idp_app.security import Permission
from idp_app.services import connections, metadata
from idp_app.views.console import back, show

HOST = metadata.HOST


@view_config(route_name="idp.sources", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def every(request: Request) -> Response:
    """The sources and how they do; with a search, the entities that came from them."""
    session, now = request.idp.session, request.federation.now
    text = str(request.GET.get("q", ""))[:256]
    found = sources.every(session, HOST)
    values = {
        "found": [(source, sources.health(source, now), sources.ground_of(source)) for source in found],
        "text": text,
        "entities": entities.search(session, HOST, text) if text else [],
    }
    return show(request, "console_sources.jinja2", values)


@view_config(route_name="idp.source", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def change(request: Request) -> Response:
    """Have a source asked soon, leave it out for a while, or use it again. The worker does the asking."""
    session = request.idp.session
    source = sources.find(session, HOST, request.matchdict["id"])
    match request.POST.get("action"):
        case "refresh":
            sources.ask_soon(source, request.federation.now)
            done = "asked"
        case "pause":
            sources.set_enabled(session, HOST, source, False, _occasion(request))
            done = "source-off"
        case "resume":
            sources.set_enabled(session, HOST, source, True, _occasion(request))
            done = "source-on"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.sources")


@view_config(route_name="idp.reviews", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def queue(request: Request) -> Response:
    """What a person has to decide."""
    session = request.idp.session
    found = versions.waiting(session, HOST)
    holders = {each.entity_id: HOST.holder(session, each.entity_id) for each in found}
    lately = metadata.signed_in_lately(session, list(holders), request.federation.now)
    rows = [(each, holders[each.entity_id], lately.get(each.entity_id, 0)) for each in found]
    return show(request, "console_reviews.jinja2", {"found": rows})


@view_config(route_name="idp.review", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def one(request: Request) -> Response:
    """One version: what it changes in words, what it lacks, whom it concerns."""
    session, now = request.idp.session, request.federation.now
    version = versions.get(session, HOST, _id(request))
    lately = metadata.signed_in_lately(session, [version.entity_id], now).get(version.entity_id, 0)
    values = {
        "version": version,
        "holder": HOST.holder(session, version.entity_id),
        "lately": lately,
        "open": version.state in (WAITING, SCHEDULED),
        "can_return": version.state == SUPERSEDED and version.live_since is not None,
        "expired": version.valid_until is not None and version.valid_until <= now,
    }
    return show(request, "console_review.jinja2", values)


@view_config(route_name="idp.review", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def decide(request: Request) -> Response:
    """Accept, reject or schedule a version, or go back to it."""
    session, occasion = request.idp.session, _occasion(request)
    version = versions.get(session, HOST, _id(request))
    match request.POST.get("action"):
        case "accept":
            versions.accept(session, HOST, version, occasion)
            done = "accepted"
        case "reject":
            versions.reject(session, HOST, version, occasion, why=str(request.POST.get("why", ""))[:500])
            done = "rejected"
        case "schedule":
            versions.schedule(session, HOST, version, _instant(str(request.POST.get("at", ""))), occasion)
            done = "scheduled"
        case "roll-back":
            versions.roll_back(session, HOST, version, occasion)
            done = "rolled-back"
        case _:
            raise InvalidInput("action", "is not one that this page has")
    return back(request, done, "idp.review", id=str(version.id))


@view_config(route_name="idp.versions", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def history(request: Request) -> Response:
    """Every version of a connection's metadata, newest first."""
    session = request.idp.session
    connection = connections.get(session, request.matchdict["id"])
    values = {"connection": connection, "found": versions.history(session, HOST, connection.entity_id)}
    return show(request, "console_versions.jinja2", values)


def _occasion(request: Request) -> Occasion:
    act = request.idp.act
    return Occasion(act.now, act.actor, act.reference)


def _id(request: Request) -> int:
    text: str = request.matchdict["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PolicyRefusal("metadata.version", "there is no such version")
    return int(text)


def _instant(text: str) -> datetime:
    """A time as a form of ours sends it, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput("time", "is written as 2026-03-01T12:00, in UTC") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
