"""A person's own page: who they are here, and their second factor."""

from __future__ import annotations

import math
from typing import Any, Final

import segno
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import PolicyRefusal
from federation.web import page, saml
from idp_app.services import enrolment, second_factor, sign_in
from idp_app.services.second_factor import Pending
from idp_app.services.sign_in import Verdict
from idp_app.views import second_factor as second_factor_page
from idp_app.views.destinations import Destination

TEMPLATE: Final = "idp_app:templates/account_page.jinja2"
_WRONG_PASSWORD: Final = "The password is not right."  # noqa: S105 - a sentence about one
_WRONG_FIRST: Final = "The code is not right. Check the clock of the device, and type the code that it shows now."
_WRONG_ENROLMENT: Final = "That code is not right, or it is too old. An administrator can give you another."
_TOO_LATE: Final = "That took too long, so it has to begin again."


@view_config(route_name="idp.account", request_method="GET")
def show(request: Request) -> Response:
    """Who is signed in, and whether there is a second factor."""
    return _signed_out(request) or _page(request, removed="removed" in request.GET)


@view_config(route_name="idp.account", request_method="POST")
def change(request: Request) -> Response:
    """Set a second factor up, confirm it, get new recovery codes, or take it away."""
    steps = {"begin": _begin, "confirm": _confirm, "renew": _renew, "remove": _remove}
    step = steps.get(str(request.POST.get("action", "")), _page)
    return _signed_out(request) or step(request)


def _begin(request: Request) -> Response:
    """The password once more: a session left open somewhere must not be enough to set a second factor."""
    idp, exchange = request.idp, request.federation
    attempt = sign_in.attempt(
        idp.session,
        username=idp.signed_in.username,
        password=str(request.POST.get("password", "")),
        browser_hash=idp.browser_hash,
        address=exchange.client_address,
        now=exchange.now,
        passwords=idp.installation.passwords,
        throttle_secret=idp.installation.throttle_secret,
    )
    if attempt.verdict is Verdict.WAIT:
        return _wait(request, attempt.wait.total_seconds())
    if attempt.verdict is not Verdict.ACCEPTED:
        return _page(request, 403, password_error=_WRONG_PASSWORD)
    code, own = str(request.POST.get("enrolment", "")), idp.installation.second_factor_secrets
    if _needs_code(request) and not enrolment.knows(idp.session, idp.signed_in.person_id, code, own.recovery, idp.act):
        return _page(request, 403, enrolment_error=_WRONG_ENROLMENT)
    pending = second_factor.begin(idp.signed_in.session_id, now=exchange.now, box=idp.installation.secret_box)
    return _page(request, pending=pending)


def _confirm(request: Request) -> Response:
    idp, own = request.idp, request.idp.installation.second_factor_secrets
    try:
        pending = second_factor.pending(
            str(request.POST.get("pending", "")), idp.signed_in.session_id, now=request.federation.now, box=own.box
        )
        code = str(request.POST.get("code", ""))
        codes = second_factor.confirm(
            idp.session,
            idp.signed_in.person_id,
            pending,
            code,
            own,
            idp.act,
            enrolled_by=idp.installation.settings.second_factor_enrolment,
        )
    except PolicyRefusal:
        return _page(request, 403, password_error=_TOO_LATE)
    if codes is None:
        return _page(request, 403, pending=pending, code_error=_WRONG_FIRST)
    response = _page(request, codes=codes, new=True)
    second_factor_page.remember(request, response, second_factor.TOTP)
    return response


def _renew(request: Request) -> Response:
    idp, own = request.idp, request.idp.installation.second_factor_secrets
    refusal = _prove(request)
    if refusal is not None:
        return refusal
    codes = second_factor.renew_recovery_codes(idp.session, idp.signed_in.person_id, own, idp.act)
    return _page(request, codes=codes)


def _remove(request: Request) -> Response:
    refusal = _prove(request)
    if refusal is not None:
        return refusal
    second_factor.remove(request.idp.session, request.idp.signed_in.person_id, request.idp.act)
    return saml.redirect(request.federation.url("idp.account", _query={"removed": "yes"}))


def _prove(request: Request) -> Response | None:
    """A code of the second factor itself: only whoever has it may change it."""
    idp = request.idp
    proof = second_factor.prove(
        idp.session,
        idp.signed_in.person_id,
        str(request.POST.get("code", "")),
        idp.installation.second_factor_secrets,
        idp.act,
        address=request.federation.client_address,
    )
    if proof.wait:
        return _wait(request, proof.wait.total_seconds())
    return None if proof.method is not None else _page(request, 403, code_error=second_factor_page.WRONG)


def _needs_code(request: Request) -> bool:
    return bool(request.idp.installation.settings.second_factor_enrolment == enrolment.BY_ADMINISTRATOR)


def _signed_out(request: Request) -> Response | None:
    if request.idp.signed_in is not None:
        return None
    return saml.redirect(request.federation.url("idp.sign_in", _query={"next": "/account"}))


def _wait(request: Request, seconds: float) -> Response:
    response = _page(request, 429, wait=math.ceil(seconds))
    response.headers["Retry-After"] = str(math.ceil(seconds))
    return response


def _page(request: Request, status: int = 200, *, pending: Pending | None = None, **values: Any) -> Response:
    idp = request.idp
    known = {
        "signed_in": idp.signed_in,
        "factor": second_factor.of(idp.session, idp.signed_in.person_id),
        "codes_left": second_factor.recovery_codes_left(idp.session, idp.signed_in.person_id),
        "destination": Destination.of(request, request.params),
        "pending": pending,
        "picture": None if pending is None else _picture(request, pending),
        "codes": (),
        "new": False,
        "removed": False,
        "wait": 0,
        "needs_code": _needs_code(request),
        "password_error": None,
        "enrolment_error": None,
        "code_error": None,
    }
    return page(request, TEMPLATE, {**known, **values}, status=status)


def _picture(request: Request, pending: Pending) -> str:
    """The QR code as a data URI, dark on light whatever the page's colours are."""
    uri = pending.uri(site_name=request.federation.site.name, username=request.idp.signed_in.username)
    return str(segno.make_qr(uri, error="m").svg_data_uri(scale=5, border=4, light="#fff", omitsize=False))
