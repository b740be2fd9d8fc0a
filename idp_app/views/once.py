"""A secret that is shown once, on the page after the one that made it: sealed in a cookie of this browser until then.

So a reload of that page makes nothing a second time, and shows nothing a second time.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from pyramid.request import Request
from pyramid.response import Response

from federation.errors import ConfigurationError
from federation.storage.secrets import Sealed
from federation.web.cookies import Purpose

_COOKIE: Final = Purpose("once")
_KEPT_FOR: Final = timedelta(minutes=2)


def keep(request: Request, response: Response, secret: str, *, about: str) -> None:
    """Let the next page about something show a secret, in this session alone."""
    box = request.idp.installation.keys.secret_box()
    until = (request.federation.now + _KEPT_FOR).isoformat()
    sealed = box.encrypt(f"{until} {secret}", context=_context(request, about))
    request.federation.cookies.set(response, _COOKIE, sealed.text, max_age=_KEPT_FOR)


def take(request: Request, *, about: str) -> str | None:
    """The secret to show on this page, or None; it is not there any more afterwards."""
    kept = request.federation.cookies.get(request, _COOKIE)
    if kept is None:
        return None
    request.add_response_callback(_forget)
    try:
        said = request.idp.installation.keys.secret_box().decrypt(Sealed(kept), context=_context(request, about))
    except ConfigurationError:  # of another page, session or key, or somebody's own invention
        return None
    until, _, secret = said.partition(" ")
    return secret if request.federation.now < datetime.fromisoformat(until) else None


def _forget(request: Request, response: Response) -> None:
    request.federation.cookies.delete(response, _COOKIE)


def _context(request: Request, about: str) -> str:
    return f"once:{request.idp.signed_in.session_id}:{about}"
