"""Handles: random names under which something waits on the server, which travel as RelayState and open nothing."""

from __future__ import annotations

import secrets
from typing import Final, TypeGuard

_OCTETS: Final = 24
_LONGEST: Final = 80  # SAML Bindings 3.5.3: RelayState never exceeds it


def new_handle() -> str:
    """A handle that nobody can guess."""
    return secrets.token_urlsafe(_OCTETS)


def may_be_handle(text: str | None) -> TypeGuard[str]:
    """Whether it is worth looking for: something is said, and not too much."""
    return text is not None and 0 < len(text) <= _LONGEST
