"""Security headers of our responses.

The Content-Security-Policy allows nothing but what a page of ours is made of: our stylesheet, our images, one script by
nonce, forms to ourselves. Referrer-Policy is same-origin, not no-referrer, because under the latter a browser sends
`Origin: null` with our own forms and the CSRF check could not tell them from a stranger's.
"""

from __future__ import annotations

from typing import Final

from pyramid.config import Configurator
from pyramid.events import NewResponse

from federation.web.scope import rules_for, scope_of

HSTS: Final = "max-age=31536000"
_FIXED: Final = (("X-Content-Type-Options", "nosniff"), ("Cross-Origin-Resource-Policy", "same-origin"))
_DEFAULTS: Final = (("Referrer-Policy", "same-origin"), ("Cache-Control", "no-store"))
"""What a view may choose otherwise."""


def protect(event: NewResponse) -> None:
    """Set the headers on a response of ours. Only Cache-Control and Referrer-Policy may be chosen by the view."""
    request, response = event.request, event.response
    rules = rules_for(request)
    if rules is None:
        return
    exchange = request.federation
    policy = content_security_policy(exchange.nonce, exchange.form_targets, watches=exchange.watches)
    ours = [("Content-Security-Policy", policy), *_FIXED]
    if not rules.popup and not rules.cross_site:
        ours.append(("Cross-Origin-Opener-Policy", "same-origin"))
    if scope_of(request.registry).whole and exchange.site.https:
        ours.append(("Strict-Transport-Security", HSTS))
    headers: list[tuple[str, str]] = response.headerlist
    chosen = {name.lower() for name, _ in headers}
    ours += [header for header in _DEFAULTS if header[0].lower() not in chosen]
    taken = chosen.intersection(name.lower() for name, _ in ours)
    if taken:
        headers[:] = [header for header in headers if header[0].lower() not in taken]
    headers += ours


def content_security_policy(nonce: str, form_targets: list[str], *, watches: bool = False) -> str:
    """The policy of one page (CSP level 3)."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'nonce-{nonce}'",
            "style-src 'self'",
            "img-src 'self' data:",
            *(("connect-src 'self'",) if watches else ()),
            " ".join(("form-action", "'self'", *form_targets)),
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def includeme(config: Configurator) -> None:
    """Protect our responses, those of problem pages included."""
    config.add_subscriber(protect, NewResponse)
