"""Bad input on every address: a page with a sentence and a reference number, never our fault, nothing stored."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from lxml import etree
from webtest import TestResponse

from federation.saml import signature, xml
from federation.saml.bindings import post, redirect
from federation.saml.codec import authn_request
from federation.saml.names import SAML
from idp_app.models import AuditEntry, Participation, ReceivedRequest, SignInSession
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, encoded
from tests.logout_factories import ENDPOINTS, address, answer_in, arrive_at, ask, is_signed_in, judge, name_of

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")
DTD = b'<!DOCTYPE a [<!ENTITY e "x">]>'


def refused(idp: IdPSite, page: TestResponse) -> None:
    """Whatever came was refused as the sender's fault, recorded under the number shown, and nothing else was kept."""
    assert page.status_int in (400, 403, 404, 405, 413), page.text
    found = REFERENCE.search(page.text)
    assert found is not None
    assert "Traceback" not in page.text
    for table in (ReceivedRequest, SignInSession, Participation):
        assert idp.count(table) == 0
    if page.status_int in (400, 403):
        assert found[0] in {entry.reference for entry in idp.audit()}


def document(sp: FakeSP, change: Callable[[etree._Element], object] | None = None, **more: object) -> bytes:
    """A signed request after a change made before its signature."""
    element = xml.lift(authn_request.write(sp.request(**more)))
    if change is not None:
        change(element)
    signature.sign(element, key=sp.key)
    return xml.serialise(element)


def removed(name: str) -> Callable[[etree._Element], None]:
    def change(element: etree._Element) -> None:
        del element.attrib[name]

    return change


def changed(name: str, value: str) -> Callable[[etree._Element], None]:
    def change(element: etree._Element) -> None:
        element.set(name, value)

    return change


def by_a_stranger(sp: FakeSP) -> bytes:
    element = xml.lift(authn_request.write(sp.request()))
    signature.sign(element, key=signing_key("stranger"))
    return xml.serialise(element)


DOCUMENTS: dict[str, Callable[[FakeSP], bytes]] = {
    "nothing": lambda sp: b"",
    "no XML": lambda sp: b"hello",
    "half a document": lambda sp: document(sp)[:-40],
    "a document type": lambda sp: DTD + document(sp),
    "an entity": lambda sp: DTD + document(sp).replace(b"</saml:Issuer>", b"&e;</saml:Issuer>"),
    "a processing instruction": lambda sp: document(sp).replace(b"</saml:Issuer>", b"<?x y?></saml:Issuer>"),
    "another encoding than said": lambda sp: b'<?xml version="1.0" encoding="UTF-8"?>' + "é".encode("latin-1"),
    "another root": lambda sp: b"<hello/>",
    "a response": lambda sp: document(sp).replace(b"AuthnRequest", b"Response"),
    "no issuer": lambda sp: xml.serialise(etree.fromstring(document(sp).replace(b"saml:Issuer", b"saml:Iss"))),
    "no ID": lambda sp: document(sp).replace(b" ID=", b" XID="),
    "an empty ID": lambda sp: document(sp).replace(b' ID="_', b' ID="" X="_'),
    "no instant": lambda sp: document(sp, removed("IssueInstant")),
    "an instant that is none": lambda sp: document(sp, changed("IssueInstant", "yesterday")),
    "an instant next year": lambda sp: document(sp, changed("IssueInstant", "2027-03-04T10:00:00Z")),
    "another destination": lambda sp: document(sp, destination="http://localhost:1/saml/sso"),
    "an unknown answer address": lambda sp: document(sp, acs_url="http://localhost:1/acs"),
    "an index and a URL": lambda sp: document(sp, changed("AssertionConsumerServiceIndex", "0")),
    "a changed word after the signature": lambda sp: document(sp).replace(b"HTTP-POST", b"HTTP-POSt"),
    "no signature": lambda sp: xml.serialise(authn_request.write(sp.request())),
    "a signature of a stranger": by_a_stranger,
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_posted_message_that_is_wrong_is_refused(idp: IdPSite, intranet: FakeSP, name: str) -> None:
    fields = {"SAMLRequest": encoded(DOCUMENTS[name](intranet))}
    refused(idp, idp.browser().post("/saml/sso", fields, expect_errors=True))


@pytest.mark.parametrize(
    "query",
    [
        "",
        "SAMLRequest=",
        "SAMLRequest=%00",
        "SAMLRequest=%FF%FE",
        "SAMLRequest=####",
        "SAMLRequest=aGVsbG8=",
        "SAMLResponse=aGVsbG8=",
        "SAMLRequest=a&SAMLRequest=b",
        "SAMLRequest=a&SAMLResponse=b",
        "RelayState=x",
        "SAMLRequest=" + "A" * 4000,
        "SAMLEncoding=none&SAMLRequest=a",
    ],
)
def test_a_query_that_is_wrong_is_refused(idp: IdPSite, query: str) -> None:
    refused(idp, idp.browser().get(f"/saml/sso?{query}", expect_errors=True))


def test_a_query_that_inflates_without_end_is_refused(idp: IdPSite, intranet: FakeSP) -> None:
    url = redirect.encode(
        b"<a>" + b" " * 3_000_000 + b"</a>", parameter="SAMLRequest", destination="http://localhost/", key=None
    )
    refused(idp, idp.browser().get(f"/saml/sso?{urlsplit(url).query}", expect_errors=True))


@pytest.mark.conformance("SDP-IDP05")
def test_a_query_whose_signature_was_cut_or_changed_is_refused(idp: IdPSite, intranet: FakeSP) -> None:
    url = intranet.redirect_url()
    for wrong in (
        url.replace("RelayState=relay", "RelayState=other"),
        url[:-6],
        url.partition("&Signature=")[0],
        url.replace("rsa-sha256", "rsa-sha1"),
        url + "&Signature=AAAA",
    ):
        refused(idp, idp.browser().get(wrong, expect_errors=True))


def test_a_body_beyond_the_limit_is_refused(idp: IdPSite) -> None:
    page = idp.browser().post("/saml/sso", {"SAMLRequest": "A" * 1_100_000}, expect_errors=True)
    assert page.status_int == 413
    refused(idp, page)


def test_a_relay_state_beyond_the_limit_is_refused(idp: IdPSite, intranet: FakeSP) -> None:
    refused(idp, idp.browser().get(intranet.redirect_url(relay_state="x" * 3000), expect_errors=True))


def test_a_request_that_was_answered_with_its_own_fault_is_kept_nowhere(idp: IdPSite, intranet: FakeSP) -> None:
    fields = dict(
        post.encode(
            document(intranet, changed("Version", "2.1")), parameter="SAMLRequest", destination="http://localhost/"
        ).fields
    )
    page = idp.browser().post("/saml/sso", fields, expect_errors=True)
    assert page.status_int in (200, 400)
    assert idp.count(ReceivedRequest) == 0


@pytest.mark.parametrize("body", [b"\xff\xfe=1", b"SAMLRequest=%FF", b"&" * 3000, b"\x00=\x00", b"a" * 200])
def test_a_form_that_is_no_form_is_refused(idp: IdPSite, body: bytes) -> None:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    refused(idp, idp.browser().post("/saml/sso", body, headers=headers, expect_errors=True))


@pytest.mark.parametrize(
    "kind", ["text/xml", "application/json", "multipart/form-data", "multipart/form-data; boundary=x"]
)
def test_a_body_of_another_kind_is_refused(idp: IdPSite, kind: str) -> None:
    headers = {"Content-Type": kind}
    refused(idp, idp.browser().post("/saml/sso", b"<hello/>", headers=headers, expect_errors=True))


def test_an_artifact_is_no_logout_message_and_is_refused_as_one(idp: IdPSite) -> None:
    refused(idp, idp.browser().get("/saml/slo?SAMLart=AAQAAA%3D%3D", expect_errors=True))
    refused(idp, idp.browser().post("/saml/slo", {"SAMLart": "AAQAAA=="}, expect_errors=True))
    told = [entry.detail["rule"] for entry in idp.audit() if entry.kind.startswith("refused")]
    assert told == ["artifact.unexpected"] * 2


@pytest.mark.parametrize("address", ["/signin", "/signin/second-factor", "/account", "/saml/sso", "/saml/slo"])
@pytest.mark.parametrize("field", ["next", "continue", "RelayState", "SAMLResponse", "SAMLart", "code"])
def test_a_file_in_the_place_of_a_text_is_refused(idp: IdPSite, address: str, field: str) -> None:
    refused(idp, idp.browser().post(address, upload_files=[(field, "a.txt", b"x")], expect_errors=True))


@pytest.mark.parametrize(
    "address",
    [
        "/saml/continue/nothing",
        "/saml/continue/" + "x" * 3000,
        "/saml/continue/%FF",
        "/saml/continue/%00",
        "/saml/continue/a%2Fb",
        "/saml/nothing",
        "/nothing",
        "/%FF",
        "/admin/nothing",
    ],
)
def test_an_address_that_leads_nowhere_says_so(idp: IdPSite, address: str) -> None:
    page = idp.browser().get(address, expect_errors=True)
    assert page.status_int in (400, 404)
    assert REFERENCE.search(page.text)


@pytest.mark.parametrize(
    ("address", "method"),
    [("/saml/sso", "PUT"), ("/saml/metadata", "POST"), ("/signin", "DELETE"), ("/", "POST"), ("/admin", "PATCH")],
)
def test_another_method_is_not_allowed(idp: IdPSite, address: str, method: str) -> None:
    page = idp.browser().request(address, method=method, expect_errors=True)
    assert page.status_int in (403, 405)


@pytest.mark.parametrize("name", ["username", "password", "continue", "next"])
@pytest.mark.parametrize(
    "value", ["", "\x01", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), "x" * 100_000, "'; --", "<b>"]
)
def test_whatever_is_typed_into_the_sign_in_form_nobody_gets_in(idp: IdPSite, name: str, value: str) -> None:
    browser = idp.browser()
    token = browser.get("/signin").forms[0]["csrf_token"].value
    fields = {"username": "alice", "password": "wrong", "csrf_token": token, name: value}
    page = browser.post("/signin", fields, expect_errors=True)
    assert page.status_int in (400, 403)
    assert "<b>" not in page.text
    assert idp.count(SignInSession) == 0


@pytest.mark.parametrize("name", ["idp-session", "idp-browser", "idp-csrf"])
@pytest.mark.parametrize("value", ["x", "x" * 3000, '"', "%00", "é"])
def test_a_cookie_that_somebody_made_up_means_nothing(idp: IdPSite, intranet: FakeSP, name: str, value: str) -> None:
    headers = {"Cookie": f"{name}={value}".encode().decode("latin-1")}
    assert idp.browser().get("/", headers=headers).status_int == 200
    assert idp.browser().get(intranet.redirect_url(), headers=headers).status_int == 303


def test_an_issuer_of_any_length_or_script_is_only_a_stranger(idp: IdPSite, intranet: FakeSP) -> None:
    for issuer in ("x" * 5000, "<script>", "שלום", "a\tb", " "):
        element = xml.lift(authn_request.write(intranet.request()))
        found = element.find(f"{{{SAML}}}Issuer")
        assert found is not None
        found.text = issuer
        page = idp.browser().post("/saml/sso", {"SAMLRequest": encoded(xml.serialise(element))}, expect_errors=True)
        refused(idp, page)
        assert "<script>" not in page.text
    assert idp.count(AuditEntry) > 4


def test_a_host_header_moves_no_link(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.browser(HTTP_HOST="evil.example")
    assert browser.get(intranet.redirect_url()).location.startswith("http://localhost:6543/signin?")
    assert "evil" not in browser.get("/saml/metadata").text
    assert quote("evil") not in browser.get("/signin").text


def test_a_head_uses_up_no_message(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(options={"single_logout": ENDPOINTS}))
    browser = idp.sign_in("alice")
    logout = ask(sp, idp, name_of(arrive_at(sp, browser, idp)))
    asked, signs_out = sp.redirect_url(), address(logout, sp.key)
    assert browser.head(asked, status=405).headers["Allow"] == "GET, POST"
    browser.head(signs_out, status=405)
    assert is_signed_in(browser)
    assert sp.accept(browser.get(asked), idp.entity).name_id is not None
    assert judge(answer_in(browser.get(signs_out)), sp, idp, logout).outcome == "ended"
