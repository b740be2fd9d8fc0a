"""The second factor in a running session: a code is asked for, and nothing that was shown already."""

from __future__ import annotations

import math
from typing import Any, Final

from pyramid.exceptions import BadCSRFToken
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config

from federation.web import csrf, page, saml
from federation.web.cookies import SESSION
from idp_app.services import enrolment, second_factor, sessions
from idp_app.services.methods import Missing
from idp_app.views.destinations import Destination

TEMPLATE: Final = "idp_app:templates/second_factor.jinja2"
WRONG: Final = "The code is not right, or it was used already. Wait for the next one."


@view_config(route_name="idp.second_factor", request_method="GET")
def show(request: Request) -> Response:
    """The form for a code, or how to set a second factor up where there is none."""
    destination = Destination.of(request, request.GET)
    onward = _elsewhere(request, destination)
    return onward if onward is not None else _form(request, destination)


@view_config(route_name="idp.second_factor", request_method="POST")
def submit(request: Request) -> Response:
    """Try a code."""
    idp, exchange = request.idp, request.federation
    destination = Destination.of(request, request.POST)
    onward = _elsewhere(request, destination)
    if onward is not None:
        return onward
    proof = second_factor.prove(
        idp.session,
        idp.signed_in.person_id,
        str(request.POST.get("code", "")),
        idp.installation.second_factor_secrets,
        idp.act,
        address=exchange.client_address,
    )
    if proof.wait:
        seconds = math.ceil(proof.wait.total_seconds())
        response = _form(request, destination, 429, wait=seconds)
        response.headers["Retry-After"] = str(seconds)
        return response
    if proof.method is None:
        return _form(request, destination, 403, error=WRONG)
    response = saml.redirect(destination.url(request))
    remember(request, response, proof.method)
    return response


@exception_view_config(BadCSRFToken, route_name="idp.second_factor")
def stale(_error: Exception, request: Request) -> Response:
    """A form from before something changed in another tab: show it afresh, or go on if nothing is missing now."""
    query = {name: value for name in ("continue", "next") if (value := request.POST.get(name)) and len(value) < 200}
    return saml.redirect(request.federation.url("idp.second_factor", _query=query))


def remember(request: Request, response: Response, method: str) -> None:
    """Note in the session that a second factor was used, under a new token and with new forms."""
    idp, exchange = request.idp, request.federation
    token = sessions.add_second_factor(idp.session, idp.signed_in, method=method, now=exchange.now)
    csrf.renew(request)
    exchange.cookies.set(response, SESSION, token)


def _elsewhere(request: Request, destination: Destination) -> Response | None:
    """Where somebody goes who has nothing to do here: without a password first, or with nothing missing."""
    missing = destination.missing(request)
    if request.idp.signed_in is None or missing is Missing.PASSWORD:
        return saml.redirect(request.federation.url("idp.sign_in", _query=destination.query))
    if destination.waiting is not None and missing is None:
        return saml.redirect(destination.url(request))
    return None


def _form(request: Request, destination: Destination, status: int = 200, **values: Any) -> Response:
    idp = request.idp
    known = {
        "destination": destination,
        "factor": second_factor.of(idp.session, idp.signed_in.person_id),
        "needs_code": idp.installation.settings.second_factor_enrolment == enrolment.BY_ADMINISTRATOR,
        "error": None,
        "wait": 0,
    }
    return page(request, TEMPLATE, {**known, **values}, status=status)
