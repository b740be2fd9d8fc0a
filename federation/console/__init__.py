"""The console's pages that both apps have: sources of metadata, the review queue, versions, our own keys.

    config.include("federation.console")
    config.add_console_pages(Console(...))

An app makes the routes (`{routes}.sources`, `.source`, `.reviews`, `.review`, `.versions`, `.keys`), says who may see
them, and gives the frame around the pages; the pages are here, once.
"""

from __future__ import annotations

from pyramid.config import Configurator

from federation.console import keys, metadata
from federation.console.frame import DONE, Console
from federation.console.problems import add_problem_views

__all__ = ["DONE", "Console", "add_console_pages", "add_problem_views"]


def add_console_pages(config: Configurator, console: Console) -> None:
    """Directive: add the views of the shared pages to the routes of an app."""
    metadata.add_views(config, console)
    keys.add_views(config, console)


def includeme(config: Configurator) -> None:
    """The directive."""
    config.add_directive("add_console_pages", add_console_pages)
