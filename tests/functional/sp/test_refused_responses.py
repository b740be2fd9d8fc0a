"""A response with something wrong lets nobody in: a page with a reference number, nothing stored but the audit."""

from __future__ import annotations

import base64
import gc
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp, Upload

from federation.saml.messages import NameID
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from sp_app.models import AuditEntry
from tests.factories import decryption_key, descriptor, signing_key
from tests.sp_factories import ALICE, NOW, TARGET, FakeIdP, Site, attribute, attributes, fields


def refused(site: Site, browser: TestApp, posted: Any, *, status: tuple[int, ...] = (400, 403), **options: Any) -> Any:
    """Post to the ACS and see it refused as promised."""
    before = site.counts()
    page = browser.post("/saml/acs", posted, expect_errors=True, **options)
    assert page.status_int in status, page.status
    assert "Traceback" not in page
    assert "Reference number" in page
    assert "-session=" not in str(page.headers.getall("Set-Cookie"))
    after = site.counts()
    assert after | {"sp_audit": 0} == before | {"sp_audit": 0}
    assert after["sp_audit"] - before["sp_audit"] in (0, 1)
    browser.get("/whoami", status=401)
    return page


HOUR = timedelta(hours=1)
TWO = (attribute("pairwise_id", ALICE, "b" + ALICE),)

WRONG: dict[str, tuple[str, Callable[[FakeIdP], dict[str, Any]]]] = {
    "another audience": ("assertion.audience", lambda idp: {"audience": "https://other.example.net/saml/metadata"}),
    "another issuer": ("response.issuer", lambda idp: {"issuer": "https://evil.example.net/idp"}),
    "another address": (
        "response.destination",
        lambda idp: {"acs": Endpoint(Binding.POST, "https://other.example.net/saml/acs")},
    ),
    "another request": ("response.in_response_to", lambda idp: {"in_response_to": "_" + "0" * 32}),
    "no request": ("response.in_response_to", lambda idp: {"in_response_to": None}),
    "another key": ("signature.value", lambda idp: {"signing_key": signing_key("eve")}),
    "another site's encryption key": (
        "encryption.opens",
        lambda idp: {"encrypt_to": descriptor(decryption_key("other-encryption"), "encryption")},
    ),
    "issued long ago": ("response.issue_instant", lambda idp: {"now": NOW - HOUR}),
    "issued in the future": ("response.issue_instant", lambda idp: {"now": NOW + HOUR}),
    "a session that has ended": ("assertion.session", lambda idp: {"session_not_on_or_after": NOW - HOUR}),
    "no pairwise-id": ("identifier.pairwise_id", lambda idp: {"attributes": attributes(None, display_name="Alice")}),
    "no attributes": ("identifier.pairwise_id", lambda idp: {"attributes": ()}),
    "two pairwise-ids": ("identifier.pairwise_id", lambda idp: {"attributes": TWO}),
    "a pairwise-id without a scope": ("identifier.form", lambda idp: {"attributes": attributes("alice")}),
    "a pairwise-id that is no identifier": ("identifier.form", lambda idp: {"attributes": attributes("<b>@a.org")}),
    "a scope of somebody else": ("identifier.scope", lambda idp: {"attributes": attributes("abc@other.example")}),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_response_with_something_wrong_is_refused_for_that_reason(site: Site, browser: TestApp, wrong: str) -> None:
    rule, changes = WRONG[wrong]
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    refused(site, browser, site.idp.answer(departure, **changes(site.idp)))
    ((kind, found),) = site.rows("select kind, rule from sp_audit")
    assert kind == "refused"
    assert found == rule


def test_after_a_refusal_a_good_response_to_the_same_request_is_accepted(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    refused(site, browser, site.idp.answer(departure, audience="https://other.example.net"))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == site.origin + TARGET


@pytest.mark.conformance("IIP-SP13")
def test_an_unsigned_response_is_refused(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    signed = site.idp.response(departure, encrypt_to=None)
    start, end = signed.index(b"<ds:Signature"), signed.index(b"</ds:Signature>") + len(b"</ds:Signature>")
    refused(site, browser, fields(signed[:start] + signed[end:], departure.relay_state))
    assert site.rows("select rule from sp_audit") == [("assertion.signed",)]


def test_a_changed_response_is_refused(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    signed = site.idp.response(departure, encrypt_to=None)
    refused(site, browser, fields(signed.replace(b"Alice Archer", b"Mallory"), departure.relay_state))


MALFORMED: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda document: b"",
    "text": lambda document: b"hello",
    "half of it": lambda document: document[: len(document) // 2],
    "a document type": lambda document: b'<!DOCTYPE r [<!ENTITY x "y">]>' + document,
    "an external entity": lambda document: b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]><r>&x;</r>',
    "many entities": lambda document: b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><r>&b;</r>',
    "a processing instruction": lambda document: b"<?xml-stylesheet href='x'?>" + document,
    "invalid UTF-8": lambda document: document.replace(b"Alice", b"\xff\xfe"),
    "another root": lambda document: b"<Response xmlns='urn:oasis:names:tc:SAML:2.0:assertion'/>",
    "a request": lambda document: b"<samlp:AuthnRequest xmlns:samlp='urn:oasis:names:tc:SAML:2.0:protocol' ID='_1'/>",
    "deep nesting": lambda document: b"<a>" * 5000 + b"</a>" * 5000,
    "nothing but white space": lambda document: b"   \n ",
}


@pytest.mark.parametrize("malformed", MALFORMED)
def test_what_is_no_response_at_all_is_refused(site: Site, browser: TestApp, malformed: str) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    document = MALFORMED[malformed](site.idp.response(departure, encrypt_to=None))
    refused(site, browser, fields(document, departure.relay_state))


RAW: dict[str, Callable[[dict[str, str]], Any]] = {
    "no fields": lambda answer: {},
    "no message": lambda answer: {"RelayState": answer["RelayState"]},
    "a request beside it": lambda answer: [*answer.items(), ("SAMLRequest", answer["SAMLResponse"])],
    "a request instead": lambda answer: {"SAMLRequest": answer["SAMLResponse"], "RelayState": answer["RelayState"]},
    "two messages": lambda answer: [*answer.items(), ("SAMLResponse", answer["SAMLResponse"])],
    "two relay states": lambda answer: [*answer.items(), ("RelayState", "other")],
    "not base64": lambda answer: {**answer, "SAMLResponse": "%%%" + answer["SAMLResponse"]},
    "base64 with something behind it": lambda answer: {**answer, "SAMLResponse": answer["SAMLResponse"] + "===="},
    "an artifact": lambda answer: {"SAMLart": "AAQAAMh48/1oXIM+sDo7Dh2qMp1HM4IF5DaRNmDj6RdUmllwn9jJHyEgIi8="},
    "a simple signature": lambda answer: {**answer, "Signature": "AAAA", "SigAlg": "x"},
}


@pytest.mark.parametrize("raw", RAW)
def test_a_form_that_is_none_of_the_binding_is_refused(site: Site, browser: TestApp, raw: str) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    refused(site, browser, RAW[raw](answer), status=(400, 403))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the file, which cgi leaves to the gc
def test_a_message_as_a_file_is_refused(site: Site, browser: TestApp) -> None:
    answer = site.idp.answer(site.idp.read(browser.get("/saml/login")))
    file = Upload("response.xml", base64.b64decode(answer["SAMLResponse"]))
    refused(site, browser, {"RelayState": answer["RelayState"], "SAMLResponse": file}, status=(400,))
    gc.collect()


def test_bytes_that_are_no_text_are_refused(site: Site, browser: TestApp) -> None:
    form = "application/x-www-form-urlencoded"
    refused(site, browser, b"SAMLResponse=%ff%fe&RelayState=%00", status=(400,), content_type=form)
    refused(site, browser, b"\xff\x00", status=(400,), content_type="text/xml")


def test_an_oversized_message_is_refused(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    refused(site, browser, fields(b"a" * 2_000_000, departure.relay_state), status=(413,))
    chunked = {"Content-Length": ""}
    page = browser.post("/saml/acs", fields(b"a" * 2_000_000, "x"), headers=chunked, expect_errors=True)
    assert page.status_int in (400, 413)


def test_a_response_by_redirect_is_refused(site: Site, browser: TestApp) -> None:
    browser.get("/saml/acs", site.idp.answer(site.idp.read(browser.get("/saml/login"))), status=405)


def test_a_head_asks_for_nothing(site: Site, browser: TestApp) -> None:
    for address in ("/saml/login", "/saml/acs?SAMLart=AAQ", "/saml/slo?SAMLRequest=x", "/saml/discovered?state=x"):
        assert "Set-Cookie" not in browser.head(address, status=405).headers


def test_a_connection_that_is_paused_lets_nobody_in(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    site.change_connection(state="paused")
    assert "paused" in refused(site, browser, site.idp.answer(departure))


def test_metadata_that_has_expired_lets_nobody_in(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    site.change_connection(valid_until=NOW)
    assert "expired" in refused(site, browser, site.idp.answer(departure))


def test_a_response_of_another_identity_provider_of_ours_is_refused(site: Site, browser: TestApp) -> None:
    """Mix-up: the request went to one, the answer comes from the other, whom we also trust."""
    other = FakeIdP(
        site.clock, entity_id="https://other.example.org/idp", sso_url="https://other.example.org/sso", key="other-idp"
    )
    site.connect(other)
    departure = site.idp.read(browser.get("/saml/login", {"entityID": site.idp.entity_id}))
    refused(site, browser, other.answer(departure))
    assert site.rows("select rule from sp_audit") in ([("response.issuer",)], [("signature.value",)])


@pytest.mark.conformance("SDP-SP16")
def test_the_same_identifier_from_another_identity_provider_is_another_person(site: Site, browser: TestApp) -> None:
    other = FakeIdP(
        site.clock, entity_id="https://other.example.org/idp", sso_url="https://other.example.org/sso", key="other-idp"
    )
    site.connect(other)
    departure = site.idp.read(browser.get("/saml/login", {"entityID": site.idp.entity_id}))
    browser.post("/saml/acs", site.idp.answer(departure))
    elsewhere = site.browser()
    departure = other.read(elsewhere.get("/saml/login", {"entityID": other.entity_id}))
    elsewhere.post("/saml/acs", other.answer(departure))
    assert elsewhere.get("/whoami").json["account"]["id"] != browser.get("/whoami").json["account"]["id"]


def test_the_page_shows_nothing_of_the_message_and_the_audit_shows_each_check(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    page = refused(site, browser, site.idp.answer(departure, audience="https://other.example.net/x"))
    assert "other.example.net" not in page
    with site.unit_of_work() as session:
        (entry,) = session.scalars(select(AuditEntry)).all()
    assert entry.reference in page
    failed = entry.checks[-1]
    assert (failed["rule"], failed["ok"], failed["received"]) == (
        "assertion.audience",
        False,
        "https://other.example.net/x",
    )
    assert "Alice" not in str(entry.checks)


def test_a_very_long_value_does_not_fill_the_audit(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    refused(site, browser, site.idp.answer(departure, issuer="https://x.example/" + "x" * 900))
    ((detail,),) = site.rows("select detail from sp_audit")
    assert len(detail) <= 500


def test_a_name_id_of_any_length_is_kept_for_logout(site: Site, browser: TestApp) -> None:
    site.sign_in(browser, name_id=NameID("x" * 100_000))
    assert browser.get("/whoami").json["name_id"]["value"] == "x" * 100_000


@pytest.mark.conformance("SDP-SP13")
def test_a_response_without_a_name_id_is_fine(site: Site, browser: TestApp) -> None:
    site.sign_in(browser, name_id=None)
    assert browser.get("/whoami").json["name_id"]["value"] is None


@pytest.mark.conformance("SDP-G01", "IIP-G01")
def test_clocks_may_differ_by_three_minutes_and_not_by_more_than_five(site: Site, browser: TestApp) -> None:
    lifetime = timedelta(minutes=5)
    for difference, status in (
        (timedelta(minutes=2, seconds=59), 303),
        (-lifetime - timedelta(minutes=2, seconds=59), 303),
        (timedelta(minutes=5, seconds=1), 403),
        (-lifetime - timedelta(minutes=5, seconds=1), 403),
    ):
        departure = site.idp.read(browser.get("/saml/login"))
        instants = {"now": NOW + difference, "authn_instant": NOW - timedelta(hours=1)}
        browser.post("/saml/acs", site.idp.answer(departure, **instants), status=status)
