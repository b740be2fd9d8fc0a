"""The languages of whoever reads, as their browser says (RFC 9110 12.5.4)."""

from __future__ import annotations

from typing import Final

from pyramid.request import Request

MAX_LANGUAGES: Final = 10


def readers_languages(request: Request) -> tuple[str, ...]:
    """Language tags, the dearest first. A header that cannot be read says nothing."""
    said = request.accept_language.parsed or ()
    wanted = [(tag, quality) for tag, quality in said if quality > 0 and tag != "*"]
    return tuple(tag for tag, _ in sorted(wanted, key=lambda pair: -pair[1]))[:MAX_LANGUAGES]
