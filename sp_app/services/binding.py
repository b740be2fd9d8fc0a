"""What binds a journey to the browser that began it: a random value in its cookie, and a hash of it in the database."""

from __future__ import annotations

import hmac
import secrets
from typing import Final

from sp_app.services.sessions import digest

_LENGTH: Final = 43  # of 32 octets in base64url


def own(browser: str | None) -> str:
    """The value that a browser brought along, if we could have made it; else a new one: nobody chooses a short one."""
    if browser is not None and len(browser) == _LENGTH and browser.isascii():
        if browser.replace("-", "a").replace("_", "a").isalnum():
            return browser
    return secrets.token_urlsafe(32)


def began(browser: str | None, binding_hash: str) -> bool:
    """Whether this browser is the one that began."""
    return browser is not None and hmac.compare_digest(digest(browser), binding_hash)
