"""The console's own pages: the switch, the accounts, and what happened."""

from __future__ import annotations

from pyramid.response import Response
from pyramid.view import view_config

from federation.web.saml import redirect
from sp_app.console.base import ConsoleView
from sp_app.services import audit, connections, directory, explain, scim_tokens, switch


class Pages(ConsoleView):
    """The site as a whole."""

    @view_config(route_name="sp.console", request_method="GET")
    def overview(self) -> Response:
        """The switch, and our own addresses."""
        values = {
            "enabled": self.request.sp.enabled,
            "connections": len(connections.active(self.session)),
            "tokens": [(token, idp) for token, idp in scim_tokens.every(self.session) if token.revoked_at is None],
            "provider": self.provider,
        }
        return self.show("overview", values)

    @view_config(route_name="sp.console.switch", request_method="POST")
    def turn(self) -> Response:
        """Switch the federation on, or off, which signs everybody out who came through it."""
        on = self.request.POST.get("federation") == "on"
        self.note(f"switched the federation {'on' if on else 'off'}")
        switch.turn(self.session, on=on, now=self.request.federation.now)
        # Who came through the federation is signed out by it and may not look at the console any more.
        if self.request.sp.identity is not None and not on:
            return redirect(self.request.federation.site.public_url + "/")
        return self.back("on" if on else "off", "sp.console")

    @view_config(route_name="sp.console.accounts", request_method="GET")
    def accounts(self) -> Response:
        """The accounts, and the person behind each."""
        return self.show("accounts", {"accounts": directory.accounts_with_links(self.session)})

    @view_config(route_name="sp.console.audit", request_method="GET")
    def audit(self) -> Response:
        """What happened lately, or under one reference number."""
        reference = self.request.GET.get("reference", "").strip()
        entries = audit.under(self.session, reference) if reference else audit.latest(self.session)
        moments = explain.timeline(self.session, reference) if reference else ()
        return self.show("audit", {"entries": entries, "reference": reference, "moments": moments})
