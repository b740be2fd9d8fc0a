"""The administrator's console: taking up an invitation."""

from __future__ import annotations

from typing import Any, Final

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import exception_view_config, view_config, view_defaults

from federation.web import page
from federation.web.problems import Problem, report, respond
from federation.web.saml import redirect
from sp_app.demo.security import Permission
from sp_app.models import AcceptedInvitation
from sp_app.services import invitations
from sp_app.services.invitations import InvitationFailed

_TITLE: Final = "This invitation cannot be taken up"
_ADVICE: Final = "Nothing was connected. Ask the administrator who sent the link, and give them this number."


@view_defaults(permission=Permission.ADMINISTER)
class Invitations:
    """From the pasted link to the connection."""

    def __init__(self, _context: object, request: Request) -> None:
        self.request = request
        self.session = request.sp.session

    @view_config(route_name="admin.invitations", request_method="POST")
    def begin(self) -> Response:
        """The pasted link: both sides are told of each other."""
        link = str(self.request.POST.get("link", ""))
        invitation = invitations.begin(self.session, self.request.sp.provider, link, **self._occasion())
        return redirect(self.request.federation.url("admin.invitation", id=invitation.id))

    @view_config(route_name="admin.invitation", request_method="GET")
    def look(self) -> Response:
        """Who it is from, and both keys."""
        values = {"current": "overview", "invitation": self._invitation(), "provider": self.request.sp.provider}
        return page(self.request, "sp_app.demo:templates/admin_invitation.jinja2", values)

    @view_config(route_name="admin.invitation", request_method="POST")
    def decide(self) -> Response:
        """Confirm, ask whether the other side has, or leave it alone."""
        invitation, provider, occasion = self._invitation(), self.request.sp.provider, self._occasion()
        actor = occasion.pop("actor")
        match self.request.POST.get("action"):
            case "agree":
                made = invitations.agree(self.session, provider, invitation, actor=actor, **occasion)
            case "check":
                made = invitations.check(self.session, provider, invitation, **occasion)
            case "forget":
                invitations.forget(self.session, invitation, actor=actor, **occasion)
                return redirect(self.request.federation.url("admin"))
            case _:
                raise HTTPNotFound
        if made is not None:
            return redirect(self.request.federation.url("admin.connection", id=made.id))
        return redirect(self.request.federation.url("admin.invitation", id=invitation.id))

    def _occasion(self) -> dict[str, Any]:
        exchange, who = self.request.federation, self.request.identity.account
        return {"actor": who.profile.display_name or who.id, "now": exchange.now, "reference": exchange.reference}

    def _invitation(self) -> AcceptedInvitation:
        found: AcceptedInvitation | None = self.session.get(AcceptedInvitation, self.request.matchdict["id"])
        if found is None:
            raise HTTPNotFound
        return found


@exception_view_config(InvitationFailed)
def failed(error: InvitationFailed, request: Request) -> Response:
    """Why it cannot be taken up, in one sentence."""
    problem = Problem(502 if error.rule.startswith("http.") else 400, _TITLE, error.sentence, _ADVICE)
    report(error, problem, request)
    return respond(request, problem)
