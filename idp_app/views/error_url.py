"""The page behind our errorURL: somebody could not get into a site, and that site does not know how to help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.attributes.catalogue import entry_named
from federation.saml.profiles import error_url
from federation.saml.profiles.error_url import ErrorCode, ReportedError
from federation.web import page
from idp_app.services import audit


class Words(NamedTuple):
    """What a person is told; `names` is what the names in the context are."""

    title: str
    sentence: str
    advice: str
    names: str


WORDS: Final[Mapping[str, Words]] = {
    ErrorCode.IDENTIFICATION_FAILURE: Words(
        "{site} was not told enough about you",
        "You signed in correctly, but {site} needs something that it was not told.",
        "Either it is not known about you here, or it is not released to that site; both can be changed.",
        "What it needs",
    ),
    ErrorCode.AUTHENTICATION_FAILURE: Words(
        "{site} wants you to sign in another way",
        "You signed in, but not in the way that {site} asks for: with a second factor, for instance, or anew.",
        "Sign in to that site again. If you are not asked for more, what it asks for is not offered to you here yet.",
        "What it asks for",
    ),
    ErrorCode.AUTHORIZATION_FAILURE: Words(
        "{site} did not let you in",
        "You signed in correctly, but {site} has no access for you.",
        "Who may use it depends on that site, and on the groups that you are in here.",
        "What it needs",
    ),
    ErrorCode.OTHER_ERROR: Words(
        "Something went wrong at {site}",
        "You were signed in from here, and {site} could not go on.",
        "Go back to that site and try once more.",
        "What it says",
    ),
}


@view_config(route_name="idp.error", request_method="GET")
def error(request: Request) -> Response:
    """Say it in plain words, and what to give to whoever helps (REFEDS errorURL 1.0).

    The query is a stranger's word. It is shown escaped and bounded, a site by its name only where it is connected, and
    it goes on record only where somebody is signed in whose word it can be.
    """
    idp = request.idp
    reported = error_url.read(request.GET)
    entity_id = reported.sp_entity_id
    partner = idp.installation.partners.by_entity_id(idp.session, entity_id) if entity_id is not None else None
    recorded = partner is not None and idp.signed_in is not None
    if partner is not None and idp.signed_in is not None:
        detail = {"code": reported.code, "their_reference": reported.reference, "names": list(reported.names)}
        audit.record(
            idp.session,
            "error.reported",
            idp.act,
            person_id=idp.signed_in.person_id,
            entity_id=partner.entity_id,
            detail=detail,
        )
    site = partner.name if partner is not None else "the site that you came from"
    words = WORDS[reported.code]
    title = words.title.format(site=site)
    values = {
        "title": title[0].upper() + title[1:],
        "sentence": words.sentence.format(site=site if partner is not None else "that site"),
        "advice": words.advice,
        "facts": _facts(reported, words, request),
        "recorded": recorded,
        "support_email": idp.installation.settings.support_email,
    }
    return page(request, "idp_app:templates/error_url.jinja2", values)


def _facts(reported: ReportedError, words: Words, request: Request) -> list[tuple[str, ...] | tuple[str, list[str]]]:
    """What to give to whoever helps, as the page lists it."""
    facts: list[tuple[str, ...] | tuple[str, list[str]]] = []
    if reported.names:
        facts.append((words.names, [_label(name) for name in reported.names]))
    if reported.reference is not None:
        facts.append(("Reference number of that site", reported.reference, "code"))
    if reported.at is not None:
        facts.append(("When", f"{reported.at:%-d %b %Y, %H:%M} UTC"))
    if reported.sp_entity_id is not None:
        facts.append(("Its identifier", reported.sp_entity_id, "code"))
    return facts


def _label(name: str) -> str:
    entry = entry_named(name, None)
    return entry.label if entry is not None else name
