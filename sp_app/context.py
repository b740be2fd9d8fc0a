"""The context of the federation's routes: there while the federation is switched on, and not there otherwise."""

from __future__ import annotations

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request

from federation.web.routes import Root


class FederationRoot(Root):
    """A route factory. Off means off: every endpoint answers 404, as if it did not exist."""

    def __init__(self, request: Request) -> None:
        if not request.sp.enabled:
            raise HTTPNotFound
