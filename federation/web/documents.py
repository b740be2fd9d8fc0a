"""Serving signed metadata: media type, entity tag, conditional requests, gzip (SAML Metadata 4.1; RFC 9110)."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request
from pyramid.response import Response

from federation.saml.metadata.rolling import GZIP, Document, entity_tag, is_current
from federation.saml.names import METADATA_MEDIA_TYPE

_NOTHING: Final = frozenset({"", "0", "0.0", "0.00", "0.000"})


def metadata_response(request: Request, document: Document, *, max_age: int, file_name: str = "") -> Response:
    """A document as its receiver can read it, or 304 where the receiver has it already.

    `max_age`: for how many seconds a cache on the way may answer instead of us.
    """
    coding = GZIP if _takes_gzip(request) else ""
    etag = entity_tag(document.body, coding)
    response = Response(content_type=METADATA_MEDIA_TYPE, charset=None)
    response.headers["ETag"] = etag
    response.headers["Vary"] = "Accept-Encoding"
    response.last_modified = document.last_modified
    response.cache_control.public = True
    response.cache_control.max_age = max_age
    if _has_it(request, document, etag):
        response.status_int = 304
        del response.content_type, response.content_length
        return response
    response.body = document.compressed if coding else document.body
    if coding:
        response.headers["Content-Encoding"] = coding
    if file_name:
        response.content_disposition = f'inline; filename="{file_name}"'
    return response


def _has_it(request: Request, document: Document, etag: str) -> bool:
    """By its entity tag; by the date only where no tag is given (RFC 9110 13.2.2)."""
    named = request.headers.get("If-None-Match")
    if named is not None:
        return is_current(named, etag)
    since = request.if_modified_since
    return since is not None and document.last_modified.replace(microsecond=0) <= since


def _takes_gzip(request: Request) -> bool:
    """Whether the request names gzip, or anything, without forbidding it (RFC 9110 12.5.3)."""
    offered: dict[str, bool] = {}
    for part in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = part.partition(";")
        offered[name.strip()] = weight.replace(" ", "").removeprefix("q=") not in _NOTHING or not weight
    return offered.get(GZIP, offered.get("*", False))
