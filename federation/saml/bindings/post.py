"""HTTP-POST (SAML Bindings 3.5): a message as a field of a form that the browser submits.

The signature, where there is one, is inside the message. Nothing is compressed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from typing import NamedTuple

from federation.errors import Malformed
from federation.saml.bindings.destination import check_destination
from federation.saml.bindings.parameters import (
    NAMES,
    RELAY_STATE,
    SIG_ALG,
    SIGNATURE,
    check_relay_state,
    decode_base64,
    only_message,
)
from federation.saml.messages import Received
from federation.saml.names import Binding
from federation.saml.xml import MAX_BYTES


class PostForm(NamedTuple):
    """A form to be submitted by the browser: where to, and its hidden fields as pairs of name and value."""

    action: str
    fields: tuple[tuple[str, str], ...]


def encode(xml: bytes, *, parameter: str, destination: str, relay_state: str | None = None) -> PostForm:
    """The form that carries a message (SAML Bindings 3.5.4). `parameter` is SAMLRequest or SAMLResponse.

    Raises `ConfigurationError` for an unfit destination.
    """
    check_destination(destination)
    fields = [(parameter, base64.b64encode(xml).decode("ascii"))]
    if relay_state is not None:
        fields.append((RELAY_STATE, relay_state))
    return PostForm(action=destination, fields=tuple(fields))


def decode(fields: Iterable[tuple[str, str]], *, max_bytes: int = MAX_BYTES) -> Received:
    """The message in a submitted form; fields that the binding does not know are ignored.

    A form signature is HTTP-POST-SimpleSign, another binding: a signature that would go unverified is refused.

    Raises `Malformed`: post.duplicate, post.message, post.signature, post.relay_state, post.base64.
    """
    found: dict[str, str] = {}
    for name, value in fields:
        if name in NAMES:
            if name in found:
                raise Malformed("post.duplicate", f"{name} occurs twice")
            found[name] = value
    parameter = only_message(found, "post")
    if SIG_ALG in found or SIGNATURE in found:
        raise Malformed("post.signature", "a signature beside the message belongs to another binding")
    return Received(
        binding=Binding.POST,
        parameter=parameter,
        xml=decode_base64(found[parameter], "post.base64", max_bytes=max_bytes),
        relay_state=check_relay_state(found.get(RELAY_STATE), "post"),
    )
