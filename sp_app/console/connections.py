"""The console's pages about identity providers: who they are, how each does, and the order of the chooser."""

from __future__ import annotations

from typing import Final

from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import ConfigurationError, InvalidInput
from federation.registry import health
from federation.registry.effective import effective_entity
from federation.saml import algorithms
from federation.saml.metadata.fingerprints import of_entity
from sp_app.console.base import ConsoleView
from sp_app.models import IdPConnection
from sp_app.services import chooser, connections, identity, invitations, metadata, options

_STATES: Final = {"pause": (connections.PAUSED, "paused"), "resume": (connections.ACTIVE, "resumed")}


class Connections(ConsoleView):
    """The connections."""

    @view_config(route_name="sp.console.connections", request_method="GET")
    def every(self) -> Response:
        """The list with how each does, what was taken up and waits, and the field for a link."""
        found, now = connections.every(self.session), self.request.federation.now
        by_entity_id = health.of_connections(self.session, metadata.HOST, found, now)
        lately = metadata.signed_in_lately(self.session, [each.entity_id for each in found], now)
        values = {
            "found": [(each, by_entity_id[each.entity_id], lately.get(each.entity_id, 0)) for each in found],
            "invitations": invitations.every(self.session),
            "ended": connections.ended(self.session),
        }
        return self.show("connections", values)

    @view_config(route_name="sp.console.connection", request_method="GET")
    def one(self) -> Response:
        """One identity provider: its addresses, its keys, why we trust it, how it does, what its metadata misses."""
        connection = self._connection()
        version = connections.live_metadata(self.session, connection)
        entity = effective_entity(connection)
        now = self.request.federation.now
        values = {
            "connection": connection,
            "health": health.of_connections(self.session, metadata.HOST, [connection], now)[connection.entity_id],
            "lately": metadata.signed_in_lately(self.session, [connection.entity_id], now).get(connection.entity_id, 0),
            "version": version,
            "entity": entity,
            "fingerprints": of_entity(entity),
            "misses": connections.misses(connection, version),
            "sent_by": options.requests_by(entity.idp) if entity.idp is not None else (),
            "identifiers": identity.IDENTIFIERS,
            "answered_by": options.responses_by(entity.idp) if entity.idp is not None else (),
            "presets": [preset for preset in algorithms.PRESETS.values() if preset.allows],
        }
        return self.show("connection", values)

    @view_config(route_name="sp.console.connection", request_method="POST")
    def change(self) -> Response:
        """Pause a connection, let it serve again, or choose its presets and options."""
        connection = self._connection()
        action = self.request.POST.get("action", "")
        if action in _STATES:
            state, done = _STATES[action]
            connections.set_state(connection, state, self.request.federation.now)
            self.note(f"set the connection to {state}", idp_entity_id=connection.entity_id)
        elif action == "presets":
            done = self._set_presets(connection)
        elif action == "options":
            done = self._set_options(connection)
        else:
            raise InvalidInput("action", "is not one that this page has")
        return self.back(done, "sp.console.connection", id=connection.id)

    def _set_presets(self, connection: IdPConnection) -> str:
        chosen = self.request.POST.getall("preset") or [algorithms.DEFAULT]
        try:
            connections.set_presets(connection, chosen, self.request.federation.now)
        except ConfigurationError as error:
            raise InvalidInput("preset", error.message) from None
        self.note(f"set the presets to {', '.join(chosen)}", idp_entity_id=connection.entity_id)
        return "presets"

    def _set_options(self, connection: IdPConnection) -> str:
        fields = self.request.POST
        sent, asked = fields.get("request_binding"), fields.get("response_binding")
        if sent not in options.REQUEST_BINDINGS or asked not in options.RESPONSE_BINDINGS:
            raise InvalidInput("binding", "is not one that this page has")
        chosen = options.Options(
            request_binding=sent,
            response_binding=asked,
            allow_unsolicited="allow_unsolicited" in fields,
            identifier=fields.get("identifier"),
        )
        if options.choose(self.session, connection, chosen, self.request.federation.now):
            self.note(f"chose {options.described(connection)}", idp_entity_id=connection.entity_id)
        return "options"

    def _connection(self) -> IdPConnection:
        return connections.get(self.session, self.request.matchdict["id"])


class Chooser(ConsoleView):
    """The order in which people find the identity providers where they choose one."""

    @view_config(route_name="sp.console.chooser", request_method="GET")
    def order(self) -> Response:
        """The identity providers that can be chosen, in their order, each with a field for its place."""
        return self.show("chooser", {"found": connections.active(self.session)})

    @view_config(route_name="sp.console.chooser", request_method="POST")
    def set_order(self) -> Response:
        """Take the places of the form over."""
        places = {}
        for connection in connections.active(self.session):
            text = str(self.request.POST.get(f"place-{connection.id}", "")).strip()
            if text and not (text.isascii() and text.isdigit() and 0 < int(text[:5]) <= chooser.LAST_PLACE):
                raise InvalidInput("place", f"is a number from 1 to {chooser.LAST_PLACE}, or nothing")
            places[connection.id] = int(text[:5]) if text else None
        if chooser.set_places(self.session, places, self.request.federation.now):
            self.note("changed the order of the chooser")
        return self.back("order", "sp.console.chooser")
