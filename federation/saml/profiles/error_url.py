"""errorURL with placeholders (REFEDS errorURL 1.0): an SP's problem page leads to a page of the IdP that can help.

fill       the SP puts what it knows into the template of the IdP's metadata
TEMPLATE   the query that our own IdP publishes
read       our IdP reads what came: hostile text, bounded, with nothing in it but what a page may show
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from federation.saml.metadata.locations import is_entity_id


class ErrorCode:
    """What went wrong, as REFEDS names it."""

    IDENTIFICATION_FAILURE: Final = "IDENTIFICATION_FAILURE"
    AUTHENTICATION_FAILURE: Final = "AUTHENTICATION_FAILURE"
    AUTHORIZATION_FAILURE: Final = "AUTHORIZATION_FAILURE"
    OTHER_ERROR: Final = "OTHER_ERROR"


CODES: Final = (
    ErrorCode.IDENTIFICATION_FAILURE,
    ErrorCode.AUTHENTICATION_FAILURE,
    ErrorCode.AUTHORIZATION_FAILURE,
    ErrorCode.OTHER_ERROR,
)
TEMPLATE: Final = "code=ERRORURL_CODE&ts=ERRORURL_TS&rp=ERRORURL_RP&tid=ERRORURL_TID&ctx=ERRORURL_CTX"
MAX_CONTEXT: Final = 1000
MAX_NAMES: Final = 20
_PLACEHOLDER: Final = re.compile(r"ERRORURL_(?:CODE|TS|RP|TID|CTX)")
_REFERENCE: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}", re.ASCII)
_NAME: Final = re.compile(r"[!-~]{1,256}", re.ASCII)


def fill(template: str, *, code: str, at: datetime, sp_entity_id: str, reference: str, context: str = "") -> str:
    """The address for one problem: each placeholder, wherever it stands, is replaced by its value, percent-encoded.

    `reference` is our number for the problem (TID), `context` what it is about: names of attributes, or authentication
    context classes, with blanks between. What is put in is not looked through again.
    """
    values = {
        "ERRORURL_CODE": code,
        "ERRORURL_TS": str(int(at.timestamp())),
        "ERRORURL_RP": sp_entity_id,
        "ERRORURL_TID": reference,
        "ERRORURL_CTX": context[:MAX_CONTEXT],
    }
    return _PLACEHOLDER.sub(lambda found: quote(values[found[0]], safe=""), template)


@dataclass(frozen=True, slots=True)
class ReportedError:
    """What a service provider says about a problem, as far as it can be shown. None of it is verified."""

    code: str
    at: datetime | None
    sp_entity_id: str | None
    reference: str | None
    names: tuple[str, ...]


def read(parameters: Mapping[str, str]) -> ReportedError:
    """Read the query of `TEMPLATE`. What is missing, left as a placeholder, or no such value, counts as not said."""
    code, entity_id = parameters.get("code", ""), parameters.get("rp", "")
    reference, context = parameters.get("tid", ""), parameters.get("ctx", "")
    names = () if _PLACEHOLDER.search(context) else tuple(dict.fromkeys(context[:MAX_CONTEXT].split()))
    return ReportedError(
        code=code if code in CODES else ErrorCode.OTHER_ERROR,
        at=_instant(parameters.get("ts", "")),
        sp_entity_id=entity_id if is_entity_id(entity_id) else None,
        reference=reference if _REFERENCE.fullmatch(reference) and not _PLACEHOLDER.search(reference) else None,
        names=tuple(name for name in names if _NAME.fullmatch(name))[:MAX_NAMES],
    )


def _instant(text: str) -> datetime | None:
    """Seconds since 1970, as long as they make a year that a person could mean."""
    seconds = text.partition(".")[0]
    return datetime.fromtimestamp(int(seconds), UTC) if re.fullmatch(r"\d{9,10}", seconds, re.ASCII) else None
