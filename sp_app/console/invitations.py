"""The console: taking up an invitation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from pyramid.config import Configurator
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config
from sqlalchemy.orm import Session

from federation.errors import InvalidInput
from federation.web.problems import Problem, report, respond
from federation.web.saml import redirect
from federation.web.transactions import commit_so_far
from sp_app.console.base import ConsoleView, occasion
from sp_app.services import invitations
from sp_app.services.invitation_calls import InvitationFailed

_TITLE: Final = "This invitation cannot be taken up"
_ADVICE: Final = "Nothing was connected. Ask the administrator who sent the link, and give them this number."
ROUTES: Final = ("sp.console.invitations", "sp.console.invitation")


class Invitations(ConsoleView):
    """From the pasted link to the connection."""

    @view_config(route_name="sp.console.invitations", request_method="POST")
    def begin(self) -> Response:
        """The pasted link: both sides are told of each other."""
        begun = self._work().begin(str(self.request.POST.get("link", "")))
        return redirect(self.request.federation.url("sp.console.invitation", id=begun))

    @view_config(route_name="sp.console.invitation", request_method="GET")
    def look(self) -> Response:
        """Who it is from, and both keys."""
        invitation = invitations.get(self.session, self.request.matchdict["id"])
        return self.show("invitation", {"invitation": invitation, "provider": self.provider})

    @view_config(route_name="sp.console.invitation", request_method="POST")
    def decide(self) -> Response:
        """Confirm, ask whether the other side has, or leave it alone."""
        invitation_id, work = self.request.matchdict["id"], self._work()
        match self.request.POST.get("action"):
            case "agree":
                made, done = work.agree(invitation_id), "confirmed"
            case "check":
                made, done = work.check(invitation_id), "waits"
            case "forget":
                work.forget(invitation_id)
                return self.back("forgotten", "sp.console.connections")
            case _:
                raise InvalidInput("action", "is not one that this page has")
        if made is not None:
            return self.back("connected", "sp.console.connection", id=made)
        return self.back(done, "sp.console.invitation", id=invitation_id)

    def _work(self) -> invitations.Invitations:
        """Each step in a transaction of its own: none is open while the other side is asked."""
        request = self.request

        @contextmanager
        def unit() -> Iterator[Session]:
            yield self.session
            commit_so_far(request)

        who = occasion(request)
        commit_so_far(request)
        return invitations.Invitations(self.provider, unit, who)


def failed(error: InvitationFailed, request: Request) -> Response:
    """Why it cannot be taken up, in one sentence."""
    problem = Problem(502 if error.rule.startswith("http.") else 400, _TITLE, error.sentence, _ADVICE)
    report(error, problem, request)
    return respond(request, problem)


def includeme(config: Configurator) -> None:
    """Tell in our own words what cannot be taken up."""
    for route in ROUTES:
        config.add_exception_view(failed, context=InvitationFailed, route_name=route)
