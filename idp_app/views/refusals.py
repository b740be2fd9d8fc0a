"""Telling people, and partners where that is possible, that a request cannot be served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pyramid.request import Request
from pyramid.response import Response

from federation.errors import FederationError
from federation.saml.messages import Received
from federation.saml.metadata import outgoing
from federation.saml.profiles.refusals import RequestRefused
from federation.web import saml
from federation.web.problems import respond
from federation.web.transactions import instead
from federation.web.wording import Problem
from idp_app.composition import record_refusal
from idp_app.services import answers
from idp_app.services.questions import Question

START_AGAIN: Final = "Go back to the site you came from and start again there."
UNKNOWN_SITE: Final = Problem(
    403,
    "This site is not connected",
    "The site that sent you here is not one that you can sign in to from here.",
    "If it should be, ask your administrator and give the reference number.",
)
OUT_OF_DATE: Final = Problem(
    403,
    "This site cannot be reached at the moment",
    "What we know about the site that sent you here is out of date.",
    "Ask your administrator to refresh its connection, and give the reference number.",
)
UNANSWERED: Final = Problem(
    502,
    "The site that sent you here does not answer",
    "Your sign-in has to be fetched from that site's server, which gave no answer that can be used.",
    f"{START_AGAIN} If it happens again, give your administrator the reference number.",
)
PROBLEMS: Final[Mapping[str, Problem]] = {
    "request.partner": UNKNOWN_SITE,
    "artifact.partner": UNKNOWN_SITE,
    "request.partner_metadata": OUT_OF_DATE,
    "unsolicited.partner_metadata": OUT_OF_DATE,
    "request.issue_instant": Problem(
        400,
        "This sign-in link is too old",
        "The link was made some time ago, perhaps because you opened it from a bookmark.",
        "Open the site itself and sign in from there. Bookmark that page rather than this one.",
    ),
    "request.replay": Problem(
        403,
        "This sign-in was already used",
        "The same sign-in request came from another browser before.",
        START_AGAIN,
    ),
    "unsolicited.acs": Problem(
        403,
        "This link leads to an unknown address",
        "The address that the link names is not one of the site's.",
        "Open the site itself and sign in from there.",
    ),
    "unsolicited.time": Problem(
        400,
        "This link is too old",
        "The link was made some time ago, perhaps because you opened it from a bookmark.",
        "Go back to the page where you found it, reload that page, and follow the link again.",
    ),
    "artifact.message": Problem(
        403,
        "This sign-in cannot be used any more",
        "The site that sent you here has nothing for it: it took too long, or it was used already.",
        START_AGAIN,
    ),
    "http.unreachable": UNANSWERED,
    "http.policy": UNANSWERED,
    "request.gone": Problem(
        400, "This sign-in has ended", "You took longer than this site waits, or the address is wrong.", START_AGAIN
    ),
    "request.browser": Problem(
        403, "This sign-in began in another browser", "Only the browser in which it began can go on.", START_AGAIN
    ),
    "connection.changed": Problem(
        403, "The connection to this site has changed", "An administrator changed it in the meantime.", START_AGAIN
    ),
    **{
        rule: Problem(
            403,
            "This site cannot be reached at the moment",
            "The site accepts none of the algorithms that may be used here.",
            "Give your administrator the reference number.",
        )
        for rule in (outgoing.SIGNATURE, outgoing.DIGEST)
    },
    "connection.encryption": Problem(
        403,
        "This site cannot be reached at the moment",
        "The site asks for encryption in a way that is not supported here.",
        "Give your administrator the reference number.",
    ),
}
"""What a person is told, by the rule that failed; anything else gets the toolkit's words."""


def answer(request: Request, refused: RequestRefused, received: Received) -> Response:
    """Tell the partner, where the request is genuine and says where answers go (IIP-IDP05); otherwise the person."""
    endpoint, asked = refused.answer_to, refused.request
    if refused.status is None or asked is None or endpoint is None:
        return tell(request, refused)
    idp = request.idp
    partner = idp.installation.partners.by_entity_id(idp.session, asked.issuer)
    assert partner is not None, "a refusal that can be answered is a partner's"
    question = Question.of(asked, acs=endpoint, relay_state=received.relay_state)
    message = answers.error(
        idp.session, idp.installation, partner, question, refused.status, idp.act, checks=refused.checks
    )
    return saml.post_form_response(request, message, f"Back to {partner.name}", recipient=partner.name)


def tell(request: Request, error: FederationError) -> Response:
    """A page with the words for the rule, after the audit entry took the place of all that was written."""
    problem = PROBLEMS.get(error.rule)
    if problem is None:
        raise error
    with instead(request):
        record_refusal(request, error)
    return respond(request, problem)
