"""What an invitation's link opens: a page for people, and the addresses at which the invited site's server talks."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import FederationError, PolicyRefusal, ProtocolError
from federation.registry.invitation import AGREE, PROPOSE, Link, Proposal, octets
from federation.web import page, saml
from federation.web.problems import report, respond
from federation.web.wording import Problem
from idp_app.errors import InvalidInput
from idp_app.models import Invitation
from idp_app.services import invitations
from idp_app.services.invitation_steps import steps
from idp_app.views import site

_ASK: Final = "Ask the administrator who sent you the link for a new one."
_GONE: Final = Problem(410, "This invitation cannot be used any more", "", _ASK)
_UNFIT: Final = Problem(
    400, "This metadata cannot be used", "", "Nothing was changed. Correct it, then open the link again."
)
ROUTES: Final = ("idp.invited", "idp.invited_metadata", "idp.invited_exchange")
_STATUS: Final = {"invitation.unknown": 404, "invitation.connected": 409, "invitation.order": 409}


@view_config(route_name="idp.invited", request_method="GET")
def look(request: Request) -> Response:
    """What to enter at the other side, the form for its metadata, and how far things are."""
    invitation, idp = _invitation(request), request.idp
    settings, now = idp.installation.settings, request.federation.now
    invitations.require_usable(invitation, now)
    done = steps(idp.session, invitation, now)
    address = _address(request)
    watching = invitation.proposed is not None and not all(step.done is not False for step in done)
    if watching:
        request.federation.watch()
    values = {
        "invitation": invitation,
        "state": invitations.state(invitation, now),
        "settings": settings,
        "fingerprint": idp.installation.keys.fingerprint,
        "link": str(Link(address, idp.installation.keys.fingerprint)),
        "metadata_url": Link(address, "").metadata_url,
        "steps": done,
        "watching": watching,
    }
    return page(request, "idp_app:templates/invited.jinja2", values)


@view_config(route_name="idp.invited", request_method="POST")
def upload(request: Request) -> Response:
    """The metadata of other software, as a file or pasted."""
    invitation = _invitation(request)
    file, text = request.POST.get("file"), request.POST.get("text")
    document = file.file.read() if hasattr(file, "file") else str(text or "").strip().encode()
    if not document:
        raise InvalidInput("metadata", "choose a file, or paste the document")
    invitations.upload(request.idp.session, invitation, document, request.idp.act, request.idp.installation)
    return saml.redirect(request.federation.url("idp.invited", token=request.matchdict["token"]))


@view_config(route_name="idp.invited_metadata", request_method="GET")
def metadata(request: Request) -> Response:
    """Our signed metadata, for whoever is invited."""
    invitations.require_usable(_invitation(request), request.federation.now)
    return site.metadata(request)


@view_config(route_name="idp.invited_exchange", request_method="GET")
def ask(request: Request) -> Response:
    """How things stand."""
    invitation = _invitation(request)
    invitations.require_usable(invitation, request.federation.now)
    return _standing(request, invitation)


@view_config(route_name="idp.invited_exchange", request_method="POST")
def tell(request: Request) -> Response:
    """The invited site's server proposes its site, or says that its administrator has confirmed."""
    invitation, form, idp = _invitation(request), request.POST, request.idp
    address = _address(request)
    match form.get("step"):
        case str(step) if step == PROPOSE:
            proposal = Proposal.from_form({name: str(value) for name, value in form.items()})
            invitations.propose(idp.session, invitation, proposal, idp.act, idp.installation, address=address)
        case str(step) if step == AGREE:
            signature = octets(str(form.get("signature", "")))
            invitations.agree(idp.session, invitation, signature, idp.act, idp.installation, address=address)
        case _:
            raise InvalidInput("step", "is none that this address knows")
    return _standing(request, invitation)


def refuse(error: FederationError, request: Request) -> Response:
    """What was not accepted, in one sentence with a reference number; nothing was changed."""
    problem = _problem(error)
    report(error, problem, request)
    return respond(request, problem)


def _problem(error: FederationError) -> Problem:
    if isinstance(error, PolicyRefusal) and error.rule.startswith("invitation."):
        return replace(_GONE, status=_STATUS.get(error.rule, 410), sentence=_sentence(error.message))
    if isinstance(error, InvalidInput):
        return replace(_UNFIT, title="This could not be done", sentence=_sentence(error.message))
    return replace(_UNFIT, sentence=_sentence(error.message))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _invitation(request: Request) -> Invitation:
    return invitations.by_token(request.idp.session, request.matchdict["token"])


def _address(request: Request) -> str:
    return invitations.address(request.idp.installation.settings, request.matchdict["token"])


def _standing(request: Request, invitation: Invitation) -> Response:
    standing = invitations.standing(invitation, request.idp.installation.settings)
    return Response(json_body=standing.to_json(), content_type="application/json", charset=None)


def includeme(config: Configurator) -> None:
    """Tell problems of an invitation in their own words."""
    for route in ROUTES:
        for context in (PolicyRefusal, ProtocolError, InvalidInput):
            config.add_exception_view(refuse, context=context, route_name=route)
