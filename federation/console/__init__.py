"""The console's pages that both apps have: sources of metadata, the review queue, versions, our own keys.

    config.include("federation.console")
    config.add_console_pages(Console(...))

An app makes the routes (`ROUTES` below a path of its own, and `{routes}.keys`), says who may see them, and gives the
frame around the pages; the pages are here, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyramid.config import Configurator

from federation.console import keys, metadata, sources
from federation.console.frame import DONE, Console, OfferedPart
from federation.console.problems import add_problem_views
from federation.saml.metadata.reading import MAX_DOCUMENT

LARGE: Final = {"files": True, "body_limit": sources.MAX_DOCUMENT}
SMALL: Final = {"files": True, "body_limit": MAX_DOCUMENT + 65_536}
ROUTES: Final[tuple[tuple[str, str, Mapping[str, Any]], ...]] = (
    ("versions", "/connections/{id}/versions", {}),
    ("bring", "/connections/{id}/metadata", SMALL),
    ("sources", "/sources", {}),
    ("source_new", "/sources/new", LARGE),
    ("source", "/sources/{id}", {}),
    ("source_edit", "/sources/{id}/edit", LARGE),
    ("offered", "/sources/{id}/entities/{key}", {}),
    ("reviews", "/reviews", {}),
    ("review", "/reviews/{id}", {}),
)
"""Name, pattern and options of the routes of the pages about metadata; an app adds them with a prefix to each."""

__all__ = ["DONE", "ROUTES", "SMALL", "Console", "OfferedPart", "add_console_pages", "add_problem_views"]


def add_console_pages(config: Configurator, console: Console) -> None:
    """Directive: add the views of the shared pages to the routes of an app."""
    sources.add_views(config, console)
    metadata.add_views(config, console)
    keys.add_views(config, console)


def includeme(config: Configurator) -> None:
    """The directive."""
    config.add_directive("add_console_pages", add_console_pages)
