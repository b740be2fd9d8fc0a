"""What HTTP-Redirect and HTTP-POST share: the names of their parameters, and one strict reading of base64."""

from __future__ import annotations

import binascii
from collections.abc import Mapping
from typing import Final

from federation.errors import Malformed
from federation.saml.xml import MAX_BYTES

REQUEST: Final = "SAMLRequest"
RESPONSE: Final = "SAMLResponse"
ARTIFACT: Final = "SAMLart"
RELAY_STATE: Final = "RelayState"
SIG_ALG: Final = "SigAlg"
SIGNATURE: Final = "Signature"
ENCODING: Final = "SAMLEncoding"
NAMES: Final = frozenset({REQUEST, RESPONSE, RELAY_STATE, SIG_ALG, SIGNATURE, ENCODING})

MAX_RELAY_STATE: Final = 2048
"""The standard allows 80 octets (SAML Bindings 3.4.3); partners send whole addresses, so more is taken."""

_WHITE_SPACE: Final = b" \t\r\n"


def only_message(found: Mapping[str, str], binding: str) -> str:
    """The name of the one SAML parameter that is there. Raises `Malformed` (rule `<binding>.message`)."""
    asks = REQUEST in found
    if asks == (RESPONSE in found):
        raise Malformed(f"{binding}.message", "not exactly one of SAMLRequest and SAMLResponse")
    return REQUEST if asks else RESPONSE


def check_relay_state(relay_state: str | None, binding: str) -> str | None:
    """The RelayState as received. Raises `Malformed` (rule `<binding>.relay_state`): too long, or not text."""
    if relay_state is None:
        return None
    try:
        octets = relay_state.encode()
    except UnicodeEncodeError:
        raise Malformed(f"{binding}.relay_state", "half of a character (a lone surrogate)") from None
    if len(octets) > MAX_RELAY_STATE:
        raise Malformed(f"{binding}.relay_state", f"longer than {MAX_RELAY_STATE} octets")
    return relay_state


def decode_base64(text: str, rule: str, *, max_bytes: int = MAX_BYTES) -> bytes:
    """The octets of a base64 text (RFC 2045: white space between its characters does not count; nothing else may).

    Raises `Malformed` with the given rule when it is anything else, empty, or decodes to more than `max_bytes`.
    """
    if len(text) > max_bytes * 2:
        raise Malformed(rule, f"longer than {max_bytes} octets")
    try:
        octets = binascii.a2b_base64(text.encode("ascii").translate(None, delete=_WHITE_SPACE), strict_mode=True)
    except (binascii.Error, ValueError):
        raise Malformed(rule, "not base64") from None
    if not octets:
        raise Malformed(rule, "empty")
    if len(octets) > max_bytes:
        raise Malformed(rule, f"longer than {max_bytes} octets")
    return octets
