"""Single logout asked for by a site (SAML Profiles 4.4)."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestResponse

from federation.saml import encryption, signature, xml
from federation.saml.bindings import post, soap
from federation.saml.codec import logout as codec
from federation.saml.codec.common import ENCRYPTED_ID, NAME_ID
from federation.saml.identifiers import new_id
from federation.saml.messages import NameID, Received
from federation.saml.names import Binding, NameIDFormat, StatusCode
from federation.saml.profiles import logout
from idp_app.models import Participation
from tests import trees
from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite
from tests.logout_factories import (
    DONE,
    ENDPOINTS,
    SLO,
    address,
    answer_in,
    arrive_at,
    ask,
    by_soap,
    form,
    is_signed_in,
    judge,
    name_of,
)


@pytest.fixture
def intranet(idp: IdPSite) -> FakeSP:
    """A site that can be answered by Redirect and by POST."""
    return idp.connect(FakeSP(options={"single_logout": ENDPOINTS}))


@pytest.mark.conformance("IIP-IDP17", "IIP-IDP18", "IIP-IDP20", "SDP-IDP21", "SDP-IDP25", "SDP-IDP28", "SDP-IDP30")
def test_a_request_by_redirect_ends_the_session_and_is_answered_by_redirect(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    arrival = arrive_at(intranet, browser, idp)
    request = ask(intranet, idp, name_of(arrival), arrival.session_index)
    page = browser.get(address(request, intranet.key))
    assert page.location.startswith(DONE + "?")
    answer = answer_in(page)
    assert answer.relay_state == "deep link"
    assert judge(answer, intranet, idp, request).outcome == "ended"
    assert not is_signed_in(browser)
    assert idp.audit()[-1].kind == "logout"


def test_a_request_by_post_ends_the_session_though_the_cookie_stays_behind(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
    page = idp.browser().post("/saml/slo", form(request, intranet.key))
    assert judge(answer_in(page), intranet, idp, request).outcome == "ended"
    assert not is_signed_in(browser)


def test_a_request_by_soap_is_answered_inline(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
    page = by_soap(idp, request, intranet.key)
    received = soap.decode(page.body)
    assert judge(received, intranet, idp, request).outcome == "ended"
    assert b"Destination" not in received.xml
    assert not is_signed_in(browser)


def test_a_site_that_offers_only_post_is_answered_by_post(idp: IdPSite) -> None:
    sp = idp.connect(FakeSP(options={"single_logout": ENDPOINTS[:1]}))
    browser = idp.sign_in("alice")
    request = ask(sp, idp, name_of(arrive_at(sp, browser, idp)))
    message = browser.get(address(request, sp.key)).forms["message"]
    assert message.action == ENDPOINTS[0].location
    received = Received(Binding.POST, "SAMLResponse", base64.b64decode(message["SAMLResponse"].value))
    assert judge(received, sp, idp, request, ENDPOINTS[0].location).outcome == "ended"


@pytest.mark.conformance("IIP-IDP17")
def test_an_asynchronous_request_gets_a_page_and_no_answer(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)), asynchronous=True)
    page = browser.get(address(request, intranet.key))
    assert page.status_int == 200
    assert "You are signed out" in page.text
    assert not is_signed_in(browser)


@pytest.mark.conformance("SDP-IDP31")
def test_a_subject_without_a_session_is_unknown(idp: IdPSite, intranet: FakeSP) -> None:
    request = ask(intranet, idp, NameID("nobody", NameIDFormat.TRANSIENT))
    answer = judge(answer_in(idp.browser().get(address(request, intranet.key))), intranet, idp, request)
    assert answer.outcome == "failed"
    assert answer.response.status.second_level == StatusCode.UNKNOWN_PRINCIPAL


def test_a_name_without_its_format_is_enough(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, NameID(name_of(arrive_at(intranet, browser, idp)).value))
    browser.get(address(request, intranet.key))
    assert not is_signed_in(browser)


def test_qualifiers_that_a_site_adds_are_held_against_the_two_sides(idp: IdPSite, intranet: FakeSP) -> None:
    """A transient name goes out without qualifiers; it then has those of the two sides (SAML Core 8.3.7, 8.3.8)."""
    browser = idp.sign_in("alice")
    name = name_of(arrive_at(intranet, browser, idp))
    assert name.sp_name_qualifier is None
    for other in (
        name._replace(sp_name_qualifier="https://other.test"),
        name._replace(name_qualifier=intranet.entity_id),
    ):
        browser.get(address(ask(intranet, idp, other), intranet.key))
        assert is_signed_in(browser)
    own = name._replace(name_qualifier=idp.entity.entity_id, sp_name_qualifier=intranet.entity_id)
    browser.get(address(ask(intranet, idp, own), intranet.key))
    assert not is_signed_in(browser)


def test_an_index_of_another_session_ends_nothing(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)), "_another")
    browser.get(address(request, intranet.key))
    assert is_signed_in(browser)


def test_a_site_cannot_end_a_session_under_the_name_that_another_site_knows(
    idp: IdPSite, intranet: FakeSP, learning: FakeSP
) -> None:
    browser = idp.sign_in("alice")
    name_id = name_of(arrive_at(learning, browser, idp))
    arrive_at(intranet, browser, idp)
    idp.browser().get(address(ask(intranet, idp, name_id), intranet.key))
    assert is_signed_in(browser)


def refused(idp: IdPSite, page: TestResponse, rule: str) -> None:
    """The person sees a problem page, and the trail has the rule."""
    assert page.status_int in (400, 403)
    assert idp.audit()[-1].detail["rule"] == rule


@pytest.mark.conformance("SDP-IDP26")
def test_an_unsigned_request_is_refused(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    url = address(ask(intranet, idp, name_of(arrive_at(intranet, browser, idp))), intranet.key)
    refused(idp, browser.get(url.partition("&SigAlg")[0], expect_errors=True), "logout.signed")
    assert is_signed_in(browser)


def test_the_key_of_another_site_does_not_sign_for_this_one(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
    assert browser.get(address(request, signing_key("other-sp")), expect_errors=True).status_int in (400, 403)
    assert by_soap(idp, request, signing_key("other-sp"), expect_errors=True).status_int == 403
    assert is_signed_in(browser)


def test_a_request_counts_once(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    url = address(ask(intranet, idp, name_of(arrive_at(intranet, browser, idp))), intranet.key)
    browser.get(url)
    refused(idp, browser.get(url, expect_errors=True), "logout.replay")


@pytest.mark.parametrize(
    ("more", "rule"),
    [
        ({"destination": "http://localhost:6543/saml/sso"}, "logout.destination"),
        ({"lifetime": timedelta(minutes=-10)}, "logout.not_on_or_after"),
        ({"issuer": "https://stranger.example.org"}, "logout.partner"),
    ],
)
def test_a_request_for_elsewhere_too_late_or_from_a_stranger_is_refused(
    idp: IdPSite, intranet: FakeSP, more: dict[str, Any], rule: str
) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)), **more)
    refused(idp, browser.get(address(request, intranet.key), expect_errors=True), rule)
    refused(idp, by_soap(idp, request, intranet.key, expect_errors=True), rule)
    assert is_signed_in(browser)


def test_a_response_to_nothing_is_refused(idp: IdPSite, intranet: FakeSP) -> None:
    response = logout.build_response(
        id=new_id(),
        issuer=intranet.entity_id,
        destination=SLO,
        in_response_to=new_id(),
        status=logout.SUCCESS,
        now=idp.clock(),
    )
    page = idp.browser().get(address(response, intranet.key), expect_errors=True)
    refused(idp, page, "logout.in_response_to")


@pytest.mark.parametrize("body", [b"", b"<", b"<a/>", b"\xff\xfe", b'<!DOCTYPE a><a xmlns="b"/>'])
def test_what_is_no_envelope_is_refused_plainly(idp: IdPSite, body: bytes) -> None:
    page = idp.browser().post("/saml/slo", body, content_type="text/xml", expect_errors=True)
    assert page.status_int == 400


@pytest.mark.parametrize("query", ["", "?SAMLRequest=", "?SAMLRequest=%00", "?SAMLResponse=abc&RelayState=x"])
def test_what_is_no_message_is_refused_plainly(idp: IdPSite, query: str) -> None:
    assert idp.browser().get("/saml/slo" + query, expect_errors=True).status_int == 400


def test_the_metadata_offers_logout_by_redirect_first(idp: IdPSite) -> None:
    assert idp.entity.idp is not None
    offered = [endpoint.binding for endpoint in idp.entity.idp.single_logout]
    assert offered == [Binding.REDIRECT, Binding.POST, Binding.SOAP]


def test_the_sign_out_page_lists_the_sites_that_this_session_opened(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    assert "In this session you opened" not in browser.get("/signout").text
    arrive_at(intranet, browser, idp)
    assert "<li>Intranet</li>" in browser.get("/signout").text


@pytest.mark.conformance("IIP-IDP19")
@pytest.mark.parametrize("position", [0, 1])
def test_an_encrypted_name_is_opened_with_either_of_our_keys(idp: IdPSite, intranet: FakeSP, position: int) -> None:
    browser = idp.sign_in("alice")
    request = ask(intranet, idp, name_of(arrive_at(intranet, browser, idp)))
    assert idp.entity.idp is not None
    published = idp.entity.idp.encryption_keys
    assert len([key for key in published if key.use == "encryption"]) == 2
    element = xml.lift(codec.write_request(request))
    name_id = element.find(NAME_ID)
    assert name_id is not None
    encrypted = trees.new(ENCRYPTED_ID, {})
    encrypted.append(xml.lift(encryption.encrypt(xml.lift(name_id), key=published[position])))
    element.replace(name_id, encrypted)
    signature.sign(element, key=intranet.key)
    fields = post.encode(xml.serialise(element), parameter="SAMLRequest", destination=SLO).fields
    page = idp.browser().post("/saml/slo", dict(fields))
    assert judge(answer_in(page), intranet, idp, request).outcome == "ended"
    assert not is_signed_in(browser)


def test_a_name_without_its_format_that_fits_two_people_names_nobody(idp: IdPSite, intranet: FakeSP) -> None:
    browsers = [idp.sign_in(name) for name in ("alice", "carol")]
    for browser in browsers:
        arrive_at(intranet, browser, idp)
    with idp.work() as session:
        for number, row in enumerate(session.scalars(select(Participation))):
            row.name_id, row.name_id_format = "ada", f"urn:example:{number}"
    page = idp.browser().get(address(ask(intranet, idp, NameID("ada")), intranet.key))
    assert "SAMLResponse=" in page.location
    assert all(is_signed_in(browser) for browser in browsers)
    idp.browser().get(address(ask(intranet, idp, NameID("ada", "urn:example:0")), intranet.key))
    assert [is_signed_in(browser) for browser in browsers].count(True) == 1
