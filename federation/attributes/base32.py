"""Base32 (RFC 4648, 6) in lower case and without padding, of 32 octets at once.

Python's own takes each five octets in a loop; here one number is pulled apart, and all its letters move together.
"""

from __future__ import annotations

from typing import Final

SIZE: Final = 32
_LETTERS: Final = 64
"""As many groups of five bits: 320 bits, of which 256 are in use and 260 are shown."""
_SHOWN: Final = 52
_ALPHABET: Final = b"abcdefghijklmnopqrstuvwxyz234567".ljust(256)


def _step(letters: int) -> tuple[int, int, int]:
    """Which bits move and how far, and which stay: of each two lots of so many letters, the upper one moves."""
    lot, room = (1 << 5 * letters) - 1, 8 * letters
    staying = sum(lot << place for place in range(0, 8 * _LETTERS, 2 * room))
    return staying << 5 * letters, room - 5 * letters, staying


_STEPS: Final = tuple(_step(letters) for letters in (32, 16, 8, 4, 2, 1))


def lower(octets: bytes) -> str:
    """The 52 letters and digits of 32 octets."""
    number = int.from_bytes(octets, "big") << 5 * _LETTERS - 8 * SIZE
    for moving, far, staying in _STEPS:
        number = (number & moving) << far | number & staying
    return number.to_bytes(_LETTERS, "big").translate(_ALPHABET)[:_SHOWN].decode()
