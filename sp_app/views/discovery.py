"""Choosing an identity provider: the page, which is a discovery service, and the way back from whichever was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.saml.profiles import discovery as profile
from federation.saml.profiles.discovery import AcceptedDiscovery
from federation.web import page
from federation.web.cookies import Purpose
from federation.web.languages import readers_languages
from federation.web.saml import redirect
from sp_app.services import chooser, offers
from sp_app.services.chooser import Choice, Shown
from sp_app.services.interruptions import NoChoice
from sp_app.views.login import depart

CHOICES: Final = Purpose("choices")
"""The identity providers that were chosen in this browser, the last one first: their keys, joined by dots."""
REMEMBERED: Final = 3
_REMEMBER_FOR: Final = timedelta(days=365)
_MAX_COOKIE: Final = 200
_PAGE: Final = 40
_MAX_WORDS: Final = 100


@view_config(route_name="sp.discovery", request_method="GET")
def choose(_context: object, request: Request) -> Response:
    """The discovery service (IDPDISC 2.4): the page to choose on, its search, and the choice, which is a link.

    A link and not a form: Chromium holds a form's whole journey against form-action, and this one leaves the site.
    """
    accepted = _accept(request, request.GET)
    listed = request.sp.provider.choices.listed(request.sp.session, request.federation.now)
    remembered = _remembered(request, listed)
    if accepted.request.is_passive:
        return redirect(profile.answer_url(accepted, remembered[0].entity_id if remembered else None))
    wanted = request.GET.get("choose")
    chosen = next((choice for choice in listed if choice.entity_id == wanted), None)
    if chosen is None and wanted is not None:
        chosen = offers.by_entity_id(request.sp.session, request.federation.now, wanted)
    if chosen is not None:
        response = redirect(profile.answer_url(accepted, chosen.entity_id))
        keys = dict.fromkeys((chosen.key, *(choice.key for choice in remembered)))
        request.federation.cookies.set(response, CHOICES, ".".join([*keys][:REMEMBERED]), max_age=_REMEMBER_FOR)
        return response
    return page(request, "sp_app:templates/choose.jinja2", _values(request, accepted, listed, remembered, wanted))


@view_config(route_name="sp.discovery", request_method="POST")
def forget(_context: object, request: Request) -> Response:
    """Forget what was chosen in this browser, and choose again."""
    accepted = _accept(request, request.POST)
    response = redirect(request.federation.url("sp.discovery", _query=accepted.request.parameters()))
    request.federation.cookies.delete(response, CHOICES)
    return response


@view_config(route_name="sp.discovered", request_method="GET")
def discovered(_context: object, request: Request) -> Response:
    """The discovery service has sent the person back (IDPDISC 2.4.2): go on to the identity provider they chose."""
    entity_id = profile.answered(request.GET.dict_of_lists())
    wish = request.sp.discovery().resume(request.GET.get("state"), request.sp.browser)
    if entity_id is None:
        raise NoChoice("discovery.chosen", "the discovery service found no identity provider")
    return depart(request, wish, entity_id)


def _accept(request: Request, said: Any) -> AcceptedDiscovery:
    provider = request.sp.provider
    return profile.accept(
        profile.read_request(said.dict_of_lists()),
        served=provider.served.with_own(provider.entity, request.federation.now),
        allow_http_loopback=provider.settings.allow_http_loopback,
    )


def _remembered(request: Request, listed: Sequence[Choice]) -> list[Choice]:
    """What was chosen in this browser and can be chosen again, the last one first."""
    cookie = request.federation.cookies.get(request, CHOICES) or ""
    keys = dict.fromkeys(cookie[:_MAX_COOKIE].split("."))
    by_key = {choice.key: choice for choice in listed}
    unknown = [key for key in [*keys][:REMEMBERED] if key not in by_key]
    by_key |= {choice.key: choice for choice in offers.by_keys(request.sp.session, request.federation.now, unknown)}
    return [by_key[key] for key in keys if key in by_key][:REMEMBERED]


def _values(
    request: Request,
    accepted: AcceptedDiscovery,
    listed: Sequence[Choice],
    remembered: Sequence[Choice],
    wanted: str | None,
) -> Mapping[str, Any]:
    """What the page shows: connections first, then what sources offer. Every link and form carries the request on."""
    readers = readers_languages(request)
    asked = accepted.request.parameters()
    words = " ".join(request.GET.get("q", "").split())[:_MAX_WORDS]

    def address(**more: str) -> str:
        path: str = request.route_path("sp.discovery")
        return f"{path}?{urlencode({**asked, **more})}"

    def row(shown: Shown) -> tuple[Shown, str]:
        return shown, address(choose=shown.choice.entity_id)

    everyone = chooser.in_order(chooser.show(choice, readers) for choice in listed)
    by_choice = {id(shown.choice): shown for shown in everyone}
    found = [by_choice[id(choice)] for choice in chooser.search([each.choice for each in everyone], words)]
    session, now = request.sp.session, request.federation.now
    offered = offers.count(session, now)
    matching = offers.count(session, now, words) if words else offered
    count = len(found) + matching
    last = max(1, -(-count // _PAGE))
    number = min(_number(request.GET.get("page")), last)
    start = (number - 1) * _PAGE
    rows = found[start : start + _PAGE]
    if matching and len(rows) < _PAGE:
        more = offers.search(session, now, words, offset=max(start - len(found), 0), limit=_PAGE - len(rows))
        rows += [chooser.show(choice, readers) for choice in more]
    own = request.sp.provider
    return {
        "asked": asked,
        "words": words,
        "total": len(everyone) + offered,
        "found": count,
        "rows": [row(shown) for shown in rows],
        "remembered": [row(by_choice.get(id(choice)) or chooser.show(choice, readers)) for choice in remembered],
        "number": number,
        "last": last,
        "to_page": lambda wanted_page: address(**({"q": words} if words else {}), page=str(wanted_page)),
        "everything": address(),
        "partner": accepted.partner.display_name() if accepted.partner.entity_id != own.entity_id else None,
        "gone": wanted is not None,
        "support_email": own.settings.support_email,
    }


def _number(text: str | None) -> int:
    return (
        int(text) if text is not None and text.isascii() and text.isdecimal() and 0 < len(text) < 5 and int(text) else 1
    )
