"""Where a browser may be sent with a message (SAML Bindings 3.4.3, 3.5.3)."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from urllib.parse import unquote_plus, urlsplit

from federation.errors import ConfigurationError
from federation.saml.bindings.parameters import ARTIFACT, NAMES

_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_FORBIDDEN: Final = frozenset("\"'<>\\^`{|} ")


@lru_cache(maxsize=1024)
def check_destination(location: str) -> str:
    """The address itself if a browser may be sent there: https, or plain http on loopback, for development.

    Metadata was checked when it was accepted; this is the second look, at use. An address whose own query already has a
    parameter of SAML's would make the partner read another message than ours. Raises `ConfigurationError`.
    """
    try:
        parts = urlsplit(location)
        host, user = parts.hostname, parts.username
    except ValueError:
        raise ConfigurationError("endpoint: not a URL") from None
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)
    clean = location.isascii() and location.isprintable() and not _FORBIDDEN.intersection(location)
    if not (secure and clean and host) or user is not None or parts.fragment:
        raise ConfigurationError("endpoint: not an https address (plain http only on loopback)")
    if (NAMES | {ARTIFACT}) & {unquote_plus(part.partition("=")[0]) for part in parts.query.split("&")}:
        raise ConfigurationError("endpoint: its query already has parameters of a SAML message")
    return location
