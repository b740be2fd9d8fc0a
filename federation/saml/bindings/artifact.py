"""HTTP-Artifact (SAML Bindings 3.6): a short reference travels with the browser, the message between the servers.

Type 0x0004 (3.6.4): type, endpoint index, SourceID (the SHA-1 of the issuer's entityID, which is an index and no
signature), and a random message handle.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, urlencode

from federation.errors import Malformed
from federation.saml.bindings.destination import check_destination
from federation.saml.bindings.parameters import (
    ARTIFACT,
    RELAY_STATE,
    REQUEST,
    RESPONSE,
    check_relay_state,
    decode_base64,
)
from federation.saml.bindings.post import PostForm

_TYPE: Final = b"\x00\x04"
_LENGTH: Final = 44


@dataclass(frozen=True, slots=True)
class Artifact:
    """What an artifact says: which endpoint resolves it, whose it is, and its handle (20 octets each but the index)."""

    endpoint_index: int
    source_id: bytes
    handle: bytes
    text: str


def source_id(entity_id: str) -> bytes:
    """The SourceID of an entity (SAML Bindings 3.6.4.2): the SHA-1 of its entityID, 20 octets."""
    return hashlib.sha1(entity_id.encode(), usedforsecurity=False).digest()


def create(entity_id: str, *, endpoint_index: int, random: Callable[[int], bytes] = secrets.token_bytes) -> Artifact:
    """A new artifact of this issuer, which its artifact resolution endpoint of this index will resolve once."""
    handle = random(20)
    octets = _TYPE + endpoint_index.to_bytes(2, "big") + source_id(entity_id) + handle
    return _artifact(octets)


def parse(text: str) -> Artifact:
    """An artifact as received. Raises `Malformed` (rule `artifact.format`)."""
    octets = decode_base64(text, "artifact.format", max_bytes=_LENGTH)
    if len(octets) != _LENGTH or octets[:2] != _TYPE:
        raise Malformed("artifact.format", "not an artifact of type 0x0004")
    return _artifact(octets)


def _artifact(octets: bytes) -> Artifact:
    return Artifact(
        endpoint_index=int.from_bytes(octets[2:4], "big"),
        source_id=octets[4:24],
        handle=octets[24:],
        text=base64.b64encode(octets).decode("ascii"),
    )


def encode_url(artifact: Artifact, *, destination: str, relay_state: str | None = None) -> str:
    """The address to redirect the browser to (SAML Bindings 3.6.3). Raises `ConfigurationError` for an unfit one."""
    check_destination(destination)
    fields = {ARTIFACT: artifact.text} | ({} if relay_state is None else {RELAY_STATE: relay_state})
    return destination + ("&" if "?" in destination else "?") + urlencode(fields)


def encode_form(artifact: Artifact, *, destination: str, relay_state: str | None = None) -> PostForm:
    """The form for the browser to submit (SAML Bindings 3.6.3). Raises `ConfigurationError` for an unfit address."""
    check_destination(destination)
    fields = [(ARTIFACT, artifact.text)]
    if relay_state is not None:
        fields.append((RELAY_STATE, relay_state))
    return PostForm(action=destination, fields=tuple(fields))


def decode_query(query_string: str) -> tuple[Artifact, str | None]:
    """The artifact and the RelayState in a query string. Raises `Malformed` as `decode_form`, and artifact.query.

    Base64 has no blanks, so a plus sign that a partner forgot to escape is still a plus sign.
    """
    try:
        fields = parse_qsl(query_string, keep_blank_values=True, errors="strict", max_num_fields=64)
    except ValueError:
        raise Malformed("artifact.query", "the query cannot be read") from None
    return decode_form((name, value.replace(" ", "+") if name == ARTIFACT else value) for name, value in fields)


def decode_form(fields: Iterable[tuple[str, str]]) -> tuple[Artifact, str | None]:
    """The artifact and the RelayState in form fields. A message beside the artifact would leave open which one counts.

    Raises `Malformed`: artifact.duplicate, artifact.message, artifact.format, artifact.relay_state.
    """
    found: dict[str, str] = {}
    for name, value in fields:
        if name in (ARTIFACT, RELAY_STATE):
            if name in found:
                raise Malformed("artifact.duplicate", f"{name} occurs twice")
            found[name] = value
        elif name in (REQUEST, RESPONSE):
            raise Malformed("artifact.message", f"SAMLart beside {name}")
    if ARTIFACT not in found:
        raise Malformed("artifact.message", "no SAMLart")
    return parse(found[ARTIFACT]), check_relay_state(found.get(RELAY_STATE), "artifact")
