"""Pages that ask for more than being signed in: an authentication context, for a view, a path, or a line of code.

    @view_config(route_name="payroll", authn_context="https://refeds.org/profile/mfa")
    request.sp.require("https://refeds.org/profile/mfa", "http://schemas.microsoft.com/claims/multipleauthn")
    sp.authn_contexts_for = /payroll=https://refeds.org/profile/mfa

All three send the browser to the identity provider with exactly these classes, and only when the session has none of
them (SDP-SP07, IIP-SP06). What comes back is held against them before a session opens (IIP-SP07).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pyramid.config import Configurator
from pyramid.httpexceptions import HTTPForbidden, HTTPSeeOther
from pyramid.request import Request
from pyramid.response import Response
from pyramid.traversal import split_path_info
from pyramid.viewderivers import INGRESS

from sp_app.provider import provider_of
from sp_app.targets import is_safe

OPTION: Final = "authn_context"
View = Callable[[Any, Request], Response]


def require(request: Request, class_refs: Sequence[str]) -> None:
    """Go on only in a session that began in one of these ways; otherwise the browser leaves for the identity provider.

    Raises `HTTPSeeOther`, which leads back to this page; `HTTPForbidden` for a form, which could not be sent again.
    """
    identity = request.sp.identity
    if identity is not None and identity.session.authn_context_class_ref in class_refs:
        return
    if request.method not in ("GET", "HEAD") or not request.sp.enabled:
        raise HTTPForbidden("the session is not strong enough")
    query = {"authnContextClassRef": " ".join(class_refs)}
    if is_safe(request.path_qs):
        query["target"] = request.path_qs
    raise HTTPSeeOther(request.federation.site.origin + request.route_path("sp.login", _query=query))


def demanded_at(path_info: str, paths: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """The classes that the settings ask for at a path: those of the longest prefix of whole segments."""
    segments = split_path_info(path_info)
    fitting = [path for path in paths if segments[: len(parts := split_path_info(path))] == parts]
    return tuple(paths[max(fitting, key=lambda path: len(split_path_info(path)))]) if fitting else ()


def guard(view: View, info: Any) -> View:
    """The view deriver. It stands before permissions are asked: who is not signed in yet makes one journey, not two."""
    asked = info.options.get(OPTION) or ()
    of_view = (asked,) if isinstance(asked, str) else tuple(asked)
    if info.exception_only:
        return view

    def guarded(context: Any, request: Request) -> Response:
        paths = provider_of(request.registry).settings.demands
        class_refs = of_view or (demanded_at(request.path_info, paths) if paths else ())
        if class_refs:
            require(request, class_refs)
        return view(context, request)

    return guarded


guard.options = (OPTION,)  # type: ignore[attr-defined]


def includeme(config: Configurator) -> None:
    """Guard the views of the whole application."""
    config.add_view_deriver(guard, "federation_demand", under=INGRESS, over="secured_view")
