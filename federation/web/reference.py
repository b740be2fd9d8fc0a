"""Reference numbers: what a person reads to an administrator over the telephone."""

from __future__ import annotations

import os
from typing import Final

ALPHABET: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, no 1, I and L, no U: nothing that looks or sounds like a neighbour."""

_LENGTH: Final = 8
_EVENLY: Final = 256 - 256 % len(ALPHABET)
_LETTERS: Final = bytes(ord(ALPHABET[octet % len(ALPHABET)]) for octet in range(256))
_SURPLUS: Final = bytes(range(_EVENLY, 256))
"""Octets that would make some letters likelier than others."""


def new_reference() -> str:
    """A number such as `7KQ2-M4XD`: eight of thirty characters, about 6.5e11 of them."""
    letters = ""
    while len(letters) < _LENGTH:  # nearly always once: of the octets one in sixteen is left out
        letters += os.urandom(2 * _LENGTH).translate(_LETTERS, _SURPLUS).decode("ascii")
    return f"{letters[:4]}-{letters[4:_LENGTH]}"
