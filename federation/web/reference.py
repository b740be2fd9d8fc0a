"""Reference numbers: what a person reads to an administrator over the telephone."""

from __future__ import annotations

import secrets
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, no U: nothing that looks or sounds like a neighbour."""


def new_reference() -> str:
    """A number such as `7KQ2-M4XD`: eight of thirty characters, about 6.5e11 of them."""
    number, letters = secrets.randbelow(len(ALPHABET) ** 8), ""
    for _ in range(8):
        number, index = divmod(number, len(ALPHABET))
        letters += ALPHABET[index]
    return f"{letters[:4]}-{letters[4:]}"
