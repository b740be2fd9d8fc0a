"""LogoutRequest and LogoutResponse as XML (SAML Core 3.7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.codec.common import (
    ENCRYPTED_ID,
    EXTENSIONS,
    ISSUER,
    NAME_ID,
    SIGNATURE,
    P,
    read_instant,
    read_issuer,
    read_name_id,
    write_name_id,
)
from federation.saml.codec.response import STATUS, read_status, write_status
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID
from federation.saml.names import ASYNC_SLO
from federation.saml.times import format_instant, parse_instant

LOGOUT_REQUEST: Final = f"{P}LogoutRequest"
LOGOUT_RESPONSE: Final = f"{P}LogoutResponse"
SESSION_INDEX: Final = f"{P}SessionIndex"
ASYNCHRONOUS: Final = f"{{{ASYNC_SLO}}}Asynchronous"
MAX_SESSION_INDEXES: Final = 256

_REQUEST: Final = xml.Shape(
    xml.one(ISSUER),
    xml.maybe(SIGNATURE),
    xml.maybe(EXTENSIONS),
    xml.several(NAME_ID, ENCRYPTED_ID, least=1, most=1),
    xml.several(SESSION_INDEX, most=MAX_SESSION_INDEXES),
)
_RESPONSE: Final = xml.Shape(xml.one(ISSUER), xml.maybe(SIGNATURE), xml.maybe(EXTENSIONS), xml.one(STATUS))

Open = Callable[[etree._Element], etree._Element]
"""Opens an EncryptedID and answers the element inside."""


def read_request(element: etree._Element, open_encrypted: Open | None = None) -> LogoutRequest:
    """A LogoutRequest from its element. Raises `Malformed`, and whatever `open_encrypted` raises."""
    xml.expect(element, LOGOUT_REQUEST)
    content = _REQUEST.read(element)
    extensions = content.first(EXTENSIONS)
    return LogoutRequest(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        name_id=_read_subject(content, open_encrypted),
        session_indexes=tuple(xml.text(child) for child in content.all(SESSION_INDEX)),
        destination=element.get("Destination"),
        not_on_or_after=read_instant(element, "NotOnOrAfter"),
        reason=element.get("Reason"),
        asynchronous=extensions is not None and any(child.tag == ASYNCHRONOUS for child in extensions),
    )


def _read_subject(content: xml.Content, open_encrypted: Open | None) -> NameID:
    name_id = content.first(NAME_ID)
    if name_id is None:
        if open_encrypted is None:
            raise Malformed("logout.encrypted_id", "an EncryptedID, and no key to open it")
        name_id = xml.expect(open_encrypted(content.only(ENCRYPTED_ID)), NAME_ID)
    return read_name_id(name_id)


def write_request(request: LogoutRequest) -> xml.Element:
    """An element for the request, in schema order."""
    element = xml.new(
        LOGOUT_REQUEST,
        {
            "ID": request.id,
            "Version": "2.0",
            "IssueInstant": format_instant(request.issue_instant),
            "Destination": request.destination,
            "NotOnOrAfter": None if request.not_on_or_after is None else format_instant(request.not_on_or_after),
            "Reason": request.reason,
        },
    )
    xml.add(element, ISSUER, request.issuer)
    if request.asynchronous:
        xml.add(xml.add(element, EXTENSIONS), ASYNCHRONOUS)
    write_name_id(element, request.name_id)
    for session_index in request.session_indexes:
        xml.add(element, SESSION_INDEX, session_index)
    return element


def read_response(element: etree._Element) -> LogoutResponse:
    """A LogoutResponse from its element. Raises `Malformed`."""
    xml.expect(element, LOGOUT_RESPONSE)
    content = _RESPONSE.read(element)
    return LogoutResponse(
        id=xml.required(element, "ID"),
        issuer=read_issuer(content.only(ISSUER)),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        status=read_status(content.only(STATUS)),
        destination=element.get("Destination"),
        in_response_to=element.get("InResponseTo"),
    )


def write_response(response: LogoutResponse) -> xml.Element:
    """An element for the response, in schema order."""
    element = xml.new(
        LOGOUT_RESPONSE,
        {
            "ID": response.id,
            "Version": "2.0",
            "IssueInstant": format_instant(response.issue_instant),
            "Destination": response.destination,
            "InResponseTo": response.in_response_to,
        },
    )
    xml.add(element, ISSUER, response.issuer)
    write_status(element, response.status)
    return element
