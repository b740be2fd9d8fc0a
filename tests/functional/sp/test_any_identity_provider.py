"""Any identity provider that keeps to the standard will do: what it sends beyond our needs never refuses anybody."""

from __future__ import annotations

import base64
from urllib.parse import urlsplit

import pytest
from webtest import TestApp

from federation.errors import ConfigurationError
from federation.saml.messages import Attribute, NameID
from federation.saml.names import SUBJECT_ID_REQ, Binding, NameFormat, NameIDFormat
from sp_app import settings
from tests.documents import longest
from tests.factories import signing_key
from tests.sp_factories import ALICE, TARGET, FakeIdP, Site, attributes, fields, site_settings

LONG = "Å" + "𝒜" * 100 + "é\u0301 <&>\"'" + "x" * 147
"""256 characters: beyond the BMP, combining, and those that markup has to escape."""


@pytest.mark.conformance("IIP-G02")
def test_values_of_256_characters_are_kept_to_the_letter(site: Site, browser: TestApp) -> None:
    assert len(LONG) == 256
    told = (*attributes(display_name=LONG, mail=LONG), Attribute("urn:example:any", (LONG,)))
    site.sign_in(browser, attributes=told, name_id=NameID(LONG, NameIDFormat.UNSPECIFIED))
    answer = browser.get("/whoami").json
    assert answer["name_id"]["value"] == LONG
    assert (answer["account"]["display_name"], answer["account"]["mail"]) == (LONG, LONG)
    assert answer["attributes"]["urn:example:any"] == [LONG]


@pytest.mark.conformance("IIP-G03", "SDP-G03")
def test_a_document_type_is_refused_and_never_sent(site: Site, browser: TestApp) -> None:
    page = browser.get("/saml/login", {"target": TARGET})
    assert b"<!DOCTYPE" not in site.idp.receive(page).xml
    assert b"<!DOCTYPE" not in browser.get("/saml/metadata").body
    departure = site.idp.read(page)
    document = site.idp.response(departure, encrypt_to=None)
    assert b"<!DOCTYPE" not in document
    browser.post("/saml/acs", fields(b"<!DOCTYPE x>" + document, departure.relay_state), status=403)
    assert site.rows("select rule from sp_audit") == [("xml.doctype",)]
    assert browser.post("/saml/acs", fields(document, departure.relay_state)).location == site.origin + TARGET


@pytest.mark.conformance("SDP-SP10", "IIP-ALG04")
def test_an_encrypted_assertion_is_opened(site: Site, browser: TestApp) -> None:
    departure = site.idp.read(browser.get("/saml/login"))
    document = site.idp.response(departure, attributes=attributes(display_name="Alice Archer"))
    assert b"EncryptedAssertion" in document
    assert b"Alice Archer" not in document
    browser.post("/saml/acs", fields(document, departure.relay_state), status=303)
    assert browser.get("/whoami").json["account"]["display_name"] == "Alice Archer"


@pytest.mark.conformance("SDP-SP37", "IIP-MD07")
def test_an_identity_provider_may_sign_with_any_key_of_its_metadata(site: Site, browser: TestApp) -> None:
    first, second = signing_key("idp").certificate, signing_key("other-idp").certificate
    site.idp.options["signing_certificates"] = [first, second]
    site.connect(site.idp)
    for name, status in (("idp", 303), ("other-idp", 303), ("mallory", 403)):
        departure = site.idp.read(browser.get("/saml/login"))
        browser.post("/saml/acs", site.idp.answer(departure, signing_key=signing_key(name)), status=status)


@pytest.mark.conformance("SDP-G02")
def test_nothing_that_we_say_is_longer_than_256_characters(site: Site, browser: TestApp) -> None:
    """The requests of a sign-in and a sign-out, and the metadata, whatever page was asked for."""
    login = browser.get("/saml/login", {"target": "/" + "x" * 1500})
    departure = site.idp.read(login)
    documents = [site.idp.receive(login).xml, browser.get("/saml/metadata").body]
    assert len(departure.relay_state) <= 80
    for document in documents:
        assert longest(document) <= 256


@pytest.mark.conformance("SDP-G04")
def test_our_entity_id_is_an_absolute_uri_of_at_most_256_characters(site: Site, tmp_path: object) -> None:
    assert urlsplit(site.provider.entity_id).scheme
    for wrong in ("intranet.example.org", "/saml", "https://" + "x" * 249, "https://a b"):
        with pytest.raises(ConfigurationError, match="at most 256 characters"):
            settings.read(site_settings(tmp_path, entity_id=wrong))  # type: ignore[arg-type]


@pytest.mark.conformance("IIP-SP10")
def test_attributes_that_nobody_here_knows_refuse_nobody(site: Site, browser: TestApp) -> None:
    unknown = (
        Attribute("urn:oid:1.3.6.1.4.1.99999.1", ("a", "b", ""), NameFormat.URI, "secretLevel"),
        Attribute("eduPersonWhatever", (), NameFormat.BASIC),
        Attribute("any name at all / ünïcode", ("<x>",), "urn:example:a-format-of-their-own"),
        Attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name", ("Alice",)),
    )
    site.sign_in(browser, attributes=(*unknown, *attributes(display_name="Alice Archer"), *unknown))
    answer = browser.get("/whoami").json
    assert answer["account"]["display_name"] == "Alice Archer"
    assert answer["attributes"]["any name at all / ünïcode"] == ["<x>"]
    assert browser.get("/private").status_int == 200


@pytest.mark.conformance("IIP-SP11")
def test_a_friendly_name_decides_nothing(site: Site, browser: TestApp) -> None:
    liars = (
        Attribute("urn:oid:9.9.1", ("mallory@example.org",), NameFormat.URI, "pairwise-id"),
        Attribute("urn:oid:9.9.2", ("Mallory",), NameFormat.URI, "displayName"),
    )
    honest = tuple(
        Attribute(each.name, each.values, each.name_format, "somethingElse")
        for each in attributes(display_name="Alice")
    )
    site.sign_in(browser, attributes=(*liars, *honest))
    assert browser.get("/whoami").json["account"]["display_name"] == "Alice"
    assert site.rows("select identifier from sp_link") == [(ALICE,)]


NAME_IDS = (
    NameID("x"),
    NameID("x" * 256, NameIDFormat.PERSISTENT, "https://elsewhere.example/idp", "https://another.example/sp", "own"),
    NameID("ünï <&> cödé with blanks", NameIDFormat.PERSISTENT),
    NameID("alice@example.org", NameIDFormat.EMAIL),
    NameID("DOMAIN\\alice", "urn:oasis:names:tc:SAML:1.1:nameid-format:WindowsDomainQualifiedName"),
    NameID("CN=alice,O=x", "urn:example:a-format-that-nobody-knows"),
)


@pytest.mark.conformance("IIP-SP12", "SDP-SP14")
def test_whatever_the_name_id_is_the_pairwise_id_says_who_it_is(site: Site) -> None:
    seen = set()
    for name_id in NAME_IDS:
        browser = site.browser()
        site.sign_in(browser, name_id=name_id)
        answer = browser.get("/whoami").json
        assert answer["name_id"] == {"value": name_id.value, "format": name_id.format}
        seen.add(answer["account"]["id"])
    assert len(seen) == 1


@pytest.mark.conformance("SDP-SP15")
def test_the_metadata_says_which_identifier_is_needed(site: Site) -> None:
    assert site.idp.partner is not None
    assert site.idp.partner.attribute(SUBJECT_ID_REQ) == ("pairwise-id",)


@pytest.mark.conformance("SDP-SP18")
def test_people_are_shown_by_their_name_and_not_by_their_identifier(site: Site, browser: TestApp) -> None:
    page = site.sign_in(browser, attributes=attributes(display_name="Alice Archer")).follow()
    assert "Alice Archer" in page.html.find("header").get_text() + page.html.h1.get_text()
    assert ALICE not in page.html.find("header").get_text() + page.html.h1.get_text()


@pytest.mark.conformance("SDP-SP19")
def test_an_attribute_may_have_all_that_its_definition_allows(site: Site, browser: TestApp) -> None:
    """Mail has several values and any letters before the @; names are written in any script; nothing is there twice."""
    mails = ["o'hara+x@example.org", "ALICE@Example.ORG", '"a b"@example.org', "a@b"]
    site.sign_in(
        browser,
        attributes=attributes(mail=mails, display_name=["李明", "Li Ming"], given_name="Ø", department=["a", "b"]),
    )
    answer = browser.get("/whoami").json
    assert answer["account"]["mail"] == mails[0]
    assert answer["account"]["display_name"] == "李明"
    assert answer["attributes"]["urn:oid:0.9.2342.19200300.100.1.3"] == mails


@pytest.mark.conformance("SDP-SP03")
def test_signing_in_takes_the_whole_window_and_no_cookie_of_a_third_party(site: Site, browser: TestApp) -> None:
    """No page may be framed and none holds a frame; each cookie is set while its site is what the address bar shows."""
    login = browser.get("/saml/login", {"target": TARGET})
    assert login.status_int == 303
    departure = site.idp.read(login)
    landed = browser.post("/saml/acs", site.idp.answer(departure))
    assert landed.status_int == 303
    site.change_connection(request_binding="post")
    form = browser.get("/saml/login")
    denied = browser.post("/saml/acs", site.idp.answer(departure), status=403)
    for page in (form, denied):
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert page.html.find(["iframe", "frame", "object", "embed"]) is None
    # Without any cookie nobody gets in by a frame either: the response is bound to the browser that began.
    assert site.browser().post("/saml/acs", site.idp.answer(departure), status=403)


@pytest.mark.conformance("SDP-SP09")
def test_responses_are_posted_over_tls(site: Site, tmp_path: object) -> None:
    sp = site.provider.entity.sp
    assert sp is not None
    assert all(endpoint.location.startswith("https://") for endpoint in sp.assertion_consumer)
    for address in ("http://intranet.example.org", "http://127.0.0.1"):
        with pytest.raises(ConfigurationError, match="https"):
            settings.read(site_settings(tmp_path, public_url=address))  # type: ignore[arg-type]


@pytest.mark.conformance("IIP-SSO06")
def test_everything_a_sign_in_needs_comes_out_of_the_metadata(site: Site, browser: TestApp) -> None:
    """Keys, addresses, bindings, scopes: the partner publishes anew, and not one setting of ours changes."""
    idp = FakeIdP(
        site.clock,
        entity_id="https://moving.example.org/idp",
        sso_url="https://moving.example.org/sso",
        key="other-idp",
    )
    idp.scopes = ("before.example.org",)
    site.connect(idp)
    signed_by = idp.fingerprint
    departure = idp.read(browser.get("/saml/login", {"entityID": idp.entity_id}))
    browser.post("/saml/acs", idp.answer(departure, attributes=attributes("a@before.example.org")))
    idp.sso_url, idp.bindings, idp.scopes = (
        "https://new.example.org/saml?tenant=7",
        (Binding.POST,),
        ("after.example.org",),
    )
    site.connect(idp, fingerprints=[signed_by])
    departure = idp.read(browser.get("/saml/login", {"entityID": idp.entity_id}))
    assert departure.binding == Binding.POST
    browser.post("/saml/acs", idp.answer(departure, attributes=attributes("a@before.example.org")), status=403)
    answer = idp.answer(departure, attributes=attributes("a@after.example.org"))
    assert browser.post("/saml/acs", answer).status_int == 303


def test_an_extension_that_nobody_here_knows_refuses_nobody(site: Site, browser: TestApp) -> None:
    """In the response, which is unsigned on the outside so that a test can write into it; the assertion is signed."""
    departure = site.idp.read(browser.get("/saml/login", {"target": TARGET}))
    document = site.idp.response(departure, sign_response=False, sign_assertion=True, encrypt_to=None).decode()
    thing = '<x:Thing xmlns:x="urn:example:x" x:y="z"><x:Deep/></x:Thing>'
    extension = f"<samlp:Extensions>{thing}</samlp:Extensions><samlp:Status>"
    assert document.count("<samlp:Status>") == 1
    posted = fields(document.replace("<samlp:Status>", extension).encode(), departure.relay_state)
    assert base64.b64decode(posted["SAMLResponse"]).count(b"urn:example:x") == 1
    assert browser.post("/saml/acs", posted).location == site.origin + TARGET
