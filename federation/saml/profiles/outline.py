"""A message as an administrator may see it: its structure and its plain facts, without what it says about a person.

Only what is known to be harmless is shown: identifiers of messages and partners, addresses, instants, formats,
algorithms, statuses. The value of a NameID, of an attribute, of a SessionIndex, and whatever nobody knows, is masked.
So an outline may be kept in an audit trail and can never be played to anybody as a message.
"""

from __future__ import annotations

import base64
import binascii
import itertools
from typing import Any, Final

from lxml import etree

from federation.errors import FederationError
from federation.saml import certificates, xml
from federation.saml.messages import Received
from federation.saml.profiles.arrival import document_of

Line = dict[str, Any]
Message = dict[str, Any]

RECEIVED: Final = "received"
SENT: Final = "sent"
MASKED: Final = "(masked)"
MAX_LINES: Final = 80
MAX_TEXT: Final = 300
MAX_OCTETS: Final = 12_000
"""An outline is kept for long, and strangers can make us keep one: it stays small whatever came."""
SHOWN_TEXTS: Final = frozenset(
    (
        "Issuer",
        "Audience",
        "AuthnContextClassRef",
        "AuthnContextDeclRef",
        "AuthenticatingAuthority",
        "RequesterID",
        "StatusMessage",
    )
)
SHOWN_ATTRIBUTES: Final = frozenset(
    (
        "ID",
        "Version",
        "IssueInstant",
        "Destination",
        "InResponseTo",
        "Consent",
        "ForceAuthn",
        "IsPassive",
        "AssertionConsumerServiceURL",
        "AssertionConsumerServiceIndex",
        "AttributeConsumingServiceIndex",
        "ProtocolBinding",
        "Comparison",
        "AllowCreate",
        "Format",
        "SPNameQualifier",
        "NameQualifier",
        "ProxyCount",
        "ProviderID",
        "Value",
        "Method",
        "Recipient",
        "NotBefore",
        "NotOnOrAfter",
        "AuthnInstant",
        "SessionNotOnOrAfter",
        "Name",
        "NameFormat",
        "FriendlyName",
        "Algorithm",
        "URI",
        "Type",
        "Reason",
    )
)
_LEFT_OUT: Final = frozenset(("SignedInfo", "SignatureValue", "CipherData", "KeyValue"))
"""Octets that say nothing to a reader; the algorithms of the first are in the checks."""


def of(received: Received) -> Message:
    """A message that came, as a JSON object: direction, binding, kind, id, issuer, and `lines` from top to bottom.

    Each line has its depth, the element's name, what is shown of its attributes, and its text or None. A document that
    cannot be read has no lines.
    """
    signed = "in the query" if received.query_signature is not None else None
    try:
        root = document_of(received).root
    except FederationError:
        return _message(RECEIVED, received.binding, signed, "a message that cannot be read", None, [])
    lines = fitting(lines_of(root), len(received.xml))
    return _message(RECEIVED, received.binding, signed, xml.local_name(root), root.get("ID"), lines)


def of_ours(binding: str, element: xml.Element, octets: int) -> Message:
    """The same of a message that we wrote, of so many octets."""
    return of_lines(binding, fitting(lines_of(element), octets))


def of_lines(binding: str, lines: list[Line]) -> Message:
    """The same of a message that we wrote, by its lines."""
    root = lines[0]
    return _message(SENT, binding, None, root["name"], root["attributes"].get("ID"), lines)


def _message(
    direction: str, binding: str, signed: str | None, kind: str, identifier: str | None, lines: list[Line]
) -> Message:
    return {
        "direction": direction,
        "binding": binding.rpartition(":")[2],
        "signature": signed,
        "kind": kind,
        "id": None if identifier is None else identifier[:MAX_TEXT],
        "issuer": next((line["text"] for line in lines if line["name"] == "Issuer"), None),
        "lines": lines,
    }


def lines_of(element: etree._Element | xml.Element, depth: int = 0, *, most: int = MAX_LINES + 1) -> list[Line]:
    """The lines of an element: by default one more than will be kept at most."""
    lines: list[Line] = []
    _note(element, depth, lines, most)
    return lines


def fitting(lines: list[Line], octets: int) -> list[Line]:
    """The lines of a message of so many octets, as far as they are kept."""
    return _cut(lines) if len(lines) > MAX_LINES or octets > MAX_OCTETS else lines


def _cut(lines: list[Line]) -> list[Line]:
    """The first lines, as many as there is room for, and one that says that there were more."""
    room = MAX_OCTETS
    for number, line in enumerate(lines):
        room -= len(line["name"]) + len(line["text"] or "")
        room -= sum(len(name) + len(value) for name, value in line["attributes"].items())
        if number == MAX_LINES or room < 0:
            return [*lines[:number], {"depth": 0, "name": "and more", "attributes": {}, "text": None}]
    return lines


def _note(element: etree._Element | xml.Element, depth: int, shown: list[Line], most: int) -> None:
    """Add the line of an element and those of its children, up to so many in all."""
    name = str(element.tag).rpartition("}")[2]
    if name in _LEFT_OUT or len(shown) >= most:
        return
    attributes = dict(element.items())
    if attributes and not (attributes.keys() <= SHOWN_ATTRIBUTES and max(map(len, attributes.values())) <= MAX_TEXT):
        attributes = dict(itertools.starmap(_shown_attribute, attributes.items()))
    text = element.text
    if text is not None:
        text = _shown(name, text)
    shown.append({"depth": depth, "name": name[:MAX_TEXT], "attributes": attributes, "text": text})
    if len(element):
        depth += 1
        for child in element:
            _note(child, depth, shown, most)


def _shown_attribute(name: str, value: str) -> tuple[str, str]:
    local = name.rpartition("}")[2]
    return local[:MAX_TEXT], value[:MAX_TEXT] if local in SHOWN_ATTRIBUTES else MASKED


def _shown(name: str, text: str) -> str | None:
    if name in SHOWN_TEXTS:
        return text.strip()[:MAX_TEXT] or None
    if name == "X509Certificate":
        return _fingerprint(text)
    return MASKED if text.strip() else None


def _fingerprint(text: str) -> str:
    """What a certificate is told by, as everywhere: it came as a hint, and nothing is trusted for it."""
    try:
        return f"SHA-256 {certificates.fingerprint(base64.b64decode(''.join(text.split()), validate=True))}"
    except (ValueError, binascii.Error):
        return MASKED


def certificates_in(message: Message) -> list[str]:
    """The fingerprints of the certificates that came with a message as hints."""
    texts = [line["text"] or "" for line in message["lines"] if line["name"] == "X509Certificate"]
    return [text.removeprefix("SHA-256 ") for text in texts if text.startswith("SHA-256 ")]
