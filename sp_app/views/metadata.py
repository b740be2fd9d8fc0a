"""Our own metadata."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.saml.names import METADATA_MEDIA_TYPE


@view_config(route_name="sp.metadata", request_method="GET")
def metadata(_context: object, request: Request) -> Response:
    """Signed metadata, made afresh, so that its validUntil rolls (SAML Metadata 4.1: the media type)."""
    document = request.sp.provider.metadata(request.federation.now)
    return Response(document, content_type=METADATA_MEDIA_TYPE, charset=None)
