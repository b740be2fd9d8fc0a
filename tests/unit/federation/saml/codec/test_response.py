"""Responses and their status."""

import pytest

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.codec import response as codec
from federation.saml.messages import Response, Status
from federation.saml.names import SAML, SAMLP, StatusCode
from tests import factories

SUCCESS = f"<samlp:Status><samlp:StatusCode Value='{StatusCode.SUCCESS}'/></samlp:Status>"


def read(inside: str) -> Response:
    document = (
        f"<samlp:Response xmlns:samlp='{SAMLP}' xmlns:saml='{SAML}' ID='_1' Version='2.0' "
        f"IssueInstant='2026-03-04T10:00:00Z'>{inside}</samlp:Response>"
    )
    return codec.read(xml.parse(document.encode()))


def test_what_is_written_is_read() -> None:
    whole = factories.envelope(
        consent="urn:c", status=Status(StatusCode.RESPONDER, StatusCode.REQUEST_DENIED, "Not for you & yours")
    )
    assert codec.read(xml.reparse(xml.serialise(codec.write(whole)))) == whole


def test_the_assertion_comes_last() -> None:
    assertion = assertion_codec.write(factories.assertion())
    written = codec.write(factories.envelope(), assertion)
    element = xml.lift(written)
    assert [xml.local_name(child) for child in element] == ["Issuer", "Status", "Assertion"]
    assert [xml.local_name(child) for child in codec.assertions_in(element)] == ["Assertion"]
    assert xml.serialise(assertion) in xml.serialise(written), "it says the same within a response as alone"


def test_the_least_response_is_read() -> None:
    least = read(SUCCESS)
    assert (least.issuer, least.destination, least.in_response_to) == (None, None, None)


def test_extensions_and_status_details_are_not_looked_into() -> None:
    status = (
        f"<samlp:Status><samlp:StatusCode Value='{StatusCode.SUCCESS}'/><samlp:StatusMessage/>"
        "<samlp:StatusDetail><x xmlns='urn:x'/></samlp:StatusDetail></samlp:Status>"
    )
    whole = read(f"<samlp:Extensions><x xmlns='urn:x'/></samlp:Extensions>{status}")
    assert whole.status == Status(StatusCode.SUCCESS)


def test_two_levels_of_status_are_kept() -> None:
    codes = "<samlp:StatusCode Value='urn:3'/>"
    for value in ("urn:2", "urn:1"):
        codes = f"<samlp:StatusCode Value='{value}'>{codes}</samlp:StatusCode>"
    message = "<samlp:StatusMessage> why </samlp:StatusMessage>"
    assert read(f"<samlp:Status>{codes}{message}</samlp:Status>").status == Status("urn:1", "urn:2", "why")


@pytest.mark.parametrize(
    ("rule", "inside"),
    [
        ("xml.shape", ""),
        ("xml.shape", SUCCESS * 2),
        ("xml.shape", "<samlp:Status/>"),
        ("xml.attribute", "<samlp:Status><samlp:StatusCode/></samlp:Status>"),
        ("xml.shape", f"<saml:Assertion/>{SUCCESS}"),
        ("xml.shape", f"{SUCCESS}<samlp:Response/>"),
        ("xml.shape", f"{SUCCESS}text"),
    ],
)
def test_other_content_is_malformed(rule: str, inside: str) -> None:
    with pytest.raises(Malformed) as caught:
        read(inside)
    assert caught.value.rule == rule
