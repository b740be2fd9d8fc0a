"""What the shared pages know of an app's console: its routes, its frame, its tables, and who does something."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pyramid.request import Request
from pyramid.response import Response
from sqlalchemy.orm import Session

from federation.console.source_form import DefaultsForm
from federation.keys.desk import Desk
from federation.registry.columns import EntityColumns, HolderColumns, SourceColumns
from federation.registry.host import Host, Limits, Occasion
from federation.saml.metadata.entity import Entity
from federation.web import page, saml

DONE: Final[Mapping[str, str]] = {
    "key-prepared": "The key is made. Publish it when you are ready.",
    "key-published": "The key is in our metadata.",
    "key-promoted": "The key is in use, in every process.",
    "key-planned": "The worker promotes the key at that time.",
    "key-retired": "The key is gone.",
    "key-confirmed": "Noted: the partner has our present metadata.",
    "source-added": "The source is added. The worker reads it within moments.",
    "source-changed": "The source is changed. The worker reads it anew within moments.",
    "source-same": "Nothing was changed.",
    "source-removed": "The source is gone, with every entity that has no connection of its own.",
    "brought": "The document waits here until you decide.",
    "fingerprints": "The fingerprints are confirmed. Now decide.",
    "asked": "The worker asks the source within moments.",
    "source-off": "The source is left out, with everything that came from it.",
    "source-on": "The source is in use again.",
    "accepted": "The version is live.",
    "rejected": "The version is rejected: the same is not asked about again.",
    "scheduled": "The version becomes live at that time.",
    "rolled-back": "The version is live again.",
}
"""What a page says after a change; the address only carries the word."""


@dataclass(frozen=True, slots=True)
class OfferedPart:
    """What an app shows of an entity of a federation's source, and how it makes a connection of it.

    `template` has the macro `part(ui, shown, go)`. `show` answers what it needs, with what was typed if the connection
    could not be made; `connect` makes it and answers its id, or raises `FederationError`.
    """

    template: str
    show: Callable[[Request, SourceColumns, EntityColumns, Entity], Mapping[str, Any]]
    connect: Callable[[Request, SourceColumns, EntityColumns], str]


@dataclass(frozen=True, slots=True)
class Console:
    """An app's console, as these pages see it.

    `routes` is what the names of its routes begin with, `frame` the template around each page (blocks title, heading
    and body; `here` is the page's part of the console). `partner` and `partners` are the words for what is at the other
    end. `limits` are what the settings say about partners' metadata, `defaults` the app's part of the form for a
    source, `offered` what it does with an entity of one. `metadata_options` and `keys_options` are the view options
    that say who may see the pages.
    """

    routes: str
    frame: str
    partner: str
    partners: str
    host: Host
    session: Callable[[Request], Session]
    occasion: Callable[[Request], Occasion]
    limits: Callable[[Request], Limits]
    defaults: DefaultsForm | None
    offered: OfferedPart
    keys: Callable[[Request], Desk]
    connection: Callable[[Session, str], HolderColumns]
    lately: Callable[[Session, Sequence[str], datetime], Mapping[str, int]]
    metadata_options: Mapping[str, Any]
    keys_options: Mapping[str, Any]

    def show(self, request: Request, template: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
        """A page in the app's frame. `done` is the sentence about the change that led here."""
        known = {
            "frame": self.frame,
            "console": self,
            "go": lambda name, **elements: request.route_path(f"{self.routes}.{name}", **elements),
            "done": DONE.get(str(request.GET.get("done", ""))),
        }
        return page(request, f"federation.console:templates/{template}.jinja2", {**known, **values}, status=status)

    def back(self, request: Request, done: str, name: str, **elements: str) -> Response:
        """After a change: the page again, by a redirect, so that a reload changes nothing twice."""
        return saml.redirect(request.federation.url(f"{self.routes}.{name}", **elements, _query={"done": done}))
