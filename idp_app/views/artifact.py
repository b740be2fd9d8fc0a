"""Artifact resolution: a partner's server fetches the message that its browser's artifact stands for."""

from __future__ import annotations

from pyramid.request import Request
from pyramid.response import Response
from pyramid.view import view_config

from federation.errors import PolicyRefusal, ProtocolError
from federation.web import saml
from federation.web.transactions import instead
from idp_app.composition import record_refusal
from idp_app.services import artifacts


@view_config(route_name="idp.artifact", request_method="POST")
def resolve(request: Request) -> Response:
    """An ArtifactResolve by SOAP."""
    idp = request.idp
    try:
        envelope = artifacts.hand_out(idp.session, saml.receive_envelope(request), idp.installation, idp.act)
    except (ProtocolError, PolicyRefusal) as error:
        with instead(request):
            record_refusal(request, error)
        return saml.fault_response(request, error)
    return saml.envelope_response(envelope)
