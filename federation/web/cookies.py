"""Cookies: how each is named and fenced, by what it is for.

Names differ from site to site because ports share one cookie jar: three sites on localhost would overwrite each other.
On https every name has the `__Host-` prefix, so no neighbouring subdomain can set it, and every cookie is Secure.

SameSite. A session is Lax: it is there when a person comes by a link and absent when another site posts. The cookie
that binds a login to the browser that began it must be there when the IdP posts the response across sites, which only
`SameSite=None; Secure` allows. On plain http a browser refuses None without Secure; http exists for us on loopback
only, where sites differ by port, which SameSite ignores, so there Lax arrives with the post too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from pyramid.request import Request
from pyramid.response import Response


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a cookie is for. `cross_site`: it must arrive with a post that another site's page makes."""

    name: str
    cross_site: bool = False


SESSION: Final = Purpose("session")
CSRF: Final = Purpose("csrf")
BINDING: Final = Purpose("binding", cross_site=True)
"""Binds a login to the browser that began it; the SP reads it when the response arrives."""


class Cookies:
    """The cookies of one site. All are HttpOnly, host-only and for the whole path."""

    def __init__(self, site_key: str, *, https: bool) -> None:
        self._https = https
        self._prefix = f"{'__Host-' if https else ''}{site_key}-"

    def name(self, purpose: Purpose) -> str:
        """The cookie's name on this site, for instance `__Host-intranet-session`."""
        return self._prefix + purpose.name

    def get(self, request: Request, purpose: Purpose) -> str | None:
        """The value that came with the request, read as browsers write it (RFC 6265 4.2.1, 5.4).

        Only blanks and tabs are white space. With more than those stripped, a cookie that a neighbouring subdomain may
        set, because a browser sees another name, would count as one with the `__Host-` prefix.
        """
        values = _values_of(self.name(purpose)).findall(";" + request.environ.get("HTTP_COOKIE", ""))
        return values[-1].strip(" \t") or None if values else None

    def set(self, response: Response, purpose: Purpose, value: str, *, max_age: timedelta | None = None) -> None:
        """Set the cookie; without `max_age` it ends with the browser's session."""
        response.set_cookie(
            self.name(purpose),
            value,
            max_age=None if max_age is None else int(max_age.total_seconds()),
            path="/",
            secure=self._https,
            httponly=True,
            samesite="None" if purpose.cross_site and self._https else "Lax",
        )

    def delete(self, response: Response, purpose: Purpose) -> None:
        """Take the cookie back, with the very attributes it was set with, or a browser keeps a `__Host-` one."""
        self.set(response, purpose, "", max_age=timedelta(0))


@cache
def _values_of(name: str) -> re.Pattern[str]:
    """What follows each equals sign after this name, in a Cookie header with a semicolon before it."""
    return re.compile(rf";[ \t]*{re.escape(name)}[ \t]*(?:=([^;]*))?(?=;|\Z)")
