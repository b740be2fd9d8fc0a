"""The console's pages about where metadata comes from, what waits for a review, and every version of it."""

from __future__ import annotations

from datetime import UTC, datetime

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from federation.console.frame import Console
from federation.errors import InvalidInput, PolicyRefusal
from federation.registry import entities, sources, versions
from federation.registry.columns import SCHEDULED, SUPERSEDED, WAITING


class MetadataPages:
    """The pages of one app's console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.host = console.host

    def every(self, request: Request) -> Response:
        """The sources and how they do; with a search, the entities that came from them."""
        session, now = self.console.session(request), request.federation.now
        text = str(request.GET.get("q", ""))[:256]
        found = sources.every(session, self.host)
        values = {
            "found": [(source, sources.health(source, now), sources.ground_of(source)) for source in found],
            "text": text,
            "entities": entities.search(session, self.host, text) if text else [],
        }
        return self.console.show(request, "sources", values)

    def change(self, request: Request) -> Response:
        """Have a source asked soon, leave it out for a while, or use it again. The worker does the asking."""
        session = self.console.session(request)
        source = sources.find(session, self.host, request.matchdict["id"])
        match request.POST.get("action"):
            case "refresh":
                sources.ask_soon(source, request.federation.now)
                done = "asked"
            case "pause":
                sources.set_enabled(session, self.host, source, False, self.console.occasion(request))
                done = "source-off"
            case "resume":
                sources.set_enabled(session, self.host, source, True, self.console.occasion(request))
                done = "source-on"
            case _:
                raise InvalidInput("action", "is not one that this page has")
        return self.console.back(request, done, "sources")

    def queue(self, request: Request) -> Response:
        """What a person has to decide."""
        session = self.console.session(request)
        found = versions.waiting(session, self.host)
        holders = {each.entity_id: self.host.holder(session, each.entity_id) for each in found}
        lately = self.console.lately(session, list(holders), request.federation.now)
        rows = [(each, holders[each.entity_id], lately.get(each.entity_id, 0)) for each in found]
        return self.console.show(request, "reviews", {"found": rows})

    def one(self, request: Request) -> Response:
        """One version: what it changes in words, what it lacks, whom it concerns."""
        session, now = self.console.session(request), request.federation.now
        version = versions.get(session, self.host, _id(request))
        lately = self.console.lately(session, [version.entity_id], now).get(version.entity_id, 0)
        values = {
            "version": version,
            "holder": self.host.holder(session, version.entity_id),
            "lately": lately,
            "open": version.state in (WAITING, SCHEDULED),
            "can_return": version.state == SUPERSEDED and version.live_since is not None,
            "expired": version.valid_until is not None and version.valid_until <= now,
        }
        return self.console.show(request, "review", values)

    def decide(self, request: Request) -> Response:
        """Accept, reject or schedule a version, or go back to it."""
        session, occasion = self.console.session(request), self.console.occasion(request)
        version = versions.get(session, self.host, _id(request))
        match request.POST.get("action"):
            case "accept":
                versions.accept(session, self.host, version, occasion)
                done = "accepted"
            case "reject":
                versions.reject(session, self.host, version, occasion, why=str(request.POST.get("why", ""))[:500])
                done = "rejected"
            case "schedule":
                due = instant(str(request.POST.get("at", "")), "time")
                versions.schedule(session, self.host, version, due, occasion)
                done = "scheduled"
            case "roll-back":
                versions.roll_back(session, self.host, version, occasion)
                done = "rolled-back"
            case _:
                raise InvalidInput("action", "is not one that this page has")
        return self.console.back(request, done, "review", id=str(version.id))

    def history(self, request: Request) -> Response:
        """Every version of a connection's metadata, newest first."""
        session = self.console.session(request)
        connection = self.console.connection(session, request.matchdict["id"])
        values = {"connection": connection, "found": versions.history(session, self.host, connection.entity_id)}
        return self.console.show(request, "versions", values)


def add_views(config: Configurator, console: Console) -> None:
    """The pages, at the app's routes."""
    pages = MetadataPages(console)
    for name, method, view in (
        ("sources", "GET", pages.every),
        ("source", "POST", pages.change),
        ("reviews", "GET", pages.queue),
        ("review", "GET", pages.one),
        ("review", "POST", pages.decide),
        ("versions", "GET", pages.history),
    ):
        config.add_view(view, route_name=f"{console.routes}.{name}", request_method=method, **console.metadata_options)


def instant(text: str, field: str) -> datetime:
    """A time as a form of ours sends it, in UTC. Raises `InvalidInput`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, "is written as 2027-03-01 or 2027-03-01T06:00, in UTC") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def _id(request: Request) -> int:
    text: str = request.matchdict["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PolicyRefusal("metadata.version", "there is no such version")
    return int(text)
