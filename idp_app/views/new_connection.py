"""The console's page for a new connection, by the site's own metadata."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.console import by_hand
from federation.errors import PolicyRefusal
from idp_app.security import Permission
from idp_app.services import connections, metadata
from idp_app.views import site_form
from idp_app.views.console import back, show


@view_config(route_name="idp.connection_new", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def ask(request: Request) -> Response:
    """The form."""
    return _form(request, {**site_form.NOTHING, **by_hand.NOTHING}, by_hand.told(), 200)


@view_config(route_name="idp.connection_new", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def connect(request: Request) -> Response:
    """Connect the site, once a person has entered the fingerprints that they compared."""
    made = by_hand.connect(request, site_form.typed(request), partial(_connected, request), partial(_form, request))
    return made if isinstance(made, Response) else back(request, "connected-by-hand", "idp.connection", id=made)


def _connected(request: Request, document: bytes, typed: Mapping[str, Any]) -> str:
    idp = request.idp
    with idp.session.begin_nested():
        chosen = site_form.chosen(request, typed)
        pins, confirmed = typed["signers"].split(), typed["fingerprints"].split()
        trusted = connections.examine(
            idp.session,
            document,
            idp.act,
            settings=idp.installation.settings,
            signer_fingerprints=pins,
            confirmed_fingerprints=confirmed,
        )
        there = metadata.HOST.holder(idp.session, trusted.entity.entity_id)
        if there is not None:
            raise PolicyRefusal(
                "connection.there", f"{there.name} is connected already: bring its newer metadata there"
            )
        made, _ = connections.connect(
            idp.session,
            trusted,
            idp.act,
            name=typed["name"] or trusted.entity.display_name(),
            audiences=chosen.audiences,
            policy=chosen.policy,
            pins=[*pins, *confirmed],
            ready=idp.installation.ready,
            chosen=chosen.options,
        )
        return made.id


def _form(request: Request, typed: Mapping[str, Any], told: Mapping[str, Any], status: int) -> Response:
    values = {"typed": typed, "choices": site_form.choices(request), **told}
    return show(request, "console_new_connection.jinja2", values, status=status)
