"""The console's page that ends a connection."""

from __future__ import annotations

from typing import Final

from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import InvalidInput
from federation.registry.ending import Ending, require_typed
from federation.web.saml import redirect
from sp_app.console.base import ConsoleView, occasion
from sp_app.models import IdPConnection
from sp_app.services import connections, disconnecting
from sp_app.views import endings

_LABELS: Final = {Ending.KEEP: "Keep them", Ending.SUSPEND: "Suspend them", Ending.DELETE: "Delete them"}
_BESIDES: Final = {
    Ending.KEEP: "Nobody gets in by them through {name}. Connected again, its people find them.",
    Ending.SUSPEND: "Connected again, each works again once {name} vouches for the person.",
    Ending.DELETE: "There is no way back for what they hold.",
}


class Disconnecting(ConsoleView):
    """The end of a connection."""

    @view_config(route_name="sp.console.disconnect", request_method="GET")
    def ask(self) -> Response:
        """What would happen, in numbers."""
        return self._page(self._connection())

    @view_config(route_name="sp.console.disconnect", request_method="POST")
    def disconnect(self) -> Response:
        """End it, if somebody has chosen, and typed which one they mean."""
        form, connection = self.request.POST, self._connection()
        chosen, typed = str(form.get("accounts", "")), str(form.get("confirm", ""))
        missing = None if chosen in tuple(Ending) else "Choose what becomes of them."
        wrong = None
        try:
            require_typed(typed, entity_id=connection.entity_id, name=connection.name)
        except InvalidInput:
            wrong = f"This is not it. Type {connection.entity_id}, or {connection.name}."
        if missing or wrong:
            return self._page(connection, chosen=chosen, typed=typed, missing=missing, wrong=wrong)
        came_through_it = self._came_through(connection)
        _, ended = disconnecting.disconnect(
            self.session, self.request.sp.accounts, connection, Ending(chosen), occasion(self.request)
        )
        # Who came through it is signed out with everybody else, and may not look at the console any more.
        over = redirect(self.request.federation.site.public_url + "/")
        response = over if came_through_it else self.back("disconnected", "sp.console.connections")
        endings.tell(self.request, response, ended)
        return response

    def _connection(self) -> IdPConnection:
        return connections.get(self.session, self.request.matchdict["id"])

    def _came_through(self, connection: IdPConnection) -> bool:
        identity = self.request.sp.identity
        return identity is not None and identity.session.idp_entity_id == connection.entity_id

    def _page(
        self,
        connection: IdPConnection,
        *,
        chosen: str = "",
        typed: str = "",
        missing: str | None = None,
        wrong: str | None = None,
    ) -> Response:
        if connection.state == connections.DISCONNECTED:
            return redirect(self.request.federation.url("sp.console.connection", id=connection.id))
        outlook = disconnecting.look(self.session, self.request.sp.accounts, connection, self.request.federation.now)
        besides = {each: text.format(name=connection.name) for each, text in _BESIDES.items()}
        values = {
            "connection": connection,
            "outlook": outlook,
            "came_through_it": self._came_through(connection),
            "choices": [(each.value, _LABELS[each], f"{outlook.sentence(each)}. {besides[each]}") for each in Ending],
            "chosen": chosen,
            "typed": typed,
            "missing": missing,
            "wrong": wrong,
        }
        response = self.show("disconnect", values)
        response.status_int = 400 if missing or wrong else 200
        return response
