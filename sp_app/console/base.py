"""What every page of the console begins with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pyramid.request import Request
from pyramid.response import Response

from federation.registry.host import Occasion
from federation.web import page
from federation.web.saml import redirect
from sp_app.services import audit

DONE: Final[Mapping[str, str]] = {
    "on": "The federation is on.",
    "off": "The federation is off: everybody is signed out.",
    "paused": "The connection is paused: nobody can sign in through it.",
    "resumed": "The connection is active again.",
    "disconnected": "The connection is over, its sessions have ended, and its tokens are void.",
    "presets": "The presets are saved.",
    "options": "The options are saved.",
    "order": "The order is saved.",
    "connected-by-hand": "The identity provider is connected.",
    "connected": "Both sides have confirmed: the connection is made.",
    "connected-from": "The connection is made. It goes on following the source.",
    "confirmed": "You have confirmed. The connection is made when the other side has confirmed too.",
    "waits": "The other side has not confirmed yet.",
    "forgotten": "The invitation is left alone: nothing comes of it.",
}
"""What a page says after a change; the address only carries the word."""


class ConsoleView:
    """A page of the console. Its route has let an administrator in, and nobody else."""

    def __init__(self, _context: object, request: Request) -> None:
        self.request = request
        self.session = request.sp.session
        self.provider = request.sp.provider

    def note(self, what: str, *, idp_entity_id: str | None = None) -> None:
        """Write the audit trail."""
        identity = self.request.sp.identity
        self.request.sp.audit(
            kind=audit.ADMINISTERED,
            detail=f"{self.request.sp.administrator} {what}",
            account_id=identity.account.id if identity is not None else None,
            idp_entity_id=idp_entity_id,
        )

    def show(self, name: str, values: Mapping[str, Any], *, status: int = 200) -> Response:
        """A page. `done` is the sentence about the change that led here."""
        done = DONE.get(str(self.request.GET.get("done", "")))
        return page(self.request, f"sp_app.console:templates/{name}.jinja2", {"done": done, **values}, status=status)

    def back(self, done: str, name: str, **elements: str) -> Response:
        """After a change: the page again, by a redirect, so that a reload changes nothing twice."""
        return redirect(self.request.federation.url(name, **elements, _query={"done": done}))


def occasion(request: Request) -> Occasion:
    """Who does something, when, under which reference number."""
    exchange = request.federation
    return Occasion(exchange.now, request.sp.administrator, exchange.reference)
