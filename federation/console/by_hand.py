"""A new connection by the metadata that somebody gave.

The document is looked at; what nothing vouches for is connected only when a person has entered the fingerprints that
they compared.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pyramid.request import Request
from pyramid.response import Response

from federation.console.metadata import document_of, kept_of, sentence
from federation.errors import FederationError
from federation.saml.metadata.trust import Unconfirmed

NOTHING: Final[Mapping[str, str]] = {"name": "", "text": "", "carried": "", "signers": "", "fingerprints": ""}
"""What the empty form has in its fields about the document."""

Connect = Callable[[bytes, Mapping[str, Any]], str]
"""Connects by a document and what was typed, in a part of the transaction that is taken back; answers the id."""
Show = Callable[[Mapping[str, Any], Mapping[str, Any], int], Response]
"""Shows the form again: what was typed, what is to be told about it, the status."""


def connect(request: Request, typed: Mapping[str, Any], connect: Connect, show: Show) -> str | Response:
    """Connect by the form that came; answers the connection's id, or the form again with what is missing or wrong."""
    texts = {name: str(request.POST.get(name, "")) for name in ("name", "signers", "fingerprints")}
    typed = {**typed, **texts, **kept_of(request, b"")}
    try:
        document = document_of(request)
        typed = {**typed, **kept_of(request, document)}
        return connect(document, typed)
    except Unconfirmed as unconfirmed:
        wrong = (
            "Those are not the fingerprints of this document: compare them again." if texts["fingerprints"] else None
        )
        return show(typed, told(unconfirmed, wrong), 400 if wrong else 200)
    except FederationError as error:
        return show(typed, told(None, sentence(error)), 400)


def told(unconfirmed: Unconfirmed | None = None, reason: str | None = None) -> Mapping[str, Any]:
    """What the form says of a document: whose fingerprints to confirm, what it lacks, and why it cannot be used."""
    misses = () if unconfirmed is None else unconfirmed.misses
    return {
        "unconfirmed": unconfirmed,
        "misses": [
            {"rule": each.rule, "level": each.level.value, "message": each.message, "reference": each.reference}
            for each in misses
        ],
        "reason": reason,
    }
