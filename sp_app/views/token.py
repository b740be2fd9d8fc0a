"""The token endpoint (RFC 6749 3.2), for one grant: an identity provider's signed assertion (RFC 7522)."""

from __future__ import annotations

import json
from typing import Any, Final

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import FederationError
from federation.saml.profiles.bearer_grant import GRANT_TYPE
from federation.web.problems import describe, report
from sp_app.services import token_grant

_NEVER_KEPT: Final = [("Cache-Control", "no-store"), ("Pragma", "no-cache")]


@view_config(route_name="sp.token", request_method="POST")
def token(request: Request) -> Response:
    """A short-lived token for an assertion."""
    fields, provider = request.POST, request.sp.provider
    for name in ("grant_type", "assertion"):
        if len(fields.getall(name)) != 1 or not isinstance(fields[name], str):
            return _answer(400, {"error": "invalid_request", "error_description": f"one {name} is needed"})
    if fields["grant_type"] != GRANT_TYPE:
        return _answer(400, {"error": "unsupported_grant_type"})
    try:
        made = token_grant.exchange(
            request.sp.session,
            provider.partners,
            fields["assertion"],
            token_url=provider.token_url,
            now=request.federation.now,
            skew=provider.settings.clock_skew,
        )
    except FederationError as error:
        if error.rule == "connection.active":
            # Temporary, as at the SCIM endpoint: the client waits and takes no offence at its credentials.
            return _answer(503, {"error": "temporarily_unavailable"}, retry_after="60")
        report(error, describe(error, request), request)
        said = f"The assertion was not accepted; reference number {request.federation.reference}."
        return _answer(400, {"error": "invalid_grant", "error_description": said})
    seconds = int(token_grant.LIFETIME.total_seconds())
    return _answer(200, {"access_token": made, "token_type": "Bearer", "expires_in": seconds})


def _answer(status: int, told: dict[str, Any], *, retry_after: str | None = None) -> Response:
    response = Response(json.dumps(told).encode(), status=status, content_type="application/json", charset=None)
    response.headers.update(_NEVER_KEPT)
    if retry_after is not None:
        response.headers["Retry-After"] = retry_after
    return response
