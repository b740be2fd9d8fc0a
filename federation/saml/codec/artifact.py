"""ArtifactResolve and ArtifactResponse as XML (SAML Core 3.5)."""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.codec.common import EXTENSIONS, ISSUER, SIGNATURE, P, read_issuer
from federation.saml.codec.response import STATUS, read_status, write_status
from federation.saml.messages import ArtifactResolve, ArtifactResponse
from federation.saml.times import format_instant, parse_instant

ARTIFACT_RESOLVE: Final = f"{P}ArtifactResolve"
ARTIFACT_RESPONSE: Final = f"{P}ArtifactResponse"
ARTIFACT: Final = f"{P}Artifact"
_MESSAGES: Final = tuple(f"{P}{name}" for name in ("AuthnRequest", "Response", "LogoutRequest", "LogoutResponse"))

_RESOLVE: Final = xml.Shape(xml.one(ISSUER), xml.maybe(SIGNATURE), xml.maybe(EXTENSIONS), xml.one(ARTIFACT))
_RESPONSE: Final = xml.Shape(
    xml.one(ISSUER), xml.maybe(SIGNATURE), xml.maybe(EXTENSIONS), xml.one(STATUS), xml.several(*_MESSAGES, most=1)
)


def read_resolve(element: etree._Element) -> ArtifactResolve:
    """An ArtifactResolve from its element. Raises `Malformed`."""
    xml.expect(element, ARTIFACT_RESOLVE)
    content = _RESOLVE.read(element)
    return ArtifactResolve(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        artifact=xml.text(content.only(ARTIFACT)).strip(xml.SPACE),
        destination=element.get("Destination"),
    )


def write_resolve(request: ArtifactResolve) -> xml.Element:
    """An element for the request, in schema order."""
    element = xml.new(
        ARTIFACT_RESOLVE,
        {
            "ID": request.id,
            "Version": "2.0",
            "IssueInstant": format_instant(request.issue_instant),
            "Destination": request.destination,
        },
    )
    xml.add(element, ISSUER, request.issuer)
    xml.add(element, ARTIFACT, request.artifact)
    return element


def read_response(element: etree._Element) -> tuple[ArtifactResponse, etree._Element | None]:
    """The envelope and the message in it, None when there is none. Raises `Malformed`."""
    xml.expect(element, ARTIFACT_RESPONSE)
    content = _RESPONSE.read(element)
    envelope = ArtifactResponse(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        status=read_status(content.only(STATUS)),
        in_response_to=element.get("InResponseTo"),
    )
    return envelope, next((child for child in element if child.tag in _MESSAGES), None)


def write_response(response: ArtifactResponse) -> xml.Element:
    """An element for the envelope, in schema order; a message would be its last child."""
    element = xml.new(
        ARTIFACT_RESPONSE,
        {
            "ID": response.id,
            "Version": "2.0",
            "IssueInstant": format_instant(response.issue_instant),
            "InResponseTo": response.in_response_to,
        },
    )
    xml.add(element, ISSUER, response.issuer)
    write_status(element, response.status)
    return element
