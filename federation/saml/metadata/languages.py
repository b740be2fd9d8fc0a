"""Texts in the reader's language: one of several pairs of language and text (SAML Metadata 2.2.4; mdui 2.1)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

Pairs = Sequence[tuple[str, str]]

FALLBACK: Final = "en"


def choose(pairs: Pairs, readers: Sequence[str]) -> tuple[str, str] | None:
    """The pair for a reader whose languages are `readers`, the dearest first; None where there is no text at all.

    For each in turn: the very language, then its main language, then any variant of that (RFC 4647 3.4 and a step
    more: who reads de-CH is better served by de-AT than by English). English comes last, and then whatever is there.
    """
    for wanted in (*readers, FALLBACK):
        tag, main = wanted.lower(), _main(wanted)
        found = (
            [pair for pair in pairs if pair[0].lower() == tag]
            or [pair for pair in pairs if pair[0].lower() == main]
            or [pair for pair in pairs if _main(pair[0]) == main]
        )
        if found:
            return found[0]
    return pairs[0] if pairs else None


def _main(tag: str) -> str:
    return tag.partition("-")[0].lower()
