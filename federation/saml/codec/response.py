"""Response and Status as XML (SAML Core 3.2.2, 3.3.3)."""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.codec.assertion import ASSERTION
from federation.saml.codec.common import EXTENSIONS, ISSUER, SIGNATURE, A, P, read_issuer
from federation.saml.messages import Response, Status
from federation.saml.times import format_instant, parse_instant

RESPONSE: Final = f"{P}Response"
STATUS: Final = f"{P}Status"
STATUS_CODE: Final = f"{P}StatusCode"
STATUS_MESSAGE: Final = f"{P}StatusMessage"
STATUS_DETAIL: Final = f"{P}StatusDetail"
ENCRYPTED_ASSERTION: Final = f"{A}EncryptedAssertion"

_RESPONSE: Final = xml.Shape(
    xml.maybe(ISSUER),
    xml.maybe(SIGNATURE),
    xml.maybe(EXTENSIONS),
    xml.one(STATUS),
    xml.several(ASSERTION, ENCRYPTED_ASSERTION),
)
_STATUS: Final = xml.Shape(xml.one(STATUS_CODE), xml.maybe(STATUS_MESSAGE), xml.maybe(STATUS_DETAIL))
_STATUS_CODE: Final = xml.Shape(xml.maybe(STATUS_CODE))


def read(element: etree._Element) -> Response:
    """The envelope of a Response, without its assertions. Raises `Malformed`."""
    xml.expect(element, RESPONSE)
    content = _RESPONSE.read(element)
    issuer = content.first(ISSUER)
    return Response(
        id=xml.required(element, "ID"),
        issue_instant=parse_instant(xml.required(element, "IssueInstant")),
        status=read_status(content.only(STATUS)),
        issuer=None if issuer is None else read_issuer(issuer),
        destination=element.get("Destination"),
        in_response_to=element.get("InResponseTo"),
        consent=element.get("Consent"),
    )


def assertions_in(element: etree._Element) -> list[etree._Element]:
    """The Assertion and EncryptedAssertion children of a Response, in document order."""
    return [child for child in element if child.tag in (ASSERTION, ENCRYPTED_ASSERTION)]


def read_status(element: etree._Element) -> Status:
    """A Status; codes nested deeper than two levels are legal and not looked at. Raises `Malformed`."""
    content = _STATUS.read(element)
    top = content.only(STATUS_CODE)
    second = _STATUS_CODE.read(top).first(STATUS_CODE)
    message = content.first(STATUS_MESSAGE)
    return Status(
        code=xml.required(top, "Value"),
        second_level=None if second is None else xml.required(second, "Value"),
        message=None if message is None else (message.text or "").strip(xml.SPACE) or None,
    )


def write(response: Response, assertion: xml.Element | None = None) -> xml.Element:
    """An element for the response, in schema order; `assertion` is an Assertion or EncryptedAssertion to put in."""
    element = xml.new(
        RESPONSE,
        {
            "ID": response.id,
            "Version": "2.0",
            "IssueInstant": format_instant(response.issue_instant),
            "Destination": response.destination,
            "Consent": response.consent,
            "InResponseTo": response.in_response_to,
        },
    )
    if response.issuer is not None:
        xml.add(element, ISSUER, response.issuer)
    write_status(element, response.status)
    if assertion is not None:
        element.append(assertion)
    return element


def write_status(parent: xml.Element, status: Status) -> None:
    """Append a Status."""
    element = xml.add(parent, STATUS)
    code = xml.add(element, STATUS_CODE, None, {"Value": status.code})
    if status.second_level is not None:
        xml.add(code, STATUS_CODE, None, {"Value": status.second_level})
    if status.message is not None:
        xml.add(element, STATUS_MESSAGE, status.message)
