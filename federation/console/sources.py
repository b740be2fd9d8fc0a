"""The console's pages about sources of metadata: how they do, the form, the progress of a refresh, what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from io import BytesIO
from typing import IO, Any, Final

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from federation.console.frame import Console
from federation.console.metadata import sentence
from federation.console.source_form import EMPTY, KINDS, WIDENING, document_in, meant_by, typed_in, typed_of
from federation.errors import ConfigurationError, FederationError, InvalidInput, NotThere
from federation.registry import entities, following, parts, sources
from federation.registry.columns import UPLOAD, EntityColumns, SourceColumns
from federation.saml.metadata.fingerprints import of_entity

LOOK_AGAIN_S: Final = 3
MAX_DOCUMENT: Final = 104_857_600 + 1_048_576
"""Octets that a form with an aggregate may have."""


class SourcePages:
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

    # One source ------------------------------------------------------------------------------------------------------

    def one(self, request: Request) -> Response:
        """How one source does. While it is being read, what changes is brought up to date where it stands."""
        return self._one(request, None)

    def _one(self, request: Request, reason: str | None) -> Response:
        source, now = self._source(request), request.federation.now
        reading = source.claimed_until is not None and source.claimed_until > now
        waiting = source.enabled and not reading and source.due <= now
        if reading or waiting:
            request.federation.watch()
        values = {
            "source": source,
            "health": sources.health(source, now),
            "ground": sources.ground_of(source),
            "signers": following.signers_of(source),
            "reading": reading,
            "waiting": waiting,
            "watch": LOOK_AGAIN_S if reading or waiting else 0,
            "followers": self.host.followers(self.console.session(request), source.id),
            "reason": reason,
        }
        return self.console.show(request, "source", values, status=200 if reason is None else 400)

    def change(self, request: Request) -> Response:
        """Have a source asked soon, leave it out for a while, use it again, or take it away."""
        session, occasion = self.console.session(request), self.console.occasion(request)
        source = self._source(request)
        match request.POST.get("action"):
            case "refresh":
                sources.ask_soon(source, request.federation.now)
                done = "asked"
            case "older":
                sources.take_older(session, self.host, source, occasion)
                done = "asked"
            case "pause":
                sources.set_enabled(session, self.host, source, False, occasion)
                done = "source-off"
            case "resume":
                sources.set_enabled(session, self.host, source, True, occasion)
                done = "source-on"
            case "remove":
                if " ".join(str(request.POST.get("name", "")).split()).lower() != source.name_key:
                    return self._one(request, f"To remove the source, type its name: {source.name}.")
                sources.remove(session, self.host, source, occasion)
                return self.console.back(request, "source-removed", "sources")
            case _:
                raise InvalidInput("action", "is not one that this page has")
        return self.console.back(request, done, "source", id=source.id)

    # The form --------------------------------------------------------------------------------------------------------

    def ask_new(self, request: Request) -> Response:
        """The form for another source."""
        return self._form(request, None, {**EMPTY, "entity_id": str(request.GET.get("entity_id", ""))})

    def add(self, request: Request) -> Response:
        """Add a source; the worker reads it, and its page shows how far that is."""
        session, typed = self.console.session(request), typed_in(request)
        try:
            with session.begin_nested():
                if typed["kind"] not in dict(KINDS):  # a file on the server is named by the command alone
                    raise InvalidInput("what it is", "choose one")
                brought = self._document(request, typed)
                new = meant_by(typed, self._defaults(request, typed, {}))
                source = sources.add(
                    session, self.host, new, self.console.limits(request), self.console.occasion(request)
                )  # fmt: skip
                if brought is not None:
                    parts.keep(session, self.host, source, brought)
        except FederationError as error:
            return self._again(request, None, typed, error)
        return self.console.back(request, "source-added", "source", id=source.id)

    def ask_change(self, request: Request) -> Response:
        """The form with what a source is now."""
        source = self._source(request)
        return self._form(request, source, typed_of(source))

    def save(self, request: Request) -> Response:
        """Change a source; it is read anew."""
        session, source, typed = self.console.session(request), self._source(request), typed_in(request)
        typed |= {"kind": source.kind, "entity_id": source.entity_id or ""}
        if source.kind not in dict(KINDS):
            typed["location"] = source.location
        try:
            with session.begin_nested():
                brought = self._document(request, typed, source)
                new = meant_by(typed, self._defaults(request, typed, source.defaults))
                limits, occasion = self.console.limits(request), self.console.occasion(request)
                changed = sources.change(session, self.host, source, new, limits, occasion)
                if brought is not None:
                    parts.keep(session, self.host, source, brought)
                    sources.read_anew(source, occasion.now)
                    changed = True
        except FederationError as error:
            return self._again(request, source, typed, error)
        return self.console.back(request, "source-changed" if changed else "source-same", "source", id=source.id)

    def _document(
        self, request: Request, typed: dict[str, Any], source: SourceColumns | None = None
    ) -> IO[bytes] | None:
        """What was brought, as a file or pasted; its name stands for the place that it came from."""
        if typed["kind"] != UPLOAD:
            return None
        brought = document_in(request)
        if brought is None and typed["text"].strip():
            brought = ("a pasted document", BytesIO(typed["text"].strip().encode()))
        if brought is None:
            if source is None:
                raise InvalidInput("the document", "choose a file, or paste it")
            typed["location"] = source.location
            return None
        typed["location"] = brought[0]
        return brought[1]

    def _defaults(self, request: Request, typed: dict[str, Any], kept: Mapping[str, Any]) -> Mapping[str, Any]:
        form = self.console.defaults
        if form is None:
            return {}
        typed |= form.typed(request)
        return {} if typed["entity_id"].strip() else form.meant(request, typed, kept)

    def _again(
        self, request: Request, source: SourceColumns | None, typed: dict[str, Any], error: FederationError
    ) -> Response:
        """The form once more with everything typed. Nothing was changed."""
        if self.console.defaults is not None:
            typed = {**typed, **self.console.defaults.typed(request)}
        problems = error.problems if isinstance(error, ConfigurationError) else (error.message,)
        return self._form(request, source, typed, problems=problems, lost=document_in(request) is not None)

    def _form(
        self,
        request: Request,
        source: SourceColumns | None,
        typed: Mapping[str, Any],
        *,
        problems: tuple[str, ...] = (),
        lost: bool = False,
    ) -> Response:
        form = self.console.defaults
        values = {
            "source": source,
            "typed": typed if form is None else {**form.kept({} if source is None else source.defaults), **typed},
            "kinds": KINDS,
            "widening": WIDENING,
            "problems": [sentence(ConfigurationError(each)) for each in problems],
            "lost": lost,
            "defaults": None if form is None else form.template,
            "choices": {} if form is None else form.choices(request),
        }
        return self.console.show(request, "source_form", values, status=400 if problems else 200)

    # What a source offers --------------------------------------------------------------------------------------------

    def offered(self, request: Request) -> Response:
        """One entity of a federation's source: what it is, what it lacks, and what the app would do with it."""
        return self._offered(request, None)

    def connect(self, request: Request) -> Response:
        """Make a connection of an entity: an administrator wants something particular of it."""
        source, entity = self._entity(request)
        try:
            with self.console.session(request).begin_nested():
                made = self.console.offered.connect(request, source, entity)
        except FederationError as error:
            return self._offered(request, sentence(error))
        return self.console.back(request, "connected-from", "connection", id=made)

    def _offered(self, request: Request, reason: str | None) -> Response:
        session, now = self.console.session(request), request.federation.now
        source, row = self._entity(request)
        trusted = following.offered(row, source, self.console.limits(request), now)
        part = self.console.offered
        values = {
            "source": source,
            "row": row,
            "entity": trusted.entity,
            "fingerprints": of_entity(trusted.entity),
            "misses": [{**asdict(each), "level": each.level.value} for each in trusted.misses],
            "holder": self.host.holder(session, row.entity_id),
            "part": part.template,
            "shown": part.show(request, source, row, trusted.entity),
            "reason": reason,
        }
        return self.console.show(request, "offered", values, status=200 if reason is None else 400)

    def _entity(self, request: Request) -> tuple[SourceColumns, EntityColumns]:
        source = self._source(request)
        found = entities.by_key(self.console.session(request), self.host, source.id, request.matchdict["key"])
        if found is None:
            raise NotThere("entity", request.matchdict["key"])
        return source, found

    def _source(self, request: Request) -> SourceColumns:
        found = self.console.session(request).get(self.host.tables.source, request.matchdict["id"])
        if found is None:
            raise NotThere("source", request.matchdict["id"])
        return found


def add_views(config: Configurator, console: Console) -> None:
    """The pages, at the app's routes."""
    pages = SourcePages(console)
    for name, method, view in (
        ("sources", "GET", pages.every),
        ("source_new", "GET", pages.ask_new),
        ("source_new", "POST", pages.add),
        ("source", "GET", pages.one),
        ("source", "POST", pages.change),
        ("source_edit", "GET", pages.ask_change),
        ("source_edit", "POST", pages.save),
        ("offered", "GET", pages.offered),
        ("offered", "POST", pages.connect),
    ):
        config.add_view(view, route_name=f"{console.routes}.{name}", request_method=method, **console.metadata_options)
