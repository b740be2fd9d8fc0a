"""Addresses and their origins."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

_USUAL_PORTS: Final = {"http": 80, "https": 443}


def origin_of(url: str) -> str:
    """The origin of an address as a browser writes it (RFC 6454): no default port. Empty where there is none."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if not parts.scheme or not host:
        return ""
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}" + ("" if port in (None, _USUAL_PORTS.get(parts.scheme)) else f":{port}")
