"""Where a sign-in leads: on to a site's request that waits, or to a page of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from pyramid.request import Request

from federation.errors import PolicyRefusal
from idp_app.services import sso
from idp_app.services.live import LiveConnection
from idp_app.services.methods import Missing
from idp_app.services.questions import Waiting
from idp_app.views.sso import waiting_for

_OWN_PAGE: Final = re.compile(r"/account|/admin(?:/[A-Za-z0-9-]+)*", re.ASCII)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where the sign-in leads: to a partner's request that waits, or to a page of ours.

    `expired` says that a request was named and cannot be answered any more.
    """

    waiting: Waiting | None = None
    partner: LiveConnection | None = None
    page: str = ""
    expired: bool = False

    @classmethod
    def of(cls, request: Request, fields: Any) -> Destination:
        """The destination that a form or an address names: `continue` a request, `next` a page of ours."""
        key, wanted = fields.get("continue"), str(fields.get("next", ""))
        if not key:
            return cls(page=wanted if _OWN_PAGE.fullmatch(wanted) else "")
        try:
            partner, waiting = waiting_for(request, str(key))
        except PolicyRefusal:
            return cls(expired=True)
        return cls(waiting=waiting, partner=partner)

    @property
    def query(self) -> Mapping[str, str]:
        """What names this destination in an address of ours."""
        if self.waiting is not None:
            return {"continue": self.waiting.key}
        return {"next": self.page} if self.page else {}

    def url(self, request: Request) -> str:
        """The address to go on to."""
        if self.waiting is not None:
            return str(request.federation.url("idp.continue", key=self.waiting.key))
        return str(request.federation.url("idp.home")).rstrip("/") + (self.page or "/")

    def missing(self, request: Request) -> Missing | None:
        """What the person has still to do to get there; a page of ours asks for itself what it needs beyond."""
        idp = request.idp
        if self.waiting is not None:
            return sso.missing_for(self.waiting, idp.signed_in, idp.installation.methods)
        return Missing.PASSWORD if idp.signed_in is None else None
