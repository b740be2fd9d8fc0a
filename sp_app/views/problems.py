"""When a sign-in does not come about: what happened in one sentence, what to do next, and one click to begin again."""

from __future__ import annotations

import re
from typing import Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config

from federation.attributes.catalogue import CATALOGUE
from federation.errors import FederationError, Malformed, PolicyRefusal, ProtocolError
from federation.http import OutgoingError
from federation.saml.names import StatusCode
from federation.saml.profiles.sso_response import StatusRefused
from federation.web import page, problems
from federation.web.problems import Problem
from sp_app.services import helping
from sp_app.services.helping import Help
from sp_app.services.identity import MissingAttributes
from sp_app.services.interruptions import (
    AlreadyUsed,
    Interrupted,
    NoChoice,
    NoIdentityProvider,
    OtherBrowser,
    TooLate,
    UnknownIdentityProvider,
)
from sp_app.views import passive
from sp_app.views.login import wish_of

_HANDLE: Final = re.compile(r"[A-Za-z0-9_-]{1,80}", re.ASCII)
_ASK: Final = "If it happens again, ask your help desk and give them the reference number."

_OTHER_BROWSER: Final = Problem(
    403,
    "This sign-in belongs to another browser window",
    "Your browser did not bring back the cookie with which the sign-in began, so it was not accepted.",
    "Sign in again here: you will land on the page you first asked for. Cookies must be allowed for this site.",
)
_TOO_LATE: Final = Problem(
    403,
    "This sign-in took too long",
    "It began so long ago that it is no longer accepted.",
    "Sign in again: you will land on the page you first asked for.",
)
_NOT_EXPECTED: Final = Problem(
    403,
    "This sign-in did not begin here",
    "No sign-in that began at this site belongs to what your browser delivered.",
    "Sign in from here instead.",
)
_ALREADY_USED: Final = Problem(
    403,
    "This sign-in was used already",
    "Your browser sent the same sign-in a second time, for instance because the page was reloaded.",
    "If you are signed in, simply go on to your page.",
)
_NO_IDP: Final = Problem(
    403,
    "Nobody can sign you in here yet",
    "This site has no connection to an identity provider that could sign you in.",
    "An administrator of this site has to connect one.",
)
_STRONGER: Final = Problem(
    403,
    "A stronger sign-in is needed",
    "Your identity provider could not sign you in the way that this site asks for.",
    f"Try again. {_ASK}",
)
_UNKNOWN_IDP: Final = Problem(
    403,
    "This site does not know that identity provider",
    "The link named an identity provider that this site is not connected to, so nobody could sign you in there.",
    "Sign in from here instead. If your organisation should be connected, tell your help desk.",
)
_NO_CHOICE: Final = Problem(
    403,
    "You are not signed in yet",
    "No identity provider was chosen, so nobody could sign you in.",
    "Sign in again and choose the organisation that knows you.",
)
_UNANSWERED: Final = Problem(
    502,
    "Your identity provider does not answer",
    "This site has to ask the identity provider's server who you are, and got no answer that it can use.",
    f"Sign in again in a moment. {_ASK}",
)
_BY_RULE: Final = {
    "http.unreachable": _UNANSWERED,
    "http.policy": _UNANSWERED,
    "artifact.message": Problem(
        403,
        "This sign-in cannot be used any more",
        "The identity provider's server has nothing for it: it took too long, or it was used already.",
        f"Sign in again. {_ASK}",
    ),
    "login.other_account": Problem(
        403,
        "You are signed in here as somebody else",
        "A sign-in that did not begin at this site never takes the place of one that is open.",
        "Go on as who you are, or sign out here first and start again at your identity provider.",
    ),
    "login.link": Problem(
        400,
        "This link cannot be used",
        "It asks for a sign-in in a way that this site cannot read.",
        "Start from the first page of this site instead.",
    ),
    "discovery.answer": Problem(
        400,
        "This choice cannot be read",
        "What your browser brought back from choosing an identity provider is damaged.",
        "Sign in again and choose once more.",
    ),
    "assertion.authn_context": _STRONGER,
    "assertion.force_authn": Problem(
        403,
        "You have to sign in anew",
        "This page wants you to have signed in just now, and your identity provider relied on an earlier sign-in.",
        f"Sign in again. {_ASK}",
    ),
    "account.active": Problem(
        403,
        "Your account at this site is inactive",
        "You signed in correctly, but your account here has been deactivated.",
        "If you should have access, ask your help desk and give them the reference number.",
    ),
    "account.removed": Problem(
        403,
        "You have no account at this site any more",
        "You signed in correctly, but your account here has been removed.",
        "If you should have access, ask your help desk and give them the reference number.",
    ),
    "connection.active": Problem(
        403,
        "Signing in is paused",
        "An administrator of this site has paused the connection to this identity provider.",
        "Try again later, or ask your help desk and give them the reference number.",
    ),
    "connection.disconnected": Problem(
        403,
        "Signing in this way is over",
        "An administrator of this site has ended the connection to this identity provider.",
        "If you need to get in, ask your help desk and give them the reference number.",
    ),
    "connection.metadata_valid": Problem(
        403,
        "Signing in is not possible right now",
        "What this site knows about the identity provider has expired and must be renewed by an administrator.",
        "Tell your help desk and give them the reference number.",
    ),
    "logout.came_first": Problem(
        403,
        "You have signed out meanwhile",
        "Your identity provider ended this session before your browser arrived here with it.",
        "Sign in again if you want to go on.",
    ),
    "login.target": Problem(
        400,
        "This link leads nowhere",
        "The page to return to is not a page of this site.",
        "Start from the first page of this site instead.",
    ),
    "attributes.required": Problem(
        403,
        "Your identity provider did not tell enough about you",
        "It signed you in, but did not send everything that this site needs.",
        "Ask for it to be released to this site, and give the reference number.",
    ),
    "identifier.pairwise_id": Problem(
        403,
        "Your identity provider did not tell who you are",
        "It signed you in, but did not send the identifier that this site needs to find your account.",
        "Ask your help desk and give them the reference number: the release policy needs a change.",
    ),
    "identifier.persistent": Problem(
        403,
        "Your identity provider did not tell who you are",
        "It signed you in, but did not send the identifier that this site needs to find your account.",
        "Ask your help desk and give them the reference number: the release policy needs a change.",
    ),
}
_BY_STATUS: Final = {
    StatusCode.REQUEST_DENIED: Problem(
        403,
        "You may not use this site",
        "Your identity provider knows you, but its settings do not give you access to this site.",
        "If you should have access, ask your help desk and give them the reference number.",
    ),
    StatusCode.AUTHN_FAILED: Problem(
        403,
        "You were not signed in",
        "The sign-in at your identity provider was cancelled or did not succeed.",
        f"Try again. {_ASK}",
    ),
    StatusCode.NO_PASSIVE: Problem(
        403,
        "You are not signed in yet",
        "Your identity provider would have had to ask you something, and was told not to.",
        "Sign in: this time it may ask.",
    ),
    StatusCode.NO_AUTHN_CONTEXT: _STRONGER,
    StatusCode.UNKNOWN_PRINCIPAL: Problem(
        403, "Your identity provider does not know you", "It found no person for this sign-in.", f"Try again. {_ASK}"
    ),
}
_OTHER_STATUS: Final = Problem(
    403,
    "Your identity provider could not sign you in",
    "It answered with an error instead of your identity.",
    f"Try again. {_ASK}",
)
_UNREADABLE: Final = Problem(
    400,
    "This sign-in cannot be read",
    "What your browser delivered from the identity provider is damaged or incomplete.",
    f"Sign in again. {_ASK}",
)
_REFUSED: Final = Problem(
    403,
    "This sign-in was not accepted",
    "What your browser delivered did not pass a security check of this site.",
    f"Sign in again. {_ASK}",
)


@exception_view_config(OutgoingError, route_name="sp.acs")
@exception_view_config(ProtocolError, route_name="sp.acs")
@exception_view_config(PolicyRefusal, route_name="sp.acs")
@exception_view_config(ProtocolError, route_name="sp.discovered")
@exception_view_config(PolicyRefusal, route_name="sp.discovered")
@exception_view_config(ProtocolError, route_name="sp.login")
@exception_view_config(PolicyRefusal, route_name="sp.login")
def sign_in_problem(error: ProtocolError | PolicyRefusal | OutgoingError, request: Request) -> Response:
    """Tell the person; the audit entry under the reference number tells the administrator."""
    target = _passive_target(error, request) if passive.came_to_nothing(error) else None
    if target is not None:
        return passive.back(error, target, request)
    problem = describe(error)
    help_found = helps(error, request)  # before the report, which ends the transaction
    problems.report(error, problem, request)
    values = {
        "problem": problem,
        "missing": [CATALOGUE[key].label for key in error.keys] if isinstance(error, MissingAttributes) else [],
        "help": help_found,
        "support_email": request.sp.provider.settings.support_email,
        "onward": error.target if isinstance(error, AlreadyUsed) else None,
        "again": again(error, request) if problem not in _HOPELESS else None,
    }
    return page(request, "sp_app:templates/sign_in_problem.jinja2", values, status=problem.status)


_HOPELESS: Final = (_NO_IDP, _BY_RULE["login.target"], _BY_RULE["login.link"])
"""To begin again with the same aim would end the same way."""
_NOT_FOR_THEM: Final = Problem(
    400,
    "This page was called in a wrong way",
    "Here people choose their identity provider, for this site and for those that its administrator named. What sent "
    "you here is not among them, or said something that cannot be read.",
    "Go back to the site you came from and sign in again from there.",
)


@exception_view_config(ProtocolError, route_name="sp.discovery")
def discovery_problem(error: ProtocolError, request: Request) -> Response:
    """A discovery request that is not accepted: nobody is sent anywhere (IDPDISC 2.5)."""
    problems.report(error, _NOT_FOR_THEM, request)
    return problems.respond(request, _NOT_FOR_THEM)


def describe(error: ProtocolError | PolicyRefusal | OutgoingError) -> Problem:
    """The page for an error. A decision of an administrator and an error status each have their own words."""
    match error:
        case OtherBrowser():
            return _OTHER_BROWSER
        case TooLate():
            return _TOO_LATE
        case Interrupted():
            return _NOT_EXPECTED
        case AlreadyUsed():
            return _ALREADY_USED
        case UnknownIdentityProvider():
            return _UNKNOWN_IDP
        case NoChoice():
            return _NO_CHOICE
        case NoIdentityProvider():
            return _NO_IDP
        case StatusRefused(status=status):
            return _BY_STATUS.get(status.second_level or "", _OTHER_STATUS)
        case Malformed():
            return _BY_RULE.get(error.rule, _UNREADABLE)
        case _:
            return _BY_RULE.get(error.rule, _REFUSED)


def helps(error: FederationError, request: Request) -> Help | None:
    """Where the person's identity provider helps, if this sign-in went there."""
    handle = _named(error, request, "RelayState")
    if not handle:
        return None
    login, provider = request.sp.login(), request.sp.provider
    partner, wish = login.partner_of(handle), login.wish_of(handle)
    if partner is None or wish is None:
        return None
    return helping.find(
        error,
        partner,
        asked_for=wish.class_refs,
        sp_entity_id=provider.entity_id,
        at=request.federation.now,
        reference=request.federation.reference,
        allow_http_loopback=provider.settings.allow_http_loopback,
    )


def again(error: FederationError, request: Request) -> str:
    """Where a new sign-in with the same aim begins.

    The page itself stays unnamed: the handle that the browser brought names it on the server, and only whoever signs in
    successfully is led there.
    """
    handle = _named(error, request, "RelayState", "resume", "state")
    query = {"resume": handle} if _HANDLE.fullmatch(handle) else {}
    path: str = request.route_path("sp.login", _query=query or None)
    return path


def _passive_target(error: FederationError, request: Request) -> str | None:
    """The page that a sign-in was begun for in which nobody was to be asked; None for any other."""
    sp, route = request.sp, request.matched_route.name
    if route == "sp.acs":
        target: str | None = sp.login().passive_target(_named(error, request, "RelayState"), sp.browser)
        return target
    try:
        wish = wish_of(request) if route == "sp.login" else sp.discovery().resume(request.GET.get("state"), sp.browser)
    except FederationError:
        return None
    return wish.target if wish.is_passive else None


def _named(error: FederationError, request: Request, *names: str) -> str:
    """The first of these fields that says something. What was refused at the gate (`http.`) is not read again."""
    if isinstance(error, Malformed) and error.rule.startswith("http."):
        return ""
    return next((value for name in names if (value := request.params.get(name))), "")
