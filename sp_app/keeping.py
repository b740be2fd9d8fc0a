"""Keeping a form whose sender has no session (any more): what `request.sp.keep_form()` does."""

from __future__ import annotations

from typing import Final

from pyramid.exceptions import BadCSRFToken
from pyramid.request import Request
from pyramid.response import Response

from federation.web import cookies, csrf
from federation.web.addresses import origin_of
from federation.web.transactions import instead
from sp_app.services import binding, forms
from sp_app.services.forms import Form
from sp_app.targets import is_safe

_KIND: Final = "application/x-www-form-urlencoded"


def keep(request: Request) -> str | None:
    """Keep the form in a request and answer the path of the sign-in that leads to it; None where it cannot be kept.

    Only a form that a page of this very site sent is kept: what another site's page posts here is never sent again in
    the person's name (docs/decisions/kept-forms.md), nor what has a token of ours that is not this browser's. Whatever
    else the request wrote is taken back.
    """
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if request.method != "POST" or request.content_type != _KIND or origin is None:
        return None
    if origin_of(origin) != request.federation.site.origin or not is_safe(request.path_qs):
        return None
    if (request.content_length or 0) > forms.MAX_OCTETS:
        return None
    try:
        fields = tuple((str(name), str(value)) for name, value in request.POST.items())
        if csrf.FIELD in request.POST:
            csrf.check(request)
    except (UnicodeDecodeError, BadCSRFToken):
        return None
    browser = binding.own(request.sp.browser)
    with instead(request):
        handle = forms.keep(
            request.sp.session, Form(request.path_qs, fields), browser=browser, now=request.federation.now
        )
    if handle is None:
        return None

    def bind(_request: Request, response: Response) -> None:
        request.federation.cookies.set(response, cookies.BINDING, browser, max_age=forms.WINDOW)

    request.add_response_callback(bind)
    path: str = request.sp.login_path(request.route_path("sp.form", _query={"handle": handle}))
    return path
