"""The identity provider ends sessions here: by any binding, without a cookie, and only its own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree
from webtest import TestApp

from federation.saml import encryption, signature, xml
from federation.saml.bindings import soap
from federation.saml.codec import logout as codec
from federation.saml.codec.common import A
from federation.saml.encryption import DecryptionKey
from federation.saml.identifiers import new_id
from federation.saml.messages import NameID
from federation.saml.metadata.entity import KeyDescriptor
from federation.saml.names import Binding, NameIDFormat, StatusCode
from tests import trees
from tests.factories import key_pair, signing_key
from tests.slo_factories import ALICES, POST, SOAP, SingleLogout
from tests.sp_factories import FakeIdP, Site, make_site

PERSISTENT = NameID("alice-of-intranet", NameIDFormat.PERSISTENT)


@pytest.fixture
def slo(site: Site) -> SingleLogout:
    return SingleLogout(site)


def is_in(browser: TestApp) -> bool:
    return bool(browser.get("/whoami", expect_errors=True).json["signed_in"])


@pytest.mark.conformance("IIP-SP17", "SDP-SP24", "SDP-SP26", "SDP-SP31", "SDP-SP33")
def test_a_request_by_redirect_ends_the_session_and_is_answered_by_redirect(
    slo: SingleLogout, browser: TestApp
) -> None:
    slo.sign_in(browser)
    request = slo.ask("_session")
    page = browser.get(slo.address(request, "deep link"))
    accepted, received = slo.judge(page, request)
    assert accepted.outcome == "ended"
    assert (received.binding, received.relay_state) == (Binding.REDIRECT, "deep link")
    assert not is_in(browser)
    assert "__Host-intranet-session" not in browser.cookies


@pytest.mark.conformance("SDP-SP27")
def test_the_session_ends_though_its_cookie_stays_behind(slo: SingleLogout, browser: TestApp) -> None:
    """A frame or another site's form brings no cookie; the session is found by what the assertion said."""
    slo.sign_in(browser)
    request = slo.ask("_session")
    page = slo.site.browser().get(slo.address(request))
    assert slo.outcome(page, request) == "ended"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert not is_in(browser)


def test_a_request_by_post_is_answered_where_the_metadata_says(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    request = slo.ask()
    page = slo.site.browser().post("/saml/slo", slo.form(request), headers={"Origin": "https://idp.example.org"})
    assert slo.outcome(page, request) == "ended"
    assert not is_in(browser)


def test_a_request_by_soap_is_answered_inline(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    request = slo.ask("_session")
    page = slo.by_soap(request)
    accepted, received = slo.judge(page, request)
    assert accepted.outcome == "ended"
    assert b"Destination" not in received.xml
    assert not is_in(browser)


def test_an_identity_provider_that_offers_only_post_is_answered_by_post(site: Site, browser: TestApp) -> None:
    slo = SingleLogout(site, (POST, SOAP))
    slo.sign_in(browser)
    request = slo.ask()
    page = browser.get(slo.address(request, "back"))
    accepted, received = slo.judge(page, request)
    assert (accepted.outcome, received.relay_state) == ("ended", "back")


def test_one_that_takes_no_answer_by_browser_leaves_the_person_a_page(site: Site, browser: TestApp) -> None:
    slo = SingleLogout(site, (SOAP,))
    slo.sign_in(browser)
    assert "asked this site to sign you out" in browser.get(slo.address(slo.ask()))
    assert "Nothing was left" in browser.get(slo.address(slo.ask()))


def test_an_asynchronous_request_ends_the_session_and_gets_no_answer(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    page = browser.get(slo.address(slo.ask(asynchronous=True), "state"))
    assert page.status_int == 200
    assert "SAMLResponse" not in page
    assert "asked this site to sign you out" in page
    assert not is_in(browser)


# -- Whose sessions ---------------------------------------------------------------------------------------------------


def test_a_session_index_means_that_session_and_none_means_all_of_the_subject(
    slo: SingleLogout, browser: TestApp
) -> None:
    """Two browsers of one person, and one of somebody else."""
    second, somebody = slo.site.browser(), slo.site.browser()
    slo.sign_in(browser, PERSISTENT, session_index="_one")
    slo.sign_in(second, PERSISTENT, session_index="_two")
    slo.sign_in(somebody, PERSISTENT._replace(value="bob-of-intranet"), session_index="_one")
    slo.by_soap(slo.ask("_one", "_unheard_of", name_id=PERSISTENT))
    assert [is_in(each) for each in (browser, second, somebody)] == [False, True, True]
    slo.by_soap(slo.ask(name_id=PERSISTENT))
    assert [is_in(each) for each in (browser, second, somebody)] == [False, False, True]


@pytest.mark.parametrize(
    ("asked", "ends"),
    [
        (ALICES, True),
        (NameID("_alice"), True),
        (NameID("_alice", NameIDFormat.UNSPECIFIED), True),
        (ALICES._replace(sp_name_qualifier="https://intranet.example.org/saml/metadata"), True),
        (ALICES._replace(sp_name_qualifier="https://other.example.net/saml/metadata"), False),
        (ALICES._replace(name_qualifier="https://other.example.net/saml/metadata"), False),
        (ALICES._replace(format=NameIDFormat.PERSISTENT), False),
        (ALICES._replace(value="_Alice"), False),
        (ALICES._replace(value="_alice "), False),
        (ALICES._replace(value="_alic"), False),
    ],
)
def test_only_the_name_that_the_assertion_gave_ends_a_session(
    slo: SingleLogout, browser: TestApp, asked: NameID, ends: bool
) -> None:
    slo.sign_in(browser)
    request = slo.ask(name_id=asked)
    accepted, _ = slo.judge(slo.by_soap(request), request)
    assert is_in(browser) is not ends
    assert accepted.outcome == ("ended" if ends else "failed")
    if not ends:
        assert accepted.response.status.second_level == StatusCode.UNKNOWN_PRINCIPAL


def test_nothing_is_left_to_end_the_second_time(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    slo.by_soap(slo.ask())
    request = slo.ask()
    assert slo.outcome(slo.by_soap(request), request) == "failed"


def test_an_expired_session_is_none_that_ended(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    slo.site.clock.advance(hours=11)
    request = slo.ask()
    assert slo.outcome(slo.by_soap(request), request) == "failed"


def test_another_identity_provider_ends_nobody_elses_sessions(slo: SingleLogout, browser: TestApp) -> None:
    other = FakeIdP(
        slo.site.clock,
        entity_id="https://other-idp.example.net/saml/metadata",
        sso_url="https://other-idp.example.net/saml/sso",
        key="other-idp",
        single_logout=(POST, SOAP),
    )
    slo.sign_in(browser)
    slo.site.connect(other)
    evil = SingleLogout.__new__(SingleLogout)
    evil.site, evil.endpoints, evil.idp = slo.site, other.single_logout, other
    request = evil.ask(name_id=NameID("_alice"))
    assert evil.outcome(evil.by_soap(request), request) == "failed"
    assert is_in(browser)


def test_a_paused_identity_provider_may_still_end_its_sessions(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    slo.site.change_connection(state="paused")
    slo.by_soap(slo.ask())
    assert not is_in(browser)


# -- Before the assertion ---------------------------------------------------------------------------------------------


def test_a_request_that_overtakes_its_assertion_ends_the_session_before_it_begins(
    slo: SingleLogout, browser: TestApp
) -> None:
    departure = slo.idp.read(browser.get("/saml/login"))
    answer = slo.idp.answer(departure, name_id=ALICES, session_index="_late")
    request = slo.ask("_late")
    assert slo.outcome(slo.by_soap(request), request) == "failed"
    page = browser.post("/saml/acs", answer, status=403)
    assert "signed out meanwhile" in page
    assert not is_in(browser)
    slo.sign_in(browser, session_index="_afterwards")
    assert is_in(browser)


def test_without_an_index_it_ends_what_was_issued_by_then_and_nothing_later(
    slo: SingleLogout, browser: TestApp
) -> None:
    answer = slo.idp.answer(slo.idp.read(browser.get("/saml/login")), name_id=PERSISTENT)
    slo.site.clock.advance(seconds=5)
    slo.by_soap(slo.ask(name_id=PERSISTENT))
    browser.post("/saml/acs", answer, status=403)
    slo.site.clock.advance(seconds=5)
    slo.sign_in(browser, PERSISTENT)
    assert is_in(browser)


def test_within_the_same_second_it_ends_what_was_proved_before_and_no_new_sign_in(
    slo: SingleLogout, browser: TestApp
) -> None:
    late = slo.idp.answer(slo.idp.read(browser.get("/saml/login")), name_id=PERSISTENT)
    slo.by_soap(slo.ask(name_id=PERSISTENT))
    browser.post("/saml/acs", late, status=403)
    slo.sign_in(browser, PERSISTENT, authn_instant=slo.site.clock())
    assert is_in(browser)


def test_it_is_remembered_as_long_as_it_is_good_for_and_then_forgotten(slo: SingleLogout, browser: TestApp) -> None:
    slo.by_soap(slo.ask("_reused", lifetime=timedelta(hours=1)))
    slo.site.clock.advance(minutes=62)
    departure = slo.idp.read(browser.get("/saml/login"))
    browser.post("/saml/acs", slo.idp.answer(departure, name_id=ALICES, session_index="_reused"), status=403)
    slo.site.clock.advance(minutes=2)
    slo.sign_in(browser, session_index="_reused")
    assert is_in(browser)


def test_another_subjects_request_stands_in_nobodys_way(slo: SingleLogout, browser: TestApp) -> None:
    slo.by_soap(slo.ask("_session", name_id=ALICES._replace(value="_somebody")))
    slo.by_soap(slo.ask("_session", name_id=ALICES._replace(sp_name_qualifier="https://other.example.net")))
    slo.sign_in(browser)
    assert is_in(browser)


def test_a_session_and_the_request_that_ends_it_at_the_same_moment_leave_no_session(slo: SingleLogout) -> None:
    for number in range(6):
        browser, index = slo.site.browser(), f"_race{number}"
        departure = slo.idp.read(browser.get("/saml/login"))
        answer = slo.idp.answer(departure, name_id=ALICES, session_index=index)
        request = slo.ask(index)
        with ThreadPoolExecutor(2) as pool:
            beginning = pool.submit(browser.post, "/saml/acs", answer, expect_errors=True)
            ending = pool.submit(slo.by_soap, request)
            begun, ended = beginning.result().status_int == 303, slo.outcome(ending.result(), request) == "ended"
        assert begun is ended
        assert not is_in(browser)


def test_one_request_delivered_by_many_at_once_counts_once(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    request = slo.ask()
    with ThreadPoolExecutor(6) as pool:
        codes = [each.status_int for each in pool.map(lambda _: slo.by_soap(request, expect_errors=True), range(6))]
    assert sorted(codes) == [200] + [403] * 5


# -- Encrypted identifiers --------------------------------------------------------------------------------------------


def encrypted(slo: SingleLogout, key: KeyDescriptor) -> bytes:
    """An envelope with a request whose identifier is encrypted to a key."""
    element = xml.lift(codec.write_request(slo.ask()))
    name_id = element.find(f"{A}NameID")
    assert name_id is not None
    wrapper = trees.new(f"{A}EncryptedID", {})
    wrapper.append(xml.lift(encryption.encrypt(xml.lift(name_id), key=key)))
    element.replace(name_id, wrapper)
    signature.sign(element, key=slo.key)
    return soap.encode(etree.tostring(element))


@pytest.mark.conformance("IIP-SP08", "IIP-SP16", "SDP-SP38")
def test_what_is_encrypted_to_either_of_our_keys_is_opened(tmp_path: Path) -> None:
    """Both pairs are files beside each other, both are published, and both open assertions and logout requests."""
    site = make_site(tmp_path, "encryption-older")
    slo = SingleLogout(site)
    assert slo.partner.sp is not None
    published = slo.partner.sp.encryption_keys
    assert [key.public_key for key in published] == [key.public_key for key in site.provider.keys.decryption]
    assert len(published) == 2
    for to_read, to_end in (published, published[::-1]):
        browser = site.browser()
        slo.sign_in(browser, session_index=new_id(), encrypt_to=to_read)
        assert slo.by_soap(encrypted(slo, to_end)).status_int == 200
        assert not is_in(browser)
        site.clock.advance(seconds=1)
    site.provider.engine.dispose()


def test_one_that_no_key_opens_is_refused(slo: SingleLogout, browser: TestApp) -> None:
    slo.sign_in(browser)
    nobodys = DecryptionKey.from_pem(key_pair("nobody's key")[0])
    page = slo.by_soap(encrypted(slo, KeyDescriptor(None, nobodys.public_key)), status=403)
    assert b"Fault" in page.body
    assert is_in(browser)


# -- Metadata ---------------------------------------------------------------------------------------------------------


def test_the_metadata_offers_logout_by_redirect_first_and_a_key_that_signs(slo: SingleLogout) -> None:
    role = slo.partner.sp
    assert role is not None
    assert [each.binding for each in role.single_logout] == [Binding.REDIRECT, Binding.POST, Binding.SOAP]
    assert {each.location for each in role.single_logout} == {"https://intranet.example.org/saml/slo"}
    assert [key.public_key for key in role.signing_keys] == [signing_key("sp-signing").public_key]


def test_switched_off_there_is_no_logout_service(slo: SingleLogout) -> None:
    slo.site.switch(on=False)
    assert slo.by_soap(slo.ask(), status=404).status_int == 404
