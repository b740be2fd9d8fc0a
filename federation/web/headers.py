"""Security headers of our responses.

The Content-Security-Policy allows nothing but what a page of ours is made of: our stylesheet, our images, one script by
nonce, forms to ourselves. Referrer-Policy is same-origin, not no-referrer, because under the latter a browser sends
`Origin: null` with our own forms and the CSRF check could not tell them from a stranger's.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from pyramid.config import Configurator
from pyramid.events import NewResponse
from pyramid.request import Request
from pyramid.response import Response

from federation.web.scope import scope_of

HSTS: Final = "max-age=31536000"
_POLICY: Final = "Content-Security-Policy"
_DEFAULTS: Final = (("Referrer-Policy", "same-origin"), ("Cache-Control", "no-store"))
"""What a view may choose otherwise."""


def protect(request: Request, response: Response) -> None:
    """Set the headers on a response of ours. Only Cache-Control and Referrer-Policy may be chosen by the view."""
    scope = scope_of(request.registry)
    rules = scope.rules_for(request)
    if rules is None:
        return
    exchange = request.federation
    headers: list[tuple[str, str]] = response.headerlist
    chosen = frozenset(map(str.lower, dict(headers)))
    refused, ours = _beside(chosen, rules.popup or rules.cross_site, scope.whole and exchange.site.https)
    if refused:
        headers[:] = [header for header in headers if header[0].lower() not in refused]
    policy = content_security_policy(exchange.nonce, exchange.form_targets, watches=exchange.watches)
    headers.append((_POLICY, policy))
    headers += ours


@lru_cache
def _beside(
    chosen: frozenset[str], keeps_opener: bool, stays_on_https: bool
) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """Of the headers that a view chose, in small letters, those that are not for it to choose; and ours beside them."""
    fixed = [("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin")]
    if not keeps_opener:
        fixed.append(("Cross-Origin-Opener-Policy", "same-origin"))
    if stays_on_https:
        fixed.append(("Strict-Transport-Security", HSTS))
    names = frozenset(name.lower() for name in (_POLICY, *dict(fixed)))
    return names & chosen, (*fixed, *(header for header in _DEFAULTS if header[0].lower() not in chosen))


def content_security_policy(nonce: str, form_targets: list[str], *, watches: bool = False) -> str:
    """The policy of one page (CSP level 3)."""
    connect = " connect-src 'self';" if watches else ""
    targets = " ".join(("'self'", *form_targets))
    return (
        f"default-src 'none'; script-src 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:;{connect} "
        f"form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    )


def includeme(config: Configurator) -> None:
    """Protect our responses, those of problem pages included. A whole site does so itself: `site`."""
    if not scope_of(config.registry).whole:
        config.add_subscriber(lambda event: protect(event.request, event.response), NewResponse)
