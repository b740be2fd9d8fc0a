"""Texts that people type or import, brought to one form and within limits.

What passes here can stand in an assertion (no character that XML forbids), in a page and in a log line.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from idp_app.errors import InvalidInput
from idp_app.models.base import NAME_LENGTH

_FORBIDDEN: Final = frozenset({"Cc", "Cs", "Cn", "Zl", "Zp"})
_BIDI_CONTROLS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def clean(field: str, text: str, *, required: bool = False, limit: int = NAME_LENGTH) -> str:
    """One line of text in NFC without outer blanks. Raises `InvalidInput` naming `field`."""
    text = unicodedata.normalize("NFC", text).strip()
    if required and not text:
        raise InvalidInput(field, "must not be empty")
    if len(text) > limit:
        raise InvalidInput(field, f"is longer than {limit} characters")
    if any(unicodedata.category(character) in _FORBIDDEN or character in _BIDI_CONTROLS for character in text):
        raise InvalidInput(field, "holds a character that cannot be used (a control character or a line break)")
    return text


def key(text: str) -> str:
    """The form in which two names are compared: compatible characters and letter case make no difference."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).strip().casefold())


def clean_username(text: str) -> str:
    """A user name: not empty, without blanks inside. Raises `InvalidInput`."""
    text = clean("user name", text, required=True)
    if any(character.isspace() for character in text):
        raise InvalidInput("user name", "must not hold blanks")
    if len(key(text)) > NAME_LENGTH:
        raise InvalidInput("user name", f"is longer than {NAME_LENGTH} characters")
    return text


def clean_mail(text: str) -> str:
    """An e-mail address or nothing: one @ with something on both sides, no blanks. Raises `InvalidInput`."""
    text = clean("mail", text)
    local, at, domain = text.rpartition("@")
    if text and (
        not at or not local or not domain or any(character.isspace() or character in "<>," for character in text)
    ):
        raise InvalidInput("mail", "is not an e-mail address")
    return text
