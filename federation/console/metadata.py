"""The console's pages about what waits for a review, what somebody brings for it, and every version of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from federation.console.frame import Console
from federation.errors import FederationError, InvalidInput, PolicyRefusal, ProtocolError, Refused
from federation.registry import proposals, versions
from federation.registry.columns import SCHEDULED, SUPERSEDED, WAITING


class MetadataPages:
    """The pages of one app's console."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.host = console.host

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
            "unconfirmed": version.trust == versions.UNCONFIRMED and version.state == WAITING,
            "to_confirm": proposals.to_confirm(self.host, version, self.console.limits(request), now),
        }
        return self.console.show(request, "review", values)

    def decide(self, request: Request) -> Response:
        """Accept, reject or schedule a version, or go back to it."""
        session, occasion = self.console.session(request), self.console.occasion(request)
        version = versions.get(session, self.host, _id(request))
        match request.POST.get("action"):
            case "confirm":
                given = str(request.POST.get("fingerprints", "")).split()
                limits = self.console.limits(request)
                proposals.confirm(session, self.host, version, given, limits, occasion)
                done = "fingerprints"
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

    def ask(self, request: Request) -> Response:
        """The form for a new document of a connection's partner."""
        return self._asked(request, {"text": "", "carried": "", "signers": ""}, None)

    def bring(self, request: Request) -> Response:
        """Put a document before whoever reviews, or say in a sentence why it cannot be used."""
        session = self.console.session(request)
        connection = self.console.connection(session, request.matchdict["id"])
        signers, document = str(request.POST.get("signers", "")), b""
        try:
            document = document_of(request)
            limits, occasion = self.console.limits(request), self.console.occasion(request)
            version = proposals.propose(
                session, self.host, connection, document, limits, occasion, signers=signers.split()
            )  # fmt: skip
        except (ProtocolError, InvalidInput) as error:
            return self._asked(request, {**kept_of(request, document), "signers": signers}, error)
        return self.console.back(request, "brought", "review", id=str(version.id))

    def _asked(self, request: Request, typed: Mapping[str, str], error: FederationError | None) -> Response:
        connection = self.console.connection(self.console.session(request), request.matchdict["id"])
        values = {
            "connection": connection,
            "typed": typed,
            "reason": None if error is None else sentence(error),
            "checks": error.checks if isinstance(error, Refused) else (),
        }
        return self.console.show(request, "bring", values, status=200 if error is None else 400)

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
        ("reviews", "GET", pages.queue),
        ("review", "GET", pages.one),
        ("review", "POST", pages.decide),
        ("versions", "GET", pages.history),
        ("bring", "GET", pages.ask),
        ("bring", "POST", pages.bring),
    ):
        config.add_view(view, route_name=f"{console.routes}.{name}", request_method=method, **console.metadata_options)


def instant(text: str, field: str) -> datetime:
    """A time as a form of ours sends it, in UTC. Raises `InvalidInput`."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(field, "is written as 2027-03-01 or 2027-03-01T06:00, in UTC") from None
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def document_of(request: Request) -> bytes:
    """One partner's document: as a file, pasted, or carried on by a form. Raises `InvalidInput` when there is none.

    A browser sends the lines of a text area with CRLF, whatever they ended with: that is undone, or what a person
    compares would not be the fingerprint of what was pasted.
    """
    brought, text = request.POST.get("file"), str(request.POST.get("text", ""))
    document: bytes = brought.file.read() if hasattr(brought, "file") else b""
    if not document and text.strip():
        document = text.replace("\r\n", "\n").lstrip().encode()
    if not document:
        try:
            document = base64.b64decode(str(request.POST.get("carried", "")), validate=True)
        except ValueError:
            document = b""
    if not document:
        raise InvalidInput("the document", "choose a file, or paste it")
    return document


def kept_of(request: Request, document: bytes) -> Mapping[str, str]:
    """What a form shows again of a document: the text that was pasted, or the octets of a file, carried on unseen."""
    text = str(request.POST.get("text", ""))
    return {"text": text, "carried": "" if text.strip() else base64.b64encode(document).decode()}


def sentence(error: FederationError) -> str:
    """An error as a sentence of a page."""
    text = error.message
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _id(request: Request) -> int:
    text: str = request.matchdict["id"]
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PolicyRefusal("metadata.version", "there is no such version")
    return int(text)
