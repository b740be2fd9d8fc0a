"""Artifact resolution: the identity provider's server fetches the request that its browser's artifact stands for."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import PolicyRefusal, ProtocolError
from federation.web import saml
from federation.web.transactions import instead
from sp_app.composition import record_refusal
from sp_app.services import artifacts


@view_config(route_name="sp.artifact", request_method="POST")
def resolve(_context: object, request: Request) -> Response:
    """An ArtifactResolve by SOAP."""
    provider = request.sp.provider
    try:
        envelope = artifacts.hand_out(
            request.sp.session,
            saml.receive_envelope(request),
            provider.partners,
            issuer=provider.entity_id,
            url=provider.artifact_url,
            key=provider.keys.signing,
            skew=provider.limits.skew,
            now=request.federation.now,
        )
    except (ProtocolError, PolicyRefusal) as error:
        with instead(request):
            record_refusal(request, error)
        return saml.fault_response(request, error)
    return saml.envelope_response(envelope)
