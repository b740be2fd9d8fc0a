"""SOAP 1.1 over HTTP (SAML Bindings 3.2): one message as the only child of an envelope's body, in both directions."""

from __future__ import annotations

from typing import Final

from lxml import etree

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.messages import Received
from federation.saml.names import SAMLP, SOAP, Binding
from federation.saml.xml import MAX_BYTES

MEDIA_TYPE: Final = "text/xml; charset=utf-8"
ACTION: Final = "http://www.oasis-open.org/committees/security"

_ENVELOPE: Final = f"{{{SOAP}}}Envelope"
_HEADER: Final = f"{{{SOAP}}}Header"
_BODY: Final = f"{{{SOAP}}}Body"
_FAULT: Final = f"{{{SOAP}}}Fault"
_MUST_UNDERSTAND: Final = f"{{{SOAP}}}mustUnderstand"


def encode(message: bytes) -> bytes:
    """The envelope that carries a message."""
    envelope = xml.new(_ENVELOPE)
    xml.add(envelope, _BODY)
    parsed = xml.lift(envelope)
    parsed[0].append(xml.reparse(message))
    return xml.serialise(parsed)


def fault(code: str, reason: str) -> bytes:
    """An envelope with a fault; `code` is Client or Server (SOAP 1.1, 4.4)."""
    envelope = xml.new(_ENVELOPE)
    element = xml.add(xml.add(envelope, _BODY), _FAULT)
    xml.add(element, "faultcode", f"soap11:{code}")
    xml.add(element, "faultstring", reason)
    return xml.serialise(envelope)


def decode(envelope: bytes, *, max_bytes: int = MAX_BYTES) -> Received:
    """The message in an envelope. Header blocks are ignored unless they demand to be understood.

    The envelope is not signed and nothing but its body's one element is read, so a character that strays between its
    parts (there are partners that send one) does no harm.

    Raises `Malformed`: soap.envelope, soap.header, soap.body, soap.fault, and what the parser refuses.
    """
    root = xml.expect(xml.parse(envelope, max_bytes=max_bytes), _ENVELOPE)
    if [child.tag for child in root] not in ([_BODY], [_HEADER, _BODY]):
        raise Malformed("soap.envelope", "the envelope does not hold a body, after a header at most")
    header = root.find(_HEADER)
    if header is not None and any(block.get(_MUST_UNDERSTAND, "0").strip() in ("1", "true") for block in header):
        raise Malformed("soap.header", "a header block demands to be understood")
    message = _only_child(root[-1])
    if message.tag == _FAULT:
        raise Malformed("soap.fault", "the partner answered with a fault")
    if xml.namespace_of(message) != SAMLP:
        raise Malformed("soap.body", "the body does not hold a SAML message")
    return Received(
        binding=Binding.SOAP,
        parameter="SAMLResponse" if xml.local_name(message).endswith("Response") else "SAMLRequest",
        xml=xml.serialise(xml.lift(message)),
    )


def _only_child(body: etree._Element) -> etree._Element:
    if len(body) != 1:
        raise Malformed("soap.body", "the body does not hold exactly one element")
    return body[0]
