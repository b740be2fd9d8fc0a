"""errorURL with placeholders: what one side fills in the other reads."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from federation.saml.profiles import error_url
from federation.saml.profiles.error_url import CODES, ErrorCode, fill, read

AT = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
SP = "https://sp.example.org/sp?a=b&c=d#e"
SAID = {"at": AT, "sp_entity_id": SP, "reference": "7KQ2-M4XD", "context": "urn:oid:1.2 urn:oid:3.4"}


@pytest.mark.parametrize("code", CODES)
def test_what_one_side_fills_in_the_other_reads(code):
    url = fill(f"https://idp.example.org/error?{error_url.TEMPLATE}", code=code, **SAID)
    assert "ERRORURL" not in url
    told = read(dict(parse_qsl(urlsplit(url).query)))
    assert told == error_url.ReportedError(code, AT, SP, "7KQ2-M4XD", ("urn:oid:1.2", "urn:oid:3.4"))


@pytest.mark.parametrize(
    ("template", "filled"),
    [
        ("https://idp.example.org/help", "https://idp.example.org/help"),
        ("https://idp.example.org/ERRORURL_CODE/x", "https://idp.example.org/OTHER_ERROR/x"),
        ("https://idp.example.org/?t=ERRORURL_TS", f"https://idp.example.org/?t={int(AT.timestamp())}"),
        ("https://a.org/?r=ERRORURL_RP", "https://a.org/?r=https%3A%2F%2Fsp.example.org%2Fsp%3Fa%3Db%26c%3Dd%23e"),
        ("https://a.org/?ERRORURL_TID&ERRORURL_TID", "https://a.org/?7KQ2-M4XD&7KQ2-M4XD"),
        ("https://a.org/?x=ERRORURL_CTX", "https://a.org/?x=urn%3Aoid%3A1.2%20urn%3Aoid%3A3.4"),
        ("https://a.org/?x=ERRORURL_OTHER", "https://a.org/?x=ERRORURL_OTHER"),
    ],
)
def test_a_placeholder_may_stand_anywhere_and_a_template_may_have_none(template, filled):
    assert fill(template, code=ErrorCode.OTHER_ERROR, **SAID) == filled


def test_what_was_put_in_is_not_looked_through_again():
    said = {**SAID, "sp_entity_id": "urn:ERRORURL_TID"}
    assert fill("https://a.org/?r=ERRORURL_RP", code="OTHER_ERROR", **said) == "https://a.org/?r=urn%3AERRORURL_TID"


def test_placeholders_that_nobody_filled_count_as_not_said():
    assert (
        read(dict(parse_qsl(error_url.TEMPLATE)))
        == read({})
        == error_url.ReportedError(ErrorCode.OTHER_ERROR, None, None, None, ())
    )


@pytest.mark.parametrize(
    "hostile",
    [
        {"code": "<script>"},
        {"ts": "9" * 40},
        {"ts": "-1"},
        {"ts": "²²²²²²²²²²"},
        {"rp": "javascript alert(1)"},
        {"rp": "a" * 300},
        {"tid": "<b>"},
        {"tid": "x" * 65},
        {"ctx": "\u202eevil \x00"},
    ],
)
def test_what_is_no_such_value_counts_as_not_said(hostile):
    assert read(hostile) == read({})


def test_names_are_bounded():
    assert len(read({"ctx": " ".join(f"n{n}" for n in range(500))}).names) == error_url.MAX_NAMES
