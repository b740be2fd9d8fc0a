"""Signing out: the button, the way to the identity provider, and the page that says how far it went."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.saml.bindings.post import PostForm
from federation.web import cookies, page
from federation.web.saml import form_action_sources, post_form_response, redirect
from sp_app.services import audit, connections
from sp_app.services.sign_out import Leaving
from sp_app.views.endings import tell

HERE = "here"


@view_config(route_name="sp.logout", request_method="GET")
def ask(_context: object, request: Request) -> Response:
    """Let the person choose; also where an application's own policy forbids its forms to leave the site."""
    identity = request.sp.identity
    if identity is None:
        return redirect(request.federation.url("sp.logout.done"))
    way = request.sp.signing_out().way_to_ask(identity.session)
    if way is not None:
        request.federation.allow_form_target(*form_action_sources(way[1].location))
    values = {"idp": way[0].name if way is not None else None, "here": HERE}
    return page(request, "sp_app:templates/sign_out.jinja2", values)


@view_config(route_name="sp.logout", request_method="POST")
def leave(_context: object, request: Request) -> Response:
    """End this browser's session here, then ask the identity provider, unless `scope` says that it ends here only."""
    cookie = request.federation.cookies.get(request, cookies.SESSION)
    everywhere = request.POST.get("scope") != HERE
    leaving = request.sp.signing_out().start(cookie, everywhere=everywhere)
    response = _onward(request, leaving)
    if leaving.ended is not None:
        request.sp.audit(
            kind=audit.SIGNED_OUT,
            detail="a person signed out"
            if leaving.message is None
            else "a person signed out, and the identity provider was asked to end the session there",
            account_id=leaving.ended.account_id,
            idp_entity_id=leaving.ended.idp_entity_id,
        )
    tell(request, response, (leaving.ended,) if leaving.ended is not None else (), leaving=True)
    return response


@view_config(route_name="sp.logout.done", request_method="GET")
def done(_context: object, request: Request) -> Response:
    """How far the sign-out went, what remains, and what to do."""
    began = request.sp.signing_out().outcome(request.GET.get("handle"))
    connection = connections.by_entity_id(request.sp.session, began.idp_entity_id) if began is not None else None
    idp = connection.name if connection is not None else "your identity provider"
    values = {
        "outcome": began.outcome or "asked" if began is not None else None,
        "idp": idp,
        "identity": request.sp.identity,
    }
    return page(request, "sp_app:templates/signed_out.jinja2", values)


def last_page(request: Request, handle: str, outcome: str | None) -> str:
    """Where a sign-out ends: the application's own page, told by a parameter, or ours."""
    target: str = request.sp.provider.settings.logout_target
    if not target:
        return str(request.federation.url("sp.logout.done", _query={"handle": handle}))
    mark = "&" if "?" in target else "?"
    path, hash_sign, fragment = target.partition("#")
    return f"{request.federation.site.origin}{path}{mark}signed_out={outcome or HERE}{hash_sign}{fragment}"


def _onward(request: Request, leaving: Leaving) -> Response:
    if leaving.message is None:
        began = request.sp.signing_out().outcome(leaving.handle)
        return redirect(last_page(request, leaving.handle, began.outcome if began is not None else None))
    if isinstance(leaving.message, PostForm):
        assert leaving.partner is not None
        name = leaving.partner.name
        return post_form_response(request, leaving.message, f"Signing out at {name}", recipient=name)
    return redirect(leaving.message)
