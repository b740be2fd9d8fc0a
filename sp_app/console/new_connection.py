"""The console's page for a new connection, by the identity provider's own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pyramid.response import Response
from pyramid.view import view_config

from federation.console import by_hand
from federation.errors import PolicyRefusal
from federation.saml.metadata.reading import read_document
from sp_app.console.base import ConsoleView
from sp_app.services import connections, metadata


class NewConnection(ConsoleView):
    """From the document to the connection."""

    @view_config(route_name="sp.console.connection_new", request_method="GET")
    def ask(self) -> Response:
        """The form."""
        return self._form(by_hand.NOTHING, by_hand.told(), 200)

    @view_config(route_name="sp.console.connection_new", request_method="POST")
    def connect(self) -> Response:
        """Connect the identity provider, once a person has entered the fingerprints that they compared."""
        made = by_hand.connect(self.request, {}, self._connected, self._form)
        return made if isinstance(made, Response) else self.back("connected-by-hand", "sp.console.connection", id=made)

    def _connected(self, document: bytes, typed: Mapping[str, Any]) -> str:
        for entity in read_document(document):
            there = metadata.HOST.holder(self.session, entity.entity_id)
            if there is not None:
                raise PolicyRefusal(
                    "connection.there", f"{there.name} is connected already: bring its newer metadata there"
                )
        own, exchange = self.provider.settings, self.request.federation
        with self.session.begin_nested():
            connection, version = connections.connect(
                self.session,
                document,
                name=" ".join(typed["name"].split()) or None,
                fingerprints=typed["fingerprints"].split(),
                own_entity_id=self.provider.entity_id,
                allow_http_loopback=own.allow_http_loopback,
                max_validity=own.partner_metadata_validity,
                trusted_by=str(self.request.sp.administrator),
                now=exchange.now,
                signing_key=self.provider.keys.signing,
                banned=own.banned_algorithms,
                reference=exchange.reference,
            )
        self.note(
            f"connected {connection.name} by its metadata, trusted by {version.trust}",
            idp_entity_id=connection.entity_id,
        )
        return connection.id

    def _form(self, typed: Mapping[str, Any], told: Mapping[str, Any], status: int) -> Response:
        return self.show("new_connection", {"typed": typed, **told}, status=status)
