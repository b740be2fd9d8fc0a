"""The page behind our errorURL, and what the administrator finds about attributes that were missing."""

from __future__ import annotations

import pytest

from federation.attributes.catalogue import CATALOGUE, requested_attribute
from federation.saml.metadata.reading import read_document
from federation.saml.profiles import error_url
from federation.saml.profiles.error_url import CODES, ErrorCode
from tests.idp_factories import NOW, FakeSP, IdPSite

MAIL = CATALOGUE["mail"].name


def address(idp: IdPSite, **said: str) -> str:
    """Our errorURL, as a partner reads it from our metadata and fills it in."""
    (entity,) = read_document(idp.browser().get("/saml/metadata").body)
    assert entity.idp is not None
    assert entity.idp.error_url is not None
    values = {"code": ErrorCode.IDENTIFICATION_FAILURE, "sp_entity_id": "urn:nobody", "reference": "7KQ2-M4XD"}
    return error_url.fill(entity.idp.error_url, at=NOW, **{**values, "context": "", **said}).removeprefix(
        idp.installation.settings.public_url
    )


@pytest.mark.conformance("SDP-MD12")
@pytest.mark.parametrize("code", CODES)
def test_each_code_has_a_page_in_plain_words(idp: IdPSite, intranet: FakeSP, code: str) -> None:
    link = address(idp, code=code, sp_entity_id=intranet.entity_id, context=f"{MAIL} urn:oid:1.2.3")
    page = idp.browser().get(link)
    assert page.content_type == "text/html"
    assert "Intranet" in page.html.h1.get_text()
    facts = page.html.select_one(".attributes").get_text(" ", strip=True)
    for text in ("E-mail address", "urn:oid:1.2.3", "7KQ2-M4XD", "4 Mar 2026, 10:00 UTC", intranet.entity_id):
        assert text in facts
    assert len({str(idp.browser().get(address(idp, code=each)).html.h1) for each in CODES}) == len(CODES)


def test_a_stranger_s_word_is_shown_escaped_bounded_and_not_recorded(idp: IdPSite) -> None:
    hostile = "<script>alert(1)</script>"
    link = address(idp, sp_entity_id=f"urn:{'x' * 400}", reference=hostile, context=f"{hostile} {'y' * 3000}")
    page = idp.browser().get(link)
    assert "<script>" not in page
    assert "x" * 300 not in page
    assert "y" * 300 not in page
    assert "The site that you came from" in page
    assert idp.browser().get("/saml/error?code=%ff", expect_errors=True).status_int in (200, 400)
    assert idp.browser().get("/saml/error").status_int == 200
    assert idp.browser().get(f"/saml/error?{error_url.TEMPLATE}").status_int == 200
    assert [entry for entry in idp.audit() if entry.kind.startswith("error")] == []


def test_whoever_is_signed_in_leaves_a_record_that_the_administrator_finds(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.sign_in("alice")
    page = browser.get(address(idp, sp_entity_id=intranet.entity_id, context=MAIL))
    (entry,) = (entry for entry in idp.audit() if entry.kind == "error.reported")
    assert entry.reference in page
    assert entry.entity_id == intranet.entity_id
    assert entry.detail == {"code": "IDENTIFICATION_FAILURE", "their_reference": "7KQ2-M4XD", "names": [MAIL]}


def test_an_assertion_without_what_the_site_requires_is_on_record_and_in_the_console(idp: IdPSite) -> None:
    required = [requested_attribute("department", required=True), requested_attribute("mail", required=True)]
    sp = idp.connect(
        FakeSP("Shop", "http://localhost:6599", options={"requested": required}), serves=["Staff"], release="name-only"
    )
    browser = idp.sign_in("alice")
    browser.get(sp.redirect_url())
    (entry,) = (entry for entry in idp.audit() if entry.kind == "sso.missing")
    assert entry.detail == {"attributes": ["ou", "mail"]}
    assert entry.entity_id == sp.entity_id
    admin = idp.sign_in("admin")
    page = admin.get("/admin/connections").click("Shop")
    assert "Who was sent without something it requires" in page
    assert entry.reference in page
    assert "ou, mail" in page
