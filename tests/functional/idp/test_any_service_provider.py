"""Any service provider that keeps to the standard is served, with whatever text people's records hold."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from lxml import etree
from pydantic import ValidationError

from federation.errors import ConfigurationError
from federation.saml.names import DS, SAML, Algorithm, NameIDFormat
from idp_app.errors import InvalidInput
from idp_app.services import people, publication
from tests.documents import longest
from tests.factories import signing_key
from tests.idp_factories import NOW, FakeSP, IdPSite, encoded, make_settings, sent

DTD = b'<!DOCTYPE a [<!ENTITY e "x">]>'
LONG = unicodedata.normalize("NFC", "Å" + "𝒜" * 100 + "é <&>\"'" + "x" * 147 + "ß")
"""256 characters: beyond the BMP, accented, and those that markup has to escape."""


@pytest.mark.conformance("IIP-G02")
def test_values_and_entity_ids_of_256_characters_arrive_to_the_letter(idp: IdPSite) -> None:
    assert len(LONG) == 256
    sp = FakeSP("Long", "https://sp.example.org/" + "a" * 219)
    assert len(sp.entity_id) == 256
    idp.connect(sp, serves=["Staff"], release="directory")
    with idp.work() as session:
        alice = people.find(session, "alice")
        for field, text in people.cleaned({"department": LONG, "display_name": LONG}).items():
            setattr(alice, field, text)
    accepted = sp.accept(idp.sign_in("alice").get(sp.redirect_url()), idp.entity)
    told = {each.friendly_name: each.values for each in accepted.attributes}
    assert told["displayName"] == told["ou"] == (LONG,)
    assert accepted.name_id is not None
    assert accepted.name_id.sp_name_qualifier in (None, sp.entity_id)
    assert accepted.name_id.format == NameIDFormat.TRANSIENT


@pytest.mark.conformance("IIP-G03", "SDP-G03")
def test_a_document_type_is_refused_and_never_sent(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    page = browser.post("/saml/sso", {"SAMLRequest": encoded(DTD + b"<a>&e;</a>")}, status=(400, 403))
    assert idp.audit()[-1].detail["rule"] == "xml.doctype"
    assert "Reference number" in page
    assert b"<!DOCTYPE" not in browser.get("/saml/metadata").body
    assert b"<!DOCTYPE" not in sent(browser.get(intranet.redirect_url())).xml


@pytest.mark.conformance("SDP-IDP09", "SDP-IDP11", "IIP-ALG01", "IIP-ALG02", "IIP-ALG04")
def test_an_answer_is_signed_and_its_assertion_encrypted_unless_there_is_no_key_to_encrypt_to(
    idp: IdPSite, intranet: FakeSP
) -> None:
    answer = etree.fromstring(sent(idp.sign_in("alice").get(intranet.redirect_url())).xml)
    assert answer.find(f"{{{DS}}}Signature") is not None
    assert answer.find(f"{{{SAML}}}EncryptedAssertion") is not None
    assert answer.find(f"{{{SAML}}}Assertion") is None
    used = {each.get("Algorithm") for each in answer.iter()}
    assert {Algorithm.RSA_SHA256, Algorithm.SHA256, Algorithm.AES256_GCM} <= used


@pytest.mark.conformance("SDP-G01", "IIP-G01")
def test_clocks_may_differ_by_three_minutes_and_not_by_more_than_five(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    ahead = intranet.redirect_url(now=NOW + timedelta(minutes=2, seconds=59))
    assert intranet.accept(browser.get(ahead), idp.entity).name_id
    browser.get(intranet.redirect_url(now=NOW + timedelta(minutes=5, seconds=1)), status=(400, 403))


@pytest.mark.conformance("SDP-IDP32", "IIP-MD07")
def test_a_site_may_sign_with_any_key_of_its_metadata(idp: IdPSite) -> None:
    certificates = [signing_key(name).certificate for name in ("sp", "other-sp")]
    sp = idp.connect(FakeSP("Shop", "https://shop.example.org", options={"signing_certificates": certificates}))
    for name in ("sp", "other-sp"):
        assert sp.accept(idp.sign_in("alice").get(replace(sp, key_name=name).redirect_url()), idp.entity).name_id
    idp.browser().get(replace(sp, key_name="stranger").redirect_url(), status=403)


@pytest.mark.conformance("SDP-G02")
def test_nothing_that_we_say_is_longer_than_256_characters(idp: IdPSite, intranet: FakeSP) -> None:
    """Not even a name that is put together of two that long, nor anything else in an answer or in our metadata."""
    with idp.work() as session:
        alice = people.find(session, "alice")
        with pytest.raises(InvalidInput):
            people.cleaned({"department": LONG + "x"})
        for field, text in people.cleaned({"given_name": LONG, "family_name": LONG, "display_name": ""}).items():
            setattr(alice, field, text)
    plain = idp.connect(FakeSP("Plain", "https://plain.example.org", encrypts=False), release="directory")
    browser = idp.sign_in("alice")
    answer = sent(browser.get(plain.redirect_url()))
    assert LONG[:90].encode() in answer.xml
    assert longest(answer.xml) <= 256
    assert longest(browser.get("/saml/metadata").body) <= 256
    assert longest(sent(idp.browser().get(intranet.redirect_url(is_passive=True))).xml) <= 256


@pytest.mark.conformance("SDP-G04")
def test_our_entity_id_is_an_absolute_uri_of_at_most_256_characters(idp: IdPSite, tmp_path: Path) -> None:
    assert urlsplit(idp.entity.entity_id).scheme
    for wrong in ("idp.example.org", "/saml", "https://" + "x" * 249, "https://a b"):
        with pytest.raises(ValidationError, match="at most 256 characters"):
            make_settings(tmp_path, entity_id=wrong)
    assert make_settings(tmp_path, entity_id="https://" + "x" * 248).own_entity_id
    far = make_settings(tmp_path, public_url="https://idp.example.org/" + "x" * 220)
    with pytest.raises(ConfigurationError, match="at most 256 characters"):
        publication.document(far, idp.installation.keys, NOW)


@pytest.mark.conformance("SDP-IDP03")
def test_people_sign_in_over_tls(tmp_path: Path) -> None:
    """Plain http is refused for every address but this machine's, and there unless development is said to be meant."""
    settings = make_settings(tmp_path, public_url="https://idp.example.org", allow_http_loopback=False)
    assert settings.sso_url.startswith("https://")
    for address, allowed in (("http://idp.example.org", True), ("http://localhost:6543", False)):
        with pytest.raises(ValidationError, match="https"):
            make_settings(tmp_path, public_url=address, allow_http_loopback=allowed)


@pytest.mark.conformance("IIP-SSO06")
def test_everything_an_answer_needs_comes_out_of_the_metadata(idp: IdPSite) -> None:
    """Addresses, keys and wishes: the site publishes anew, and not one setting of ours changes."""
    sp = idp.connect(FakeSP("Shop", "https://shop.example.org"), release="directory")
    browser = idp.sign_in("alice")
    before = sp.accept(browser.get(sp.redirect_url()), idp.entity)
    assert "displayName" in {each.friendly_name for each in before.attributes}
    address = "https://new.example.org/acs?tenant=7"
    moved = replace(
        sp, encrypts=False, asks_for=("mail",), options={"acs_url": address, "want_assertions_signed": True}
    )
    idp.connect(moved, release="directory")
    page = browser.get(moved.redirect_url(acs_url=address))
    assert page.forms["message"].action == address
    assert b"EncryptedAssertion" not in sent(page).xml
    assert sent(page).xml.count(b"<ds:Signature ") + sent(page).xml.count(b"<ds:Signature>") == 2
    after = moved.accept(page, idp.entity, acs_url=address)
    assert {each.friendly_name for each in after.attributes} == {"pairwise-id", "mail"}
    assert browser.get(sp.redirect_url(), expect_errors=True).status_int in (400, 403)  # the old address is none of its
