"""A message as an administrator may see it: its structure and its plain facts, without what it says about a person.

Only what is known to be harmless is shown: identifiers of messages and partners, addresses, instants, formats,
algorithms, statuses. The value of a NameID, of an attribute, of a SessionIndex, and whatever nobody knows, is masked.
So an outline may be kept in an audit trail and can never be played to anybody as a message.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any, Final

from lxml import etree

from federation.errors import FederationError
from federation.saml import certificates, xml
from federation.saml.messages import Received

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


def of(received: Received, *, direction: str = RECEIVED) -> dict[str, Any]:
    """A message as a JSON object: direction, binding, kind, id, issuer, and `lines` from top to bottom.

    Each line has its depth, the element's name, what is shown of its attributes, and its text or None. A document that
    cannot be read has no lines.
    """
    try:
        root = xml.parse(received.xml) if direction == RECEIVED else xml.reparse(received.xml)
    except FederationError:
        return _message(received, direction, "a message that cannot be read", None, None, [])
    shown: list[dict[str, Any]] = []
    room = MAX_OCTETS
    for line in _lines(root):
        room -= len(line["name"]) + len(line["text"] or "")
        for name, value in line["attributes"].items():
            room -= len(name) + len(value)
        if len(shown) == MAX_LINES or room < 0:
            shown.append({"depth": 0, "name": "and more", "attributes": {}, "text": None})
            break
        shown.append(line)
    issuer = next((line["text"] for line in shown if line["name"] == "Issuer"), None)
    return _message(received, direction, xml.local_name(root), root.get("ID"), issuer, shown)


def _message(
    received: Received, direction: str, kind: str, identifier: str | None, issuer: str | None, lines: list[Any]
) -> dict[str, Any]:
    return {
        "direction": direction,
        "binding": received.binding.rpartition(":")[2],
        "signature": "in the query" if received.query_signature is not None else None,
        "kind": kind,
        "id": None if identifier is None else identifier[:MAX_TEXT],
        "issuer": issuer,
        "lines": lines,
    }


def _lines(element: etree._Element, depth: int = 0) -> Iterator[dict[str, Any]]:
    name = xml.local_name(element)[:MAX_TEXT]
    if name in _LEFT_OUT:
        return
    yield {"depth": depth, "name": name, "attributes": _attributes(element), "text": _text(element, name)}
    for child in element:
        yield from _lines(child, depth + 1)


def _attributes(element: etree._Element) -> dict[str, str]:
    shown = {}
    for name, value in element.items():
        local = str(name).rpartition("}")[2]
        shown[local[:MAX_TEXT]] = str(value)[:MAX_TEXT] if local in SHOWN_ATTRIBUTES else MASKED
    return shown


def _text(element: etree._Element, name: str) -> str | None:
    text = (element.text or "").strip()
    if not text:
        return None
    if name == "X509Certificate":
        return _fingerprint(text)
    return text[:MAX_TEXT] if name in SHOWN_TEXTS else MASKED


def _fingerprint(text: str) -> str:
    """What a certificate is told by, as everywhere: it came as a hint, and nothing is trusted for it."""
    try:
        return f"SHA-256 {certificates.fingerprint(base64.b64decode(''.join(text.split()), validate=True))}"
    except (ValueError, binascii.Error):
        return MASKED


def certificates_in(message: dict[str, Any]) -> list[str]:
    """The fingerprints of the certificates that came with a message as hints."""
    texts = [line["text"] or "" for line in message["lines"] if line["name"] == "X509Certificate"]
    return [text.removeprefix("SHA-256 ") for text in texts if text.startswith("SHA-256 ")]
