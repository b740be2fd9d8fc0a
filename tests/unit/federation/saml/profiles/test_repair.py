"""Where the cause of a refusal is known, the repair is said in words."""

from __future__ import annotations

from datetime import timedelta

import pytest

from federation.errors import Refused
from federation.saml.names import StatusCode
from federation.saml.profiles.repair import Known, repair
from tests import factories
from tests.factories import NOW, accept_response

PARTNER = "Example University"


def failed(rule: str, expected: str, received: str) -> dict[str, object]:
    return {"rule": rule, "reference": "", "expected": expected, "received": received, "ok": False}


def words(rule: str, expected: str = "x", received: str = "y", **known: object) -> str:
    said = repair(failed(rule, expected, received), Known(partner=PARTNER, **known))
    assert said is not None
    return said


def refusal(document: bytes, **more: object) -> str:
    with pytest.raises(Refused) as refused:
        accept_response(document, **more)
    said = repair(refused.value.failed._asdict(), Known(partner=PARTNER))
    assert said is not None
    return said


def test_a_clock_that_is_ahead_is_told_in_seconds_beyond_what_is_allowed() -> None:
    said = refusal(factories.response_xml(), now=NOW - timedelta(minutes=3, seconds=97))
    assert "97 s of clock difference more than allowed" in said
    assert f"clock of {PARTNER} is ahead" in said


def test_a_message_that_is_too_old_is_told_in_seconds() -> None:
    assert "older than allowed" in refusal(factories.response_xml(), now=NOW + timedelta(minutes=20))


def test_a_new_key_is_in_their_metadata_and_ours_was_older() -> None:
    friday, monday = NOW, NOW + timedelta(days=3)
    told = {"certificates": ["AB:CD"], "keys": ["AB:CD"]}
    said = words("signature.value", **told, metadata_since=monday, refused_at=friday)
    assert "their new key is in their metadata since" in said
    assert "try again" in said
    assert "changed on the way" in words("signature.value", **told, metadata_since=friday, refused_at=monday)
    unknown = words("signature.value", certificates=["AB:CD"], keys=["EF:01"], metadata_since=friday)
    assert "AB:CD" in unknown
    assert "refresh their metadata" in unknown


@pytest.mark.parametrize(
    ("rule", "expected", "received", "said"),
    [
        ("assertion.audience", "https://sp", "https://other", "another entityID"),
        ("response.destination", "https://sp/acs", "https://sp/old", "our metadata is old"),
        ("confirmation.recipient", "https://sp/acs", "https://sp/old", "our metadata is old"),
        ("request.acs", "one of these", "URL https://sp/old", "does not list"),
        ("request.partner", "connected", "https://stranger", "no connection to https://stranger"),
        ("response.idp_metadata", "valid", "valid until Friday", "refresh it"),
        ("request.partner_metadata", "valid", "valid until Friday", "refresh it"),
        ("encryption.opens", "x", "y", "must refresh our metadata"),
        ("identifier.pairwise_id", "one", "0 of them", "release policy"),
        ("assertion.authn_context", "exact mfa", "password", "second factor"),
        ("assertion.force_authn", "x", "y", "ForceAuthn"),
        ("response.status", "Success", f"Responder / {StatusCode.REQUEST_DENIED}", "audience"),
        ("response.status", "Success", "Responder", "Its own log"),
        ("request.signed", "a signature", "none", "must sign"),
        ("assertion.not_before", "valid by 2026-03-04T10:00:00Z", "valid from 2026-03-04T10:01:37Z", "97 s of clock"),
        ("confirmation.not_on_or_after", "an end after 2026-03-04T10:00:00Z", "2026-03-04T09:59:00Z", "60 s too early"),
    ],
)
def test_the_repair_says_what_to_do(rule: str, expected: str, received: str, said: str) -> None:
    assert said in words(rule, expected, received)


def test_where_the_cause_is_not_known_nothing_is_made_up() -> None:
    assert repair(failed("response.root", "Response", "Assertion"), Known()) is None
    assert repair(failed("response.issue_instant", "odd", "odder"), Known()) is None
