"""The SCIM endpoint: who is asking, for which connection; everything else is the engine's."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from pyramid.request import Request as PyramidRequest
from pyramid.response import Response as PyramidResponse

from federation.errors import Malformed
from federation.scim.errors import ScimError
from federation.scim.exchange import Request, Response, problem
from federation.scim.limits import Limits
from federation.scim.server import Server
from federation.web import logs
from sp_app.models import IdPConnection
from sp_app.scim.repeats import Repeats
from sp_app.scim.store import SqlStore
from sp_app.services import connections, scim_tokens

log = logs.get_logger(__name__)

LIMITS: Final = Limits()
_PASSED: Final = ("content-type", "if-match", "if-none-match")
_READING: Final = ("GET", "HEAD")
_CHALLENGE: Final = 'Bearer realm="SCIM"'


def scim(_context: Any, request: PyramidRequest) -> PyramidResponse:
    """Any request below /scim/v2."""
    response = _answer(request)
    headers = {**response.headers, "Content-Length": str(len(response.body)), "Cache-Control": "no-store"}
    # Given as a list, headers are taken as they are: Pyramid's own response would add a media type to an empty body.
    return PyramidResponse(body=response.body, status=response.status, headerlist=list(headers.items()))


def _answer(request: PyramidRequest) -> Response:
    scheme, _, token = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() != "bearer" or not token:
        return problem(ScimError(401, "a bearer token is needed"), **{"WWW-Authenticate": _CHALLENGE})
    connection = scim_tokens.connection_of(request.sp.session, token.strip(), request.federation.now)
    if connection is None:
        challenge = f'{_CHALLENGE}, error="invalid_token"'
        return problem(ScimError(401, "the token is unknown, over or revoked"), **{"WWW-Authenticate": challenge})
    if connection.state != "active":
        # Temporary, as the word says: the client waits and tries again, and takes no offence at its credentials.
        return problem(ScimError(503, "the connection to this identity provider is paused"), **{"Retry-After": "60"})
    if request.method not in _READING and connections.hold(request.sp.session, connection) != "active":
        return problem(ScimError(503, "the connection has changed at this moment"), **{"Retry-After": "60"})
    try:
        return _handle(request, connection)
    except ScimError as error:
        return problem(error)


def _handle(request: PyramidRequest, connection: IdPConnection) -> Response:
    now, session, key = request.federation.now, request.sp.session, request.headers.get("Idempotency-Key")
    received = Request(
        request.method,
        "/" + request.matchdict["path"],
        tuple(request.GET.items()),
        {name: request.headers[name] for name in _PASSED if name in request.headers},
        _body(request),
    )
    repeats = Repeats(session, connection_id=connection.id, now=now) if key and received.path == "/Bulk" else None
    if repeats is not None and (before := repeats.recall(key, received.body)) is not None:
        return before
    linking = request.sp.linking(connection.entity_id)
    audit = partial(request.sp.audit, kind="provisioned", idp_entity_id=connection.entity_id)
    store = SqlStore(session, request.sp.accounts, linking, connection, now=now, audit=audit)
    response = Server(store, base_url=request.sp.provider.scim_url, limits=LIMITS).handle(received)
    if repeats is not None:
        repeats.keep(key, response)
    if response.status >= 400:
        log.info("scim_refused", status=response.status, method=received.method, connection=connection.name)
    return response


def _body(request: PyramidRequest) -> bytes:
    try:
        return bytes(request.body)
    except OSError:
        raise Malformed("http.body", "the body ended before its announced length") from None
