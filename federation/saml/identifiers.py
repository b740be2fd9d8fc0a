"""Message identifiers (SAML Core 1.3.4): an NCName nobody can guess and nobody else will make."""

from __future__ import annotations

import secrets
from collections.abc import Callable


def new_id(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """`_` and 32 hexadecimal digits: 128 random bits, the length that SAML Core 1.3.4 recommends."""
    return "_" + random(16).hex()
