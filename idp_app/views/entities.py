"""The Metadata Query responder, and the aggregate: our connections for a group of sites (draft-young-md-query)."""

from __future__ import annotations

from typing import Final

from pyramid.httpexceptions import HTTPBadRequest, HTTPNotAcceptable, HTTPNotFound
from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.saml.metadata import query
from federation.saml.names import METADATA_MEDIA_TYPE
from federation.web.documents import metadata_response
from idp_app.services import fetches

MAX_AGE: Final = 300
"""For how many seconds a cache on the way may answer: a connection that is paused should soon be gone there too."""


@view_config(route_name="idp.entities", request_method="GET")
@view_config(route_name="idp.entity", request_method="GET")
@view_config(route_name="idp.entities_for", request_method="GET")
@view_config(route_name="idp.entity_for", request_method="GET")
def entities(request: Request) -> Response:
    """One entity by its identifier, or all of them; at a partner's own address what it reads of us is noted.

    404 for an entity that is not published, 400 for an identifier of a kind that nobody defined, 406 for a client that
    cannot take SAML metadata.
    """
    idp = request.idp
    if not idp.installation.settings.publish_connections:
        raise HTTPNotFound
    if not request.accept.acceptable_offers([METADATA_MEDIA_TYPE]):
        raise HTTPNotAcceptable
    identifier = request.matchdict.get("identifier", "")
    wanted = query.wanted(identifier)
    if wanted is None:
        raise HTTPBadRequest if identifier.startswith("{") else HTTPNotFound
    document = idp.responder.answer(idp.session, idp.installation, wanted, request.federation.now)
    if document is None:
        raise HTTPNotFound
    whose = request.matchdict.get("whose")
    if whose is not None and (wanted == query.Wanted() or wanted.means(idp.installation.settings.own_entity_id)):
        fetches.note(idp.session, idp.installation, whose, request.federation.now)
    return metadata_response(request, document, max_age=MAX_AGE)
