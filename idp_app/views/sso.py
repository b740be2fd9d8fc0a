"""Single sign-on: a request comes in, and the browser goes on to the sign-in page, to the partner, or is told no.

A request by HTTP-POST comes from another site's page, so the browser holds back our cookies. It is kept on the server
and the browser sent on by a redirect; the next step has the cookies, and can be reloaded.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import PolicyRefusal, Refused
from federation.http import OutgoingError
from federation.saml.bindings.post import PostForm
from federation.saml.checks import Check
from federation.saml.profiles import unsolicited
from federation.saml.profiles.refusals import RequestRefused
from federation.web import page, saml
from idp_app.services import answers, artifacts, audit, questions, sso
from idp_app.services.live import LiveConnection
from idp_app.services.questions import Waiting
from idp_app.views import refusals

_BECAUSE: Final = {"denied": sso.REQUEST_DENIED, "unable": sso.NO_AUTHN_CONTEXT}


@view_config(route_name="idp.sso", request_method=("GET", "POST"))
def asked(request: Request) -> Response:
    """An AuthnRequest by HTTP-Redirect or HTTP-POST, or a reference to one.

    One view: of two, Pyramid may try the wrong one first, and makes an exception of it at each login.
    """
    return by_post(request) if request.method == "POST" else by_redirect(request)


def by_redirect(request: Request) -> Response:
    """An AuthnRequest by HTTP-Redirect, or a reference to one."""

    def go_on(arrival: sso.Arrival) -> Response:
        waiting = _remember(request, arrival, request.idp.browser_hash)
        return _follow(request, arrival.partner, waiting, arrival.checks)

    return _accepted(request, go_on)


def by_post(request: Request) -> Response:
    """An AuthnRequest by HTTP-POST, or a reference to one."""

    def go_on(arrival: sso.Arrival) -> Response:
        waiting = _remember(request, arrival, None)
        _note(request, arrival.partner, waiting, arrival.checks)
        return saml.redirect(request.federation.url("idp.continue", key=waiting.key))

    return _accepted(request, go_on)


@view_config(route_name="idp.unsolicited", request_method="GET")
def unsolicited_start(request: Request) -> Response:
    """A link to a site, without a request: parameters `providerId`, `shire`, `target`, `time`."""
    idp = request.idp
    asked = unsolicited.parse(request.GET.items())
    try:
        arrival = sso.start(idp.session, asked, idp.installation, request.federation.now)
        waiting = _remember(request, arrival, idp.browser_hash)
        return _follow(request, arrival.partner, waiting, arrival.checks)
    except (Refused, PolicyRefusal) as refusal:
        return refusals.tell(request, refusal)


def _accepted(request: Request, go_on: Callable[[sso.Arrival], Response]) -> Response:
    """Accept a request and go on with it, or tell the partner or the person why not."""
    idp, now = request.idp, request.federation.now
    found = saml.receive_artifact(request)
    sender: LiveConnection | None = None
    try:
        if found is None:
            received = saml.receive(request)
        else:
            fetched = artifacts.fetch(idp.session, idp.installation, *found, now)
            received, sender = fetched.received, fetched.sender
        return go_on(sso.arrive(idp.session, received, idp.installation, now, sender=sender))
    except RequestRefused as refused:
        return refusals.answer(request, refused, received)
    except (Refused, PolicyRefusal, OutgoingError) as refusal:
        return refusals.tell(request, refusal)


@view_config(route_name="idp.continue", request_method="GET")
def proceed(request: Request) -> Response:
    """Go on with a request that waits: after the sign-in, after a post, at a reload."""
    try:
        partner, waiting = waiting_for(request, request.matchdict["key"])
        return _follow(request, partner, waiting, ())
    except PolicyRefusal as refusal:
        return refusals.tell(request, refusal)


@view_config(route_name="idp.continue", request_method="POST")
def give_up(request: Request) -> Response:
    """The person goes back: the partner is told that it was denied, cannot be done, or that the person cancelled."""
    idp = request.idp
    status = _BECAUSE.get(request.POST.get("because"), sso.CANCELLED)
    try:
        partner, waiting = waiting_for(request, request.matchdict["key"])
        sso.require_partner(partner, waiting.question, request.federation.now)
    except PolicyRefusal as refusal:
        return refusals.tell(request, refusal)
    if waiting.question.request_id is None:  # nobody asked, so nobody waits for an answer
        return saml.redirect(request.federation.url("idp.home"))
    message = answers.error(idp.session, idp.installation, partner, waiting.question, status, idp.act)
    return saml.post_form_response(request, message, f"Back to {partner.name}", recipient=partner.name)


def waiting_for(request: Request, key: str) -> tuple[LiveConnection, Waiting]:
    """The question under a key that this browser may go on with, and whose it is. Raises `PolicyRefusal`."""
    idp = request.idp
    waiting = questions.claim(idp.session, key, browser_hash=idp.browser_hash, now=request.federation.now)
    return idp.installation.partners.by_id(idp.session, waiting.connection_id), waiting


def _remember(request: Request, arrival: sso.Arrival, browser_hash: bytes | None) -> Waiting:
    idp = request.idp
    return questions.remember(
        idp.session,
        arrival.question,
        connection_id=arrival.partner.id,
        digest=arrival.digest,
        browser_hash=browser_hash,
        checks=arrival.checks,
        now=request.federation.now,
        window=idp.installation.settings.sign_in_window,
    )


def _follow(request: Request, partner: LiveConnection, waiting: Waiting, checks: tuple[Check, ...]) -> Response:
    """Answer, or show what only a person can settle."""
    idp = request.idp
    outcome = sso.answer(idp.session, idp.installation, partner, waiting, idp.signed_in, idp.act, checks=checks)
    if checks and isinstance(outcome, sso.SignInNeeded | sso.SecondFactorNeeded):
        _note(request, partner, waiting, checks)
    match outcome:
        case PostForm():
            return saml.post_form_response(request, outcome, f"Signing in to {partner.name}", recipient=partner.name)
        case sso.SignInNeeded(waiting=held):
            return saml.redirect(request.federation.url("idp.sign_in", _query={"continue": held.key}))
        case sso.SecondFactorNeeded(waiting=held):
            return saml.redirect(request.federation.url("idp.second_factor", _query={"continue": held.key}))
        case sso.Denied(waiting=held, reason=reason):
            values = {"partner": partner, "waiting": held, "reason": reason, "signed_in": idp.signed_in}
            return page(request, "idp_app:templates/denied.jinja2", values, status=403)


def _note(request: Request, partner: LiveConnection, waiting: Waiting, checks: tuple[Check, ...]) -> None:
    """An accepted request that is answered later, in another request of the browser: what it was is known here."""
    audit.record(
        request.idp.session,
        "sso.received",
        request.idp.act,
        entity_id=partner.entity_id,
        request_id=waiting.question.request_id,
        checks=checks,
    )
