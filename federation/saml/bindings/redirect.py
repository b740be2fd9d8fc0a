"""HTTP-Redirect (SAML Bindings 3.4): a message in a query string, compressed, with a signature beside it.

The signature covers octets of the query exactly as they were sent, so the raw query is split here and nowhere else:
what is verified and what is read are the same slices. Parameters that occur twice or hide behind escapes are refused.
"""

from __future__ import annotations

import base64
import zlib
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from federation.errors import Malformed
from federation.saml.bindings.destination import check_destination
from federation.saml.bindings.parameters import (
    ENCODING,
    NAMES,
    RELAY_STATE,
    SIG_ALG,
    SIGNATURE,
    check_relay_state,
    decode_base64,
    only_message,
)
from federation.saml.messages import QuerySignature, Received
from federation.saml.names import Binding
from federation.saml.signature import SigningKey
from federation.saml.xml import MAX_BYTES

DEFLATE: Final = "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
MAX_SIGNATURE: Final = 4096
_OURS: Final = {name.encode(): name for name in NAMES}
_WITH_BLANKS: Final = frozenset({RELAY_STATE, SIG_ALG})


def encode(
    xml: bytes,
    *,
    parameter: str,
    destination: str,
    relay_state: str | None = None,
    key: SigningKey | None = None,
    algorithm: str | None = None,
) -> str:
    """The address to redirect the browser to (SAML Bindings 3.4.4). Signed when a key is given (3.4.4.1).

    `parameter` is SAMLRequest or SAMLResponse. `destination` may have a query of its own. The message must not carry a
    signature of its own: this binding forbids one. Raises `ConfigurationError` for an unfit destination.
    """
    check_destination(destination)
    query = f"{parameter}={_quote(base64.b64encode(_deflate(xml)))}"
    if relay_state is not None:
        query += f"&{RELAY_STATE}={_quote(relay_state.encode())}"
    if key is not None:
        chosen = algorithm or key.algorithm
        query += f"&{SIG_ALG}={_quote(chosen.encode())}"
        query += f"&{SIGNATURE}={_quote(base64.b64encode(key.sign(query.encode('ascii'), chosen)))}"
    return destination + ("&" if "?" in destination else "?") + query


def decode(query_string: bytes, *, max_bytes: int = MAX_BYTES) -> Received:
    """The message in a raw query string; parameters that the binding does not know are ignored.

    Base64 has no blanks, so a plus sign that a partner forgot to escape is still a plus sign there; in RelayState and
    SigAlg it is a blank. Lower-case escapes are as good as upper-case ones.

    Raises `Malformed`: redirect.size, redirect.name, redirect.duplicate, redirect.message, redirect.escape,
    redirect.encoding, redirect.relay_state, redirect.base64, redirect.deflate, redirect.signature.
    """
    if len(query_string) > max_bytes * 2:
        raise Malformed("redirect.size", f"longer than {max_bytes * 2} octets")
    slices, values = _parameters(query_string)
    parameter = only_message(values, "redirect")
    if values.get(ENCODING, DEFLATE) != DEFLATE:
        raise Malformed("redirect.encoding", "SAMLEncoding is not DEFLATE")
    return Received(
        binding=Binding.REDIRECT,
        parameter=parameter,
        xml=_inflate(decode_base64(values[parameter], "redirect.base64", max_bytes=max_bytes), max_bytes),
        relay_state=check_relay_state(values.get(RELAY_STATE), "redirect"),
        query_signature=_query_signature(parameter, slices, values),
    )


def _parameters(query_string: bytes) -> tuple[dict[str, bytes], dict[str, str]]:
    """Our parameters, each at most once: the octets of name, equals sign and value as they stood in the query, and what
    the value says.
    """
    slices: dict[str, bytes] = {}
    values: dict[str, str] = {}
    for part in query_string.split(b"&"):
        raw_name, _, raw = part.partition(b"=")
        name = _OURS.get(raw_name)
        if name is None:
            _not_ours(raw_name)
        elif name in slices:
            raise Malformed("redirect.duplicate", f"{name} occurs twice")
        else:
            slices[name] = part
            octets = unescaped(raw.replace(b"+", b" ") if name in _WITH_BLANKS else raw)
            try:
                values[name] = octets.decode("utf-8")
            except UnicodeDecodeError:
                raise Malformed("redirect.escape", f"{name} is not UTF-8") from None
    return slices, values


def _not_ours(raw_name: bytes) -> None:
    hidden = unquote_to_bytes(raw_name).decode("utf-8", "replace")
    if hidden in NAMES:
        raise Malformed("redirect.name", f"{hidden} is written with escapes")


def unescaped(raw: bytes) -> bytes:
    """As `unquote_to_bytes`, which takes apart at every escape: the three of base64, of which there are many, and the
    two others of an algorithm's URI go first.

    None of the five characters is part of another escape, so it makes no difference which goes first.
    """
    if b"%" not in raw:
        return raw
    raw = raw.replace(b"%2B", b"+").replace(b"%2F", b"/").replace(b"%3D", b"=")
    raw = raw.replace(b"%3A", b":").replace(b"%23", b"#")
    return unquote_to_bytes(raw) if b"%" in raw else raw


def _query_signature(parameter: str, slices: dict[str, bytes], values: dict[str, str]) -> QuerySignature | None:
    if (SIG_ALG in values) != (SIGNATURE in values):
        raise Malformed("redirect.signature", "SigAlg and Signature come together or not at all")
    if SIG_ALG not in values:
        return None
    return QuerySignature(
        algorithm=values[SIG_ALG],
        signature=decode_base64(values[SIGNATURE], "redirect.signature", max_bytes=MAX_SIGNATURE),
        signed_octets=b"&".join(filter(None, map(slices.get, (parameter, RELAY_STATE, SIG_ALG)))),
    )


def _quote(octets: bytes) -> str:
    return quote_from_bytes(octets, safe="")


def _deflate(octets: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(octets) + compressor.flush()


def _inflate(octets: bytes, max_bytes: int) -> bytes:
    """Raw DEFLATE (RFC 1951) that stops at the limit: a small message must not become a large one in memory."""
    decompressor = zlib.decompressobj(wbits=-zlib.MAX_WBITS)
    try:
        inflated = decompressor.decompress(octets, max_bytes + 1)
    except zlib.error:
        raise Malformed("redirect.deflate", "not a DEFLATE stream") from None
    if len(inflated) > max_bytes:
        raise Malformed("redirect.deflate", f"inflates to more than {max_bytes} octets")
    if not decompressor.eof:
        raise Malformed("redirect.deflate", "the DEFLATE stream is cut off")
    if decompressor.unused_data:
        raise Malformed("redirect.deflate", "something follows the DEFLATE stream")
    return inflated
