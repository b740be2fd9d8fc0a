"""Signing in and out.

The sign-in page works without a request too, from a bookmark or an old tab: it then leads to the home page, or to the
console page that asked for it.
"""

from __future__ import annotations

import math
from typing import Any, Final

from pyramid.exceptions import BadCSRFToken
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config

from federation.saml.profiles.authn_context import PASSWORD
from federation.web import csrf, page, saml
from federation.web.cookies import SESSION
from idp_app.services import audit, sessions, sign_in, switch
from idp_app.services.logout import requests, runs
from idp_app.services.methods import Missing
from idp_app.services.sign_in import Attempt, Verdict
from idp_app.views.destinations import Destination

TEMPLATE: Final = "idp_app:templates/sign_in.jinja2"
_WRONG: Final = "The user name or the password is not right."
_SUSPENDED: Final = "Your account is suspended. Ask your administrator about it."


@view_config(route_name="idp.sign_in", request_method="GET")
def show(request: Request) -> Response:
    """The form; who is signed in already goes straight on, unless they want to be somebody else."""
    destination = Destination.of(request, request.GET)
    if destination.missing(request) is not Missing.PASSWORD and "switch" not in request.GET:
        return saml.redirect(destination.url(request))
    return _form(request, destination)


@view_config(route_name="idp.sign_in", request_method="POST")
def submit(request: Request) -> Response:
    """Try the password."""
    idp, exchange = request.idp, request.federation
    destination = Destination.of(request, request.POST)
    username, password = str(request.POST.get("username", "")), str(request.POST.get("password", ""))
    attempt = sign_in.attempt(
        idp.session,
        username=username,
        password=password,
        browser_hash=idp.browser_hash,
        address=exchange.client_address,
        now=exchange.now,
        passwords=idp.installation.passwords,
        throttle_secret=idp.installation.throttle_secret,
    )
    person_id = attempt.person.id if attempt.person is not None else None
    audit.record(idp.session, f"sign_in.{attempt.verdict.value}", idp.act, person_id=person_id)
    if attempt.verdict is not Verdict.ACCEPTED or attempt.person is None:
        return _refused(request, destination, username, attempt)
    token = sessions.start(
        idp.session,
        attempt.person.id,
        method=PASSWORD,
        now=exchange.now,
        settings=idp.installation.settings,
        previous=idp.signed_in,
    )
    csrf.renew(request)
    response = saml.redirect(destination.url(request))
    exchange.cookies.set(response, SESSION, token)
    return response


@exception_view_config(BadCSRFToken, route_name="idp.sign_in")
def stale(_error: Exception, request: Request) -> Response:
    """A form from before a sign-in in another tab: show it afresh, or go on if that sign-in was enough."""
    query = {name: value for name in ("continue", "next") if (value := request.POST.get(name)) and len(value) < 200}
    return saml.redirect(request.federation.url("idp.sign_in", _query=query))


@view_config(route_name="idp.sign_out", request_method="GET")
def ask_sign_out(request: Request) -> Response:
    """Ask first: a link must not sign anybody out."""
    idp = request.idp
    if idp.signed_in is None:
        return saml.redirect(request.federation.url("idp.home"))
    partners = idp.installation.partners
    sites = [partners.by_id(idp.session, each) for each in requests.sites_of(idp.session, idp.signed_in.session_id)]
    # The button sends the browser through these sites, and Chromium holds the whole journey against form-action.
    for site in sites:
        for endpoint in site.sp.single_logout:
            request.federation.allow_form_target(*saml.form_action_sources(endpoint.location))
    values = {"sites": sites, "federating": switch.is_on(idp.session)}
    return page(request, "idp_app:templates/sign_out.jinja2", values)


@view_config(route_name="idp.sign_out", request_method="POST")
def sign_out(request: Request) -> Response:
    """End the session here, and at every site that it reached unless the person wants to stay signed in there."""
    idp, exchange = request.idp, request.federation
    address = exchange.url("idp.home", _query={"signed-out": "yes"})
    if idp.signed_in is not None:
        here, act = idp.signed_in, idp.act
        sessions.end(idp.session, here.session_id, exchange.now)
        everywhere = request.POST.get("scope") != "here" and switch.is_on(idp.session)
        audit.record(idp.session, "sign_out", act, person_id=here.person_id, detail={"everywhere": everywhere})
        if everywhere:
            run = runs.begin(
                idp.session,
                (here.session_id,),
                act,
                person_id=here.person_id,
                by_browser=True,
                browser_hash=idp.browser_hash,
            )
            address = exchange.url("idp.logout", key=run.key) if run is not None else address
    csrf.renew(request)
    response = saml.redirect(address)
    exchange.cookies.delete(response, SESSION)
    return response


def _form(request: Request, destination: Destination, status: int = 200, **values: Any) -> Response:
    return page(
        request,
        TEMPLATE,
        {"destination": destination, "username": "", "error": None, "wait": 0, **values},
        status=status,
    )


def _refused(request: Request, destination: Destination, username: str, attempt: Attempt) -> Response:
    seconds = math.ceil(attempt.wait.total_seconds())
    match attempt.verdict:
        case Verdict.WAIT:
            response = _form(request, destination, 429, username=username, wait=seconds)
            response.headers["Retry-After"] = str(seconds)
            return response
        case Verdict.SUSPENDED:
            return _form(request, destination, 403, username=username, error=_SUSPENDED)
        case _:
            return _form(request, destination, 403, username=username, error=_WRONG)
