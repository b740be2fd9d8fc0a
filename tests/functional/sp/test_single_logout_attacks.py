"""Messages that somebody forged, kept or twisted end nobody's session, by any binding, and never break the site."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from lxml import etree
from webtest import TestApp, TestResponse

from federation.saml import signature, xml
from federation.saml.bindings import redirect, soap
from federation.saml.codec import logout as codec
from federation.saml.codec.common import EXTENSIONS, NAME_ID
from federation.saml.identifiers import new_id
from federation.saml.messages import LogoutRequest, NameID
from federation.saml.names import NameIDFormat
from federation.saml.profiles import logout
from federation.saml.signature import SigningKey
from tests.factories import signing_key
from tests.slo_factories import ALICES, POST, SOAP, SingleLogout
from tests.sp_factories import FakeIdP, Site, make_site

BINDINGS = ("redirect", "post", "soap")
Change = Callable[[etree._Element], object]


@pytest.fixture(scope="module")
def running_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One kind of database is enough: what is refused here is refused before it is asked."""
    site = make_site(tmp_path_factory.mktemp("intranet"))
    yield site
    site.provider.engine.dispose()


@pytest.fixture
def slo(site: Site) -> SingleLogout:
    return SingleLogout(site)


@pytest.fixture
def alice(slo: SingleLogout, browser: TestApp) -> TestApp:
    """Alice's browser, signed in."""
    slo.sign_in(browser)
    return browser


def deliver(
    slo: SingleLogout,
    request: LogoutRequest,
    binding: str,
    *,
    key: SigningKey | None = None,
    before: Change | None = None,
    after: Change | None = None,
    signed: bool = True,
) -> TestResponse:
    """Bring a message to the site; `before` and `after` change its element around the signing of its content."""
    element = xml.lift(codec.write_request(request))
    if before is not None:
        before(element)
    if signed and binding != "redirect":
        signature.sign(element, key=key or slo.key)
    if after is not None:
        after(element)
    octets = etree.tostring(element)
    browser, path = slo.site.browser(), urlsplit(slo.url).path
    if binding == "redirect":
        url = redirect.encode(
            octets, parameter="SAMLRequest", destination=slo.url, key=(key or slo.key) if signed else None
        )
        return browser.get(f"{path}?{urlsplit(url).query}", expect_errors=True)
    if binding == "post":
        return browser.post(path, {"SAMLRequest": base64.b64encode(octets).decode()}, expect_errors=True)
    return slo.by_soap(soap.encode(octets), expect_errors=True)


def refused(slo: SingleLogout, page: TestResponse, rule: str, alice: TestApp) -> None:
    """A plain page or a fault with a reference number, the rule in the trail, and Alice is signed in as before."""
    assert page.status_int in (400, 403)
    if page.content_type == "text/xml":
        assert b"Fault" in page.body
        assert b"Reference" in page.body
    else:
        assert "Reference number" in page
        assert "Nobody was signed out by it" in page or "You are not signed in at this site" in page
    ((last,),) = slo.site.rows("select rule from sp_audit order by id desc limit 1")
    assert last == rule
    assert alice.get("/whoami").json["signed_in"]


@pytest.mark.parametrize("binding", BINDINGS)
def test_unsigned(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    refused(slo, deliver(slo, slo.ask(), binding, signed=False), "logout.signed", alice)
    ((messages,),) = slo.site.rows("select messages from sp_audit order by id desc limit 1")
    assert "LogoutRequest" in str(messages)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"lifetime": timedelta(minutes=-10)}, "logout.not_on_or_after"),
        ({"destination": "https://intranet.example.org/saml/acs"}, "logout.destination"),
        ({"destination": "https://intranet.example.org/saml/slo/"}, "logout.destination"),
        ({"destination": "https://INTRANET.example.org/saml/slo"}, "logout.destination"),
        ({"issuer": "https://nobody-we-know.example.net"}, "logout.partner"),
    ],
)
def test_expired_for_elsewhere_or_from_a_stranger(
    slo: SingleLogout, alice: TestApp, binding: str, changes: dict[str, Any], rule: str
) -> None:
    refused(slo, deliver(slo, slo.ask(**changes), binding), rule, alice)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("age", [timedelta(minutes=20), timedelta(minutes=-20)])
def test_kept_for_long_or_from_the_future(slo: SingleLogout, alice: TestApp, binding: str, age: timedelta) -> None:
    request = slo.ask(now=slo.site.clock() - age, lifetime=timedelta(hours=2))
    refused(slo, deliver(slo, request, binding), "logout.issue_instant", alice)


@pytest.mark.parametrize("first", BINDINGS)
@pytest.mark.parametrize("second", BINDINGS)
def test_replayed_by_the_same_or_another_binding(slo: SingleLogout, alice: TestApp, first: str, second: str) -> None:
    request = slo.ask()
    assert deliver(slo, request, first).status_int in (200, 303)
    slo.sign_in(alice, session_index="_again", name_id=ALICES._replace(value="_another"))
    refused(slo, deliver(slo, request, second), "logout.replay", alice)


@pytest.mark.parametrize("binding", BINDINGS)
def test_signed_by_another_identity_provider_in_ours_name(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    other = other_idp(slo)
    page = deliver(slo, slo.ask(), binding, key=signing_key(other.key))
    refused(slo, page, "signature.value", alice)


@pytest.mark.parametrize("binding", BINDINGS)
def test_signed_by_another_identity_provider_in_its_own_name_ends_nothing_of_ours(
    slo: SingleLogout, alice: TestApp, binding: str
) -> None:
    other = other_idp(slo)
    for name_id in (ALICES, NameID("_alice")):
        request = slo.ask("_session", name_id=name_id, issuer=other.entity_id)
        assert deliver(slo, request, binding, key=signing_key(other.key)).status_int in (200, 303)
    assert alice.get("/whoami").json["signed_in"]


def other_idp(slo: SingleLogout) -> FakeIdP:
    other = FakeIdP(
        slo.site.clock,
        entity_id="https://other-idp.example.net/saml/metadata",
        sso_url="https://other-idp.example.net/saml/sso",
        key="other-idp",
        single_logout=(POST, SOAP),
    )
    slo.site.connect(other)
    return other


# -- Wrapped ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("binding", ["post", "soap"])
def test_a_genuine_request_hidden_inside_a_forged_one(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    """What was signed for somebody else is parked in the extensions of what names Alice."""
    genuine = xml.lift(codec.write_request(slo.ask(name_id=NameID("_mallory"))))
    signature.sign(genuine, key=slo.key)

    def park(element: etree._Element) -> None:
        extensions = etree.Element(EXTENSIONS)
        extensions.append(genuine)
        element.insert(1, extensions)

    refused(slo, deliver(slo, slo.ask(), binding, after=park, signed=False), "logout.signatures", alice)


@pytest.mark.parametrize("binding", ["post", "soap"])
def test_a_signature_moved_to_a_forged_request(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    genuine = xml.lift(codec.write_request(slo.ask(name_id=NameID("_mallory"))))
    signature.sign(genuine, key=slo.key)
    moved = genuine[1]
    page = deliver(
        slo, replace(slo.ask(), id=str(genuine.get("ID"))), binding, after=lambda e: e.insert(1, moved), signed=False
    )
    refused(slo, page, "signature.content", alice)


@pytest.mark.parametrize("binding", ["post", "soap"])
def test_a_captured_assertion_lends_no_signature(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    departure = slo.idp.read(alice.get("/saml/login"))
    captured = xml.parse(slo.idp.response(departure, sign_assertion=True, encrypt_to=None))
    assertion = next(captured.iter("{urn:oasis:names:tc:SAML:2.0:assertion}Assertion"))

    def park(element: etree._Element) -> None:
        extensions = etree.Element(EXTENSIONS)
        extensions.append(assertion)
        element.insert(1, extensions)

    page = deliver(slo, slo.ask(), binding, before=park)
    refused(slo, page, "logout.signatures", alice)


@pytest.mark.parametrize("binding", ["post", "soap"])
def test_changed_after_it_was_signed(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    def rename(element: etree._Element) -> None:
        name_id = element.find(NAME_ID)
        assert name_id is not None
        name_id.text = "_alice"

    request = slo.ask(name_id=NameID("_mallory", NameIDFormat.TRANSIENT))
    refused(slo, deliver(slo, request, binding, after=rename), "signature.content", alice)


@pytest.mark.parametrize("part", ["SAMLRequest", "RelayState", "SigAlg", "Signature"])
def test_a_query_changed_after_it_was_signed(slo: SingleLogout, alice: TestApp, part: str) -> None:
    url = slo.address(slo.ask(name_id=NameID("_mallory")), "state")
    donor = slo.address(slo.ask(), "other", key=signing_key("other-idp"))
    pairs = dict(pair.split("=", 1) for pair in urlsplit(url).query.split("&"))
    given = dict(pair.split("=", 1) for pair in urlsplit(donor).query.split("&"))
    pairs[part] = given[part] if part != "SigAlg" else pairs[part].replace("sha256", "sha512")
    page = slo.site.browser().get(
        "/saml/slo?" + "&".join(f"{name}={value}" for name, value in pairs.items()), expect_errors=True
    )
    refused(slo, page, "signature.value", alice)


# -- Names ------------------------------------------------------------------------------------------------------------


def name_with(*, text: str | None, comment_before: str | None = None) -> Change:
    """Put a text into the NameID, and a comment with more text after it."""

    def change(element: etree._Element) -> None:
        name_id = element.find(NAME_ID)
        assert name_id is not None
        name_id.text = text
        if comment_before is not None:
            comment = etree.Comment("x")
            comment.tail = comment_before
            name_id.append(comment)

    return change


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_comment_cuts_no_name_short(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    """Signed as it is: whoever reads only up to the comment ends Alice's session for somebody else's."""
    page = deliver(slo, slo.ask(), binding, before=name_with(text="_alice", comment_before="-of-elsewhere"))
    assert page.status_int in (200, 303)
    assert alice.get("/whoami").json["signed_in"]


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_comment_hides_no_name(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    deliver(slo, slo.ask(), binding, before=name_with(text="_al", comment_before="ice"))
    alice.get("/whoami", status=401)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("text", [None, "", "   ", "\n"])
def test_an_empty_name_is_not_everybodys(slo: SingleLogout, alice: TestApp, binding: str, text: str | None) -> None:
    refused(slo, deliver(slo, slo.ask(), binding, before=name_with(text=text)), "xml.text", alice)


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("value", ["%", "_", "*", "_alice' or '1'='1", "_alice\n", " _alice", "_ALICE", "_alicé"])
def test_a_name_is_no_pattern(slo: SingleLogout, alice: TestApp, binding: str, value: str) -> None:
    deliver(slo, slo.ask(name_id=NameID(value)), binding)
    assert alice.get("/whoami").json["signed_in"]


@pytest.mark.parametrize("binding", BINDINGS)
def test_a_request_without_a_name_is_refused(slo: SingleLogout, alice: TestApp, binding: str) -> None:
    def unname(element: etree._Element) -> None:
        name_id = element.find(NAME_ID)
        assert name_id is not None
        element.remove(name_id)

    page = deliver(slo, slo.ask(), binding, before=unname)
    assert page.status_int == 403
    assert alice.get("/whoami").json["signed_in"]


# -- What is no request at all ----------------------------------------------------------------------------------------


def test_a_request_in_the_place_of_a_response_and_the_other_way_round(slo: SingleLogout, alice: TestApp) -> None:
    as_response = slo.address(slo.ask()).replace("SAMLRequest=", "SAMLResponse=")
    page = slo.site.browser().get(as_response, expect_errors=True)
    assert page.status_int in (400, 403)
    response = logout.build_response(
        id=new_id(),
        issuer=slo.idp.entity_id,
        destination=slo.url,
        in_response_to=new_id(),
        status=logout.SUCCESS,
        now=slo.site.clock(),
    )
    refused(slo, slo.site.browser().get(slo.address(response), expect_errors=True), "logout.request_known", alice)
    twisted = slo.form(response)
    twisted["SAMLRequest"] = twisted.pop("SAMLResponse")
    refused(slo, slo.site.browser().post("/saml/slo", twisted, expect_errors=True), "logout.root", alice)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<",
        b"<a/>",
        b"\xff\xfe",
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>',
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"/>',
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body/></e:Envelope>',
        b'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><e:Fault/></e:Body></e:Envelope>',
        soap.encode(b'<p:LogoutRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>'),
        soap.encode(b'<p:AuthnRequest xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol"/>'),
    ],
)
def test_what_is_no_message_in_an_envelope_is_answered_by_a_fault(slo: SingleLogout, body: bytes) -> None:
    page = slo.by_soap(body, expect_errors=True)
    assert page.status_int == 400
    assert xml.parse(page.body).tag.endswith("}Envelope")
    assert b"Fault" in page.body


@pytest.mark.parametrize("query", ["", "SAMLRequest=", "SAMLRequest=%00", "SAMLRequest=%ff&x=%fe", "SAMLResponse=abc"])
def test_what_is_no_message_in_a_query_is_refused_plainly(site: Site, query: str) -> None:
    page = site.browser().get(f"/saml/slo?{query}", expect_errors=True)
    assert page.status_int == 400
    assert "Reference number" in page


@pytest.mark.parametrize("value", ["", "abc", "PGEvPg==", "\x00", "=" * 5000])
def test_what_is_no_message_in_a_form_is_refused_plainly(site: Site, value: str) -> None:
    for name in ("SAMLRequest", "SAMLResponse"):
        page = site.browser().post("/saml/slo", {name: value}, expect_errors=True)
        assert page.status_int == 400
        assert "Reference number" in page


def test_what_a_partner_writes_is_text_on_our_pages(site: Site, browser: TestApp) -> None:
    """RelayState comes back with the answer in a form; a status message is not shown at all."""
    slo = SingleLogout(site, (POST,))
    slo.sign_in(browser)
    evil = '"><script>alert(1)</script>'
    page = browser.post("/saml/slo", slo.form(slo.ask(), evil))
    assert evil not in page.text
    assert page.forms["message"]["RelayState"].value == evil
    assert slo.site.origin not in page.forms["message"].action


def test_the_trail_holds_every_check_and_no_assertion(slo: SingleLogout, alice: TestApp) -> None:
    deliver(slo, slo.ask(), "soap")
    ((kind, detail, checks),) = slo.site.rows("select kind, detail, checks from sp_audit order by id desc limit 1")
    assert kind == "signed out"
    assert "1 session" in detail
    assert "logout.replay" in str(checks)
