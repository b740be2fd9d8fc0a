"""Which URLs may stand in metadata. A browser or our own client will be sent there, so the rules are strict."""

from __future__ import annotations

import re
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

MAX_LOCATION: Final = 2048
_URI_CHARACTERS = re.compile(r"[A-Za-z0-9\-._~:/?\[\]@!$&'()*+,;=%]+", re.ASCII)
_PLAIN = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,200}[A-Za-z0-9])?(?:/[A-Za-z0-9\-._~:/?@!$&'()*+,;=%]{0,1800})?", re.ASCII
)
"""What nearly every location is: nothing to take apart, and taking apart thousands costs seconds."""
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9.])?", re.ASCII)
_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\x00-\x20\x7f<>\"\\^`{|}]+")
_DATA_IMAGE = re.compile(r"data:image/(?:png|jpeg|gif|webp|svg\+xml);base64,[A-Za-z0-9+/=]+", re.ASCII)
MAX_ENTITY_ID: Final = 256


def problem_of_location(location: str) -> str | None:
    """Why a URL cannot be an endpoint at all, in words, or None for an absolute http or https URL.

    Beyond the scheme it refuses what parsers and browsers read differently: blanks, controls, non-ASCII, backslashes,
    user-info, fragments, odd ports and hosts. Plain http is left to `is_secure`, which knows about loopback.
    """
    if _PLAIN.fullmatch(location):
        return None
    if not location:
        return "is empty"
    if len(location) > MAX_LOCATION:
        return f"is longer than {MAX_LOCATION} characters"
    if not _URI_CHARACTERS.fullmatch(location):
        return "has a fragment or a character that may not stand in a URL"
    try:
        parts = urlsplit(location)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "cannot be taken apart as a URL"
    if parts.scheme not in ("https", "http"):
        return "is not an absolute https URL"
    if "@" in parts.netloc:
        return "has user information before the host"
    if not host or port == 0 or parts.netloc.endswith(":") or not (_HOST.fullmatch(host) or _is_ip(host)):
        return "has no usable host and port"
    return None


def is_secure(location: str, *, allow_http_loopback: bool) -> bool:
    """Whether a URL that passed `problem_of_location` is https, or http to this machine where that is allowed."""
    if location.startswith("https://"):
        return True
    parts = urlsplit(location)
    return parts.scheme == "https" or (allow_http_loopback and is_loopback(parts.hostname or ""))


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by name or address: `localhost`, 127.0.0.0/8, ::1."""
    return host.lower() == "localhost" or (_is_ip(host) and ip_address(host).is_loopback)


def is_entity_id(text: str) -> bool:
    """An absolute URI of at most 256 characters (SAML Core 8.3.6, SDP-G04)."""
    return len(text) <= MAX_ENTITY_ID and _ABSOLUTE_URI.fullmatch(text) is not None


def is_logo(url: str) -> bool:
    """An https URL or an inline data image (SDP-MD10)."""
    if url.startswith("data:"):
        return _DATA_IMAGE.fullmatch("".join(url.split())) is not None
    return is_link(url) and url.startswith("https:")


def is_link(url: str) -> bool:
    """A URL that a page may link to: http or https, nothing that a browser would run. Fragments are fine here."""
    return problem_of_location(url.partition("#")[0]) is None


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
