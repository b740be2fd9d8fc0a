"""Message identifiers (SAML Core 1.3.4): an NCName nobody can guess and nobody else will make."""

from __future__ import annotations

import os
from collections.abc import Callable


def new_id(random: Callable[[int], bytes] = os.urandom) -> str:
    """`_` and 32 hexadecimal digits: 128 random bits, the length that SAML Core 1.3.4 recommends."""
    return "_" + random(16).hex()
