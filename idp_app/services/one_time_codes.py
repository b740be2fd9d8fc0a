"""Codes for people to keep or to be told, each good for one use: 50 random bits, kept as a keyed hash."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def new_code() -> str:
    """A code as people write it down: two times five letters and digits."""
    letters = base64.b32encode(secrets.token_bytes(10)).decode("ascii")[:10].lower()
    return f"{letters[:5]}-{letters[5:]}"


def hash_code(secret: bytes, whose: str, code: str) -> bytes:
    """A code under a key of ours, however a person wrote it. `whose` tells people, and purposes, apart."""
    written = "".join(code.split()).replace("-", "").lower().replace("0", "o").replace("1", "i")
    return hmac.new(secret, f"{whose}\n{written}".encode(errors="replace"), hashlib.sha256).digest()
