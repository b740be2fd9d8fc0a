"""Whatever comes in, at whichever address of the federation: a plain answer, never a failure of ours."""

import pytest
from webtest import TestApp

from tests.sp_factories import Site

GET_ADDRESSES = ("login", "discovery", "discovered", "acs", "logout", "logout/done", "form", "slo", "metadata")
POST_ADDRESSES = ("acs", "artifact", "discovery", "logout", "slo")
QUERIES = (
    "%zz",
    "&" * 3000,
    "RelayState=%ff",
    "target=%e2%28",
    "entityID=%00",
    "handle=%f0%28&resume=%ff",
    "SAMLRequest=%ff%fe",
    "SAMLResponse=" + "A" * 20_000,
    "SAMLart=AAQAAA%3D%3D",
)
FORM = "application/x-www-form-urlencoded"
BODIES = (
    (FORM, b"RelayState=%ff&SAMLResponse=%fe"),
    (FORM, b"\x00"),
    (f"{FORM}; charset=utf-7", b"SAMLResponse=+ADw-"),
    (f"{FORM}; charset=nothing", b"SAMLResponse=a"),
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=" + "y" * 300, b"x"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="RelayState"; filename="a"\r\n\r\n',
    ),
    ("text/xml; charset=nothing", b"<a/>"),
    ("text/xml", b"\xff\xfe<\x00"),
    ("application/json", b"{}"),
)


@pytest.mark.parametrize("address", GET_ADDRESSES)
def test_an_address_that_cannot_be_read_is_told_so(site: Site, browser: TestApp, address: str) -> None:
    for query in QUERIES:
        answer = browser.get(f"/saml/{address}?{query}", expect_errors=True)
        assert answer.status_int < 500, query


def test_an_artifact_is_no_logout_message_and_is_refused_as_one(site: Site, browser: TestApp) -> None:
    browser.get("/saml/slo?SAMLart=AAQAAA%3D%3D", status=400)
    browser.post("/saml/slo", {"SAMLart": "AAQAAA=="}, status=400)
    assert site.rows("SELECT DISTINCT rule FROM sp_audit") == [("artifact.unexpected",)]


@pytest.mark.parametrize("address", POST_ADDRESSES)
def test_a_form_that_cannot_be_read_is_told_so(site: Site, browser: TestApp, address: str) -> None:
    for kind, body in BODIES:
        answer = browser.post(f"/saml/{address}", body, headers={"Content-Type": kind}, expect_errors=True)
        assert 400 <= answer.status_int < 500, (kind, body)
    for field in ("RelayState", "SAMLResponse", "SAMLRequest", "SAMLart", "csrf_token", "entityID"):
        browser.post(f"/saml/{address}", upload_files=[(field, "a.txt", b"x")], status=400)
