"""A form that was sent without a session: kept, and sent on once its sender has signed in."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.web import csrf, page
from federation.web.saml import redirect
from sp_app.services import forms


@view_config(route_name="sp.form", request_method="GET")
def send_on(_context: object, request: Request) -> Response:
    """Send the form at once, or at a click where scripts are off; with a token of now where it had one of ours."""
    handle = request.GET.get("handle")
    if request.sp.identity is None:
        return redirect(request.federation.site.origin + request.sp.login_path(request.path_qs))
    form = forms.take(request.sp.session, handle, browser=request.sp.browser, now=request.federation.now)
    if form is None:
        return page(request, "sp_app:templates/form_gone.jinja2", status=410)
    fields = [(name, csrf.token(request) if name == csrf.FIELD else value) for name, value in form.fields]
    return page(request, "sp_app:templates/kept_form.jinja2", {"action": form.action, "fields": fields})
