"""Any service provider that keeps to the standard is served, with whatever text people's records hold."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

import pytest

from federation.saml.names import NameIDFormat
from idp_app.services import people
from tests.idp_factories import FakeSP, IdPSite, encoded, sent

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


@pytest.mark.conformance("IIP-G03")
def test_a_document_type_is_refused_and_never_sent(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    page = browser.post("/saml/sso", {"SAMLRequest": encoded(DTD + b"<a>&e;</a>")}, status=(400, 403))
    assert idp.audit()[-1].detail["rule"] == "xml.doctype"
    assert "Reference number" in page
    assert b"<!DOCTYPE" not in browser.get("/saml/metadata").body
    assert b"<!DOCTYPE" not in sent(browser.get(intranet.redirect_url())).xml


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
