"""The console's page for a new connection, by the site's own metadata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.console.metadata import document_of, kept_of, sentence
from federation.errors import FederationError, PolicyRefusal
from federation.saml.metadata.findings import Finding
from federation.saml.metadata.trust import Unconfirmed
from idp_app.models import Connection
from idp_app.security import Permission
from idp_app.services import connections, metadata
from idp_app.views import site_form
from idp_app.views.console import back, show


@view_config(route_name="idp.connection_new", request_method="GET", permission=Permission.MANAGE_CONNECTIONS)
def ask(request: Request) -> Response:
    """The form."""
    typed = {**site_form.NOTHING, "name": "", "text": "", "carried": "", "signers": "", "fingerprints": ""}
    return _form(request, typed)


@view_config(route_name="idp.connection_new", request_method="POST", permission=Permission.MANAGE_CONNECTIONS)
def connect(request: Request) -> Response:
    """Connect the site; what nothing vouches for only when a person has entered the fingerprints that they compared."""
    post = request.POST
    texts = {name: str(post.get(name, "")) for name in ("name", "signers", "fingerprints")}
    typed: dict[str, Any] = {**site_form.typed(request), **texts, **kept_of(request, b"")}
    try:
        document = document_of(request)
        typed |= kept_of(request, document)
        made = _connected(request, document, typed)
    except Unconfirmed as unconfirmed:
        wrong = (
            "Those are not the fingerprints of this document: compare them again." if texts["fingerprints"] else None
        )
        return _form(request, typed, unconfirmed=unconfirmed, reason=wrong)
    except FederationError as error:
        return _form(request, typed, reason=sentence(error))
    return back(request, "connected-by-hand", "idp.connection", id=made.id)


def _connected(request: Request, document: bytes, typed: Mapping[str, Any]) -> Connection:
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
        return connections.connect(
            idp.session,
            trusted,
            idp.act,
            name=typed["name"] or trusted.entity.display_name(),
            audiences=chosen.audiences,
            policy=chosen.policy,
            pins=[*pins, *confirmed],
            ready=idp.installation.ready,
            chosen=chosen.options,
        )[0]


def _form(
    request: Request, typed: Mapping[str, Any], *, unconfirmed: Unconfirmed | None = None, reason: str | None = None
) -> Response:
    misses: Sequence[Finding] = () if unconfirmed is None else unconfirmed.misses
    values = {
        "typed": typed,
        "choices": site_form.choices(request),
        "unconfirmed": unconfirmed,
        "misses": [
            {"rule": e.rule, "level": e.level.value, "message": e.message, "reference": e.reference} for e in misses
        ],
        "reason": reason,
    }
    return show(request, "console_new_connection.jinja2", values, status=400 if reason else 200)
