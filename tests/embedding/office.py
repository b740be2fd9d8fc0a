"""The library's office: the federation's console, for whoever the library itself calls its librarian."""

from __future__ import annotations

from pyramid.config import Configurator
from pyramid.request import Request


def librarian(request: Request) -> str | None:
    """The library's own answer: the federation has no say in it."""
    reader = request.identity
    return str(reader.full_name) if reader is not None and reader.login == "librarian" else None


def includeme(config: Configurator) -> None:
    """The two lines."""
    config.include("sp_app.console")
    config.set_federation_administrators(librarian)
