"""The public page, the protected ones, and the same for programs."""

from __future__ import annotations

from typing import Any

from pyramid.httpexceptions import HTTPForbidden
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import forbidden_view_config, view_config

from federation.attributes.catalogue import entry_named
from federation.web import page
from federation.web.problems import Problem, problem_view, respond
from federation.web.saml import redirect
from sp_app.composition import Identity
from sp_app.demand import demanded_at
from sp_app.demo.security import Permission
from sp_app.services import connections

_SWITCHED_OFF = Problem(
    403,
    "Signing in is switched off",
    "This page is for people who are signed in, and the federation is not enabled at this site.",
    "An administrator can enable it.",
)


@view_config(route_name="home", request_method="GET")
def home(_context: object, request: Request) -> Response:
    """What everybody sees."""
    enabled = request.sp.enabled
    idps = connections.active(request.sp.session) if enabled else ()
    payroll = bool(demanded_at("/private/payroll", request.sp.provider.settings.demands))
    return page(request, "sp_app.demo:templates/home.jinja2", {"enabled": enabled, "idps": idps, "payroll": payroll})


@view_config(route_name="private", request_method="GET", permission=Permission.VIEW)
@view_config(route_name="private.page", request_method="GET", permission=Permission.VIEW)
def private(_context: object, request: Request) -> Response:
    """Who is signed in, how, and what arrived about them."""
    identity: Identity = request.identity
    values = {
        "account": identity.account,
        "session": identity.session,
        "idp": connections.by_entity_id(request.sp.session, identity.session.idp_entity_id),
        "attributes": [_told(each) for each in identity.session.attributes],
        "asked_for": request.path_qs,
    }
    return page(request, "sp_app.demo:templates/private.jinja2", values)


def _told(attribute: dict[str, Any]) -> tuple[Any, ...]:
    """An attribute as the page lists it: our own label for a name we know, else what the identity provider calls it."""
    entry = entry_named(attribute["name"], None)
    label = entry.label if entry is not None else str(attribute["friendly_name"] or attribute["name"])
    shown_as = ("code",) if entry is not None and entry.is_identifier else ()
    return (label, attribute["values"], *shown_as)


@view_config(route_name="whoami", request_method="GET")
def whoami(_context: object, request: Request) -> Response:
    """The same as the private page, as JSON."""
    identity: Identity | None = request.identity
    if identity is None:
        return Response(json_body={"signed_in": False}, status=401)
    session, profile = identity.session, identity.account.profile
    return Response(
        json_body={
            "signed_in": True,
            "account": {
                "id": identity.account.id,
                "username": profile.username,
                "display_name": profile.display_name,
                "mail": profile.mail,
            },
            "identity_provider": session.idp_entity_id,
            "name_id": {"value": session.name_id, "format": session.name_id_format},
            "session_index": session.session_index,
            "authn_instant": session.authn_instant.isoformat(),
            "authn_context_class_ref": session.authn_context_class_ref,
            "signed_in_at": session.created_at.isoformat(),
            "expires_at": session.expires_at.isoformat(),
            "attributes": {each["name"]: each["values"] for each in session.attributes},
            "friendly_names": {each["name"]: each["friendly_name"] for each in session.attributes},
        }
    )


@view_config(route_name="healthz", request_method="GET")
def healthz(_context: object, request: Request) -> Response:
    """Ready: the settings are good (or we would not have started) and the database answers."""
    return Response(json_body={"status": "ready", "federation": "on" if request.sp.enabled else "off"})


@forbidden_view_config()
def forbidden(error: HTTPForbidden, request: Request) -> Response:
    """Whoever is not signed in is sent to sign in, and comes back to this very page, or sends this very form."""
    if request.identity is not None:
        return problem_view(error, request)
    if not request.sp.enabled:
        return respond(request, _SWITCHED_OFF)
    reading = request.method in ("GET", "HEAD")
    path = request.sp.login_path(request.path_qs) if reading else request.sp.keep_form()
    return redirect(request.federation.site.origin + path) if path is not None else problem_view(error, request)
