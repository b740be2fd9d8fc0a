"""What an administrator asked for and cannot have: the reason in words, and nothing changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response

from federation.errors import FederationError, InvalidInput, NotThere, PolicyRefusal
from federation.web.problems import respond
from federation.web.wording import NOT_FOUND, Problem

_TOLD: Final = (InvalidInput, NotThere, PolicyRefusal)


def mistake(error: FederationError, request: Request) -> Response:
    """The reason in one sentence; for what does not exist, that."""
    if isinstance(error, NotThere):
        return respond(request, NOT_FOUND)
    reason = error.message[:1].upper() + error.message[1:].removesuffix(".")
    return respond(
        request, Problem(400, "This could not be done", f"{reason}.", "Nothing was changed. Go back and try again.")
    )


def add_problem_views(config: Configurator, routes: Iterable[str]) -> None:
    """Tell the problems of a console's pages in their own way."""
    for route in routes:
        for context in _TOLD:
            config.add_exception_view(mistake, context=context, route_name=route)
