"""How much a client may ask for at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What ServiceProviderConfig announces and the server enforces. `payload` is in octets."""

    bulk_operations: int = 1000
    payload: int = 1_048_576
    page: int = 1000
    default_page: int = 100
