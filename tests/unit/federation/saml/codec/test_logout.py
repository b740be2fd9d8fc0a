"""Logout messages survive writing and reading, and are read in one way only."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.codec import logout
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Status
from federation.saml.names import SAML, NameIDFormat, StatusCode

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
REQUEST = LogoutRequest(
    id="_r1",
    issuer="https://sp.test/saml/metadata",
    issue_instant=NOW,
    name_id=NameID(
        "_t1", NameIDFormat.TRANSIENT, name_qualifier="https://idp.test", sp_name_qualifier="https://sp.test"
    ),
    session_indexes=("_s1", "_s2"),
    destination="https://idp.test/saml/slo",
    not_on_or_after=NOW,
    reason="urn:oasis:names:tc:SAML:2.0:logout:user",
    asynchronous=True,
)
RESPONSE = LogoutResponse(
    id="_a1",
    issuer="https://idp.test/saml/metadata",
    issue_instant=NOW,
    status=Status(StatusCode.SUCCESS, StatusCode.PARTIAL_LOGOUT),
    destination="https://sp.test/saml/slo",
    in_response_to="_r1",
)


def test_a_request_survives_writing_and_reading() -> None:
    for request in (REQUEST, replace(REQUEST, session_indexes=(), reason=None, asynchronous=False)):
        assert logout.read_request(xml.parse(xml.serialise(logout.write_request(request)))) == request


def test_a_response_survives_writing_and_reading() -> None:
    assert logout.read_response(xml.parse(xml.serialise(logout.write_response(RESPONSE)))) == RESPONSE


def test_an_encrypted_identifier_is_read_only_with_a_key_to_open_it() -> None:
    octets = xml.serialise(logout.write_request(REQUEST))
    start, end = octets.index(b"<saml:NameID"), octets.index(b"</saml:NameID>") + len(b"</saml:NameID>")
    name_id = octets[start:end]
    element = xml.parse(octets[:start] + b'<saml:EncryptedID xmlns:saml="%s"/>' % SAML.encode() + octets[end:])
    with pytest.raises(Malformed, match="no key"):
        logout.read_request(element)
    assert logout.read_request(element, lambda encrypted: xml.parse(name_id)) == REQUEST


@pytest.mark.parametrize(
    "broken",
    [
        lambda octets: octets.replace(b">_t1<", b"><"),
        lambda octets: octets.replace(b">_t1<", b"> <"),
        lambda octets: octets.replace(b">_s1<", b">_s1<x/><"),
        lambda octets: octets.replace(b' ID="_r1"', b""),
        lambda octets: octets.replace(b"<samlp:SessionIndex>_s1", b"<samlp:Other/><samlp:SessionIndex>_s1"),
        lambda octets: octets.replace(b"2026-03-01T12:00:00Z", b"soon"),
    ],
)
def test_a_broken_request_is_malformed(broken) -> None:
    octets = xml.serialise(logout.write_request(REQUEST))
    assert broken(octets) != octets
    with pytest.raises(Malformed):
        logout.read_request(xml.parse(broken(octets)))
