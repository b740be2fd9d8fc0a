"""The administrator's console: the switch, the connections, the accounts, and what happened."""

from __future__ import annotations

from pyramid.httpexceptions import HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config, view_defaults

from federation.errors import ConfigurationError, PolicyRefusal
from federation.registry.effective import effective_entity
from federation.saml import algorithms
from federation.saml.metadata.fingerprints import of_entity
from federation.web import page
from federation.web.saml import redirect
from sp_app.demo.security import Permission
from sp_app.models import IdPConnection
from sp_app.services import audit, connections, directory, explain, identity, invitations, options, scim_tokens, switch

_STATES = {"pause": connections.PAUSED, "resume": connections.ACTIVE}


@view_defaults(permission=Permission.ADMINISTER)
class Console:
    """Every page of the console asks for the permission to administer."""

    def __init__(self, _context: object, request: Request) -> None:
        self.request = request
        self.session = request.sp.session

    @view_config(route_name="admin", request_method="GET")
    def overview(self) -> Response:
        """The switch, the connections, and our own addresses."""
        values = {
            "connections": connections.every(self.session),
            "tokens": [(token, idp) for token, idp in scim_tokens.every(self.session) if token.revoked_at is None],
            "invitations": invitations.every(self.session),
            "provider": self.request.sp.provider,
            "now": self.request.federation.now,
        }
        return self._page("overview", values)

    @view_config(route_name="admin.switch", request_method="POST")
    def switch_off(self) -> Response:
        """Switch the federation off, which signs everybody out: there is nobody left to switch it on here."""
        self._note("switched the federation off")
        switch.turn(self.session, on=False, now=self.request.federation.now)
        return redirect(self.request.federation.url("home"))

    @view_config(route_name="admin.connection", request_method="GET")
    def connection(self) -> Response:
        """One identity provider: its addresses, its keys, why we trust it, and what its metadata misses."""
        connection = self._connection()
        version = connections.live_metadata(self.session, connection)
        entity = effective_entity(connection)
        values = {
            "connection": connection,
            "version": version,
            "entity": entity,
            "fingerprints": of_entity(entity),
            "misses": connections.misses(connection, version),
            "sent_by": options.requests_by(entity.idp) if entity.idp is not None else (),
            "identifiers": identity.IDENTIFIERS,
            "answered_by": options.responses_by(entity.idp) if entity.idp is not None else (),
            "presets": [preset for preset in algorithms.PRESETS.values() if preset.allows],
        }
        return self._page("connection", values)

    @view_config(route_name="admin.connection", request_method="POST")
    def set_state(self) -> Response:
        """Pause a connection, let it serve again, or choose its presets."""
        connection = self._connection()
        action = self.request.POST.get("action", "")
        if action == "presets":
            return self._set_presets(connection)
        if action == "options":
            return self._set_options(connection)
        state = _STATES.get(action)
        if state is None:
            raise HTTPNotFound
        connections.set_state(connection, state, self.request.federation.now)
        self._note(f"set the connection to {state}", idp_entity_id=connection.entity_id)
        return redirect(self.request.federation.url("admin.connection", id=connection.id))

    def _set_presets(self, connection: IdPConnection) -> Response:
        chosen = self.request.POST.getall("preset") or [algorithms.DEFAULT]
        try:
            connections.set_presets(connection, chosen, self.request.federation.now)
        except ConfigurationError:
            raise HTTPNotFound from None
        self._note(f"set the presets to {', '.join(chosen)}", idp_entity_id=connection.entity_id)
        return redirect(self.request.federation.url("admin.connection", id=connection.id))

    def _set_options(self, connection: IdPConnection) -> Response:
        fields = self.request.POST
        sent, asked = fields.get("request_binding"), fields.get("response_binding")
        if sent not in options.REQUEST_BINDINGS or asked not in options.RESPONSE_BINDINGS:
            raise HTTPNotFound
        chosen = options.Options(
            request_binding=sent,
            response_binding=asked,
            allow_unsolicited="allow_unsolicited" in fields,
            identifier=fields.get("identifier"),
        )
        try:
            changed = options.choose(self.session, connection, chosen, self.request.federation.now)
        except PolicyRefusal:
            raise HTTPNotFound from None
        if changed:
            self._note(f"chose {options.described(connection)}", idp_entity_id=connection.entity_id)
        return redirect(self.request.federation.url("admin.connection", id=connection.id))

    @view_config(route_name="admin.accounts", request_method="GET")
    def accounts(self) -> Response:
        """The accounts, and the person behind each."""
        return self._page("accounts", {"accounts": directory.accounts_with_links(self.session)})

    @view_config(route_name="admin.audit", request_method="GET")
    def audit(self) -> Response:
        """What happened lately, or under one reference number."""
        reference = self.request.GET.get("reference", "").strip()
        entries = audit.under(self.session, reference) if reference else audit.latest(self.session)
        moments = explain.timeline(self.session, reference) if reference else ()
        return self._page("audit", {"entries": entries, "reference": reference, "moments": moments})

    def _connection(self) -> IdPConnection:
        connection: IdPConnection | None = self.session.get(IdPConnection, self.request.matchdict["id"])
        if connection is None:
            raise HTTPNotFound
        return connection

    def _note(self, what: str, *, idp_entity_id: str | None = None) -> None:
        who = self.request.identity.account
        self.request.sp.audit(
            kind=audit.ADMINISTERED,
            detail=f"{who.profile.display_name or who.id} {what}",
            account_id=who.id,
            idp_entity_id=idp_entity_id,
        )

    def _page(self, name: str, values: dict[str, object]) -> Response:
        return page(self.request, f"sp_app.demo:templates/admin_{name}.jinja2", {"current": name, **values})
