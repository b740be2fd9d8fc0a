"""Under a reference number an administrator finds every message, every check, and what to do about it."""

from __future__ import annotations

import json
import re
from datetime import timedelta

from tests.factories import signing_key
from tests.idp_factories import FakeSP, IdPSite, fill_in

REFERENCE = re.compile(r"[2-9A-Z]{4}-[2-9A-Z]{4}")


def refused(idp: IdPSite, url: str) -> str:
    page = idp.browser().get(url, expect_errors=True)
    assert page.status_int in (400, 403)
    return REFERENCE.search(page.html.find(class_="reference").text).group()


def story(idp: IdPSite, reference: str) -> str:
    return idp.sign_in("admin").get(f"/admin/refusals/{reference}").text


def test_a_clock_that_differs_is_told_in_seconds_with_the_decoded_message(idp: IdPSite, intranet: FakeSP) -> None:
    ahead = idp.clock() + idp.installation.settings.clock_skew + timedelta(seconds=97)
    reference = refused(idp, intranet.redirect_url(ahead))
    text = story(idp, reference)
    assert "97 s of clock difference more than allowed" in text
    assert "The clock of Intranet is ahead" in text
    for shown in ("request.issue_instant", "AuthnRequest, received by HTTP-Redirect", "IssueInstant=", "in the query"):
        assert shown in text
    found = idp.sign_in("admin").get("/admin/refusals?q=Intranet").text
    assert reference in found
    assert reference in idp.sign_in("admin").get(f"/admin/refusals?q={reference.lower()}").text
    assert "Nothing found" in idp.sign_in("admin").get("/admin/refusals?q=Learning").text


def test_an_unknown_key_a_stranger_and_an_unknown_address_each_have_their_repair(
    idp: IdPSite, intranet: FakeSP
) -> None:
    url = intranet.redirect_url(key=signing_key("other-sp"))
    assert "refresh their metadata" in story(idp, refused(idp, url))
    stranger = FakeSP("Stranger", "http://localhost:6599")
    assert f"no connection to {stranger.entity_id}" in story(idp, refused(idp, stranger.redirect_url()))
    url = intranet.redirect_url(acs_url="http://localhost:6544/elsewhere")
    assert "which its metadata does not list" in story(idp, refused(idp, url))


def test_an_accepted_sign_in_is_explained_from_its_first_message_to_the_last(idp: IdPSite, intranet: FakeSP) -> None:
    browser = idp.browser()
    page = browser.get(intranet.redirect_url()).follow()
    fill_in(page, "alice").follow()
    issued = next(entry for entry in idp.audit() if entry.kind == "sso.issued")
    text = story(idp, issued.reference)
    assert "AuthnRequest, received" in text
    assert "Response, sent" in text
    assert "checks that passed" in text
    assert "Alice Archer (alice)" in text
    # The number of the page that asked for the password leads to the same story.
    received = next(entry for entry in idp.audit() if entry.kind == "sso.received")
    assert received.reference != issued.reference
    assert "Response, sent" in story(idp, received.reference)


def test_what_is_kept_holds_no_value_about_a_person(idp: IdPSite, learning: FakeSP) -> None:
    plain = FakeSP("Plain", "http://localhost:6546", key_name="other-sp", encrypts=False)
    plain = idp.connect(plain, serves=["Staff"], release="directory")
    accepted = plain.accept(idp.sign_in("alice").get(plain.redirect_url()), idp.entity)
    kept = json.dumps([[entry.detail, entry.messages] for entry in idp.audit()])
    assert "AttributeStatement" in kept
    assert accepted.name_id is not None
    values = [value for attribute in accepted.attributes for value in attribute.values]
    for value in (accepted.name_id.value, accepted.session_index, *values):
        assert str(value) not in kept


def test_a_denied_person_is_found_by_name(idp: IdPSite, intranet: FakeSP) -> None:
    page = idp.sign_in("bob").get(intranet.redirect_url(), expect_errors=True)
    assert page.status_int == 403
    found = idp.sign_in("admin").get("/admin/refusals?q=bob")
    assert "sso.denied" not in found.html.find("th", scope="row").text
    story_page = found.click(REFERENCE.pattern)
    assert "Bob Baker (bob)" in story_page.text


def test_an_unknown_number_and_somebody_without_rights(idp: IdPSite) -> None:
    assert idp.sign_in("admin").get("/admin/refusals/ZZZZ-ZZZZ", expect_errors=True).status_int == 404
    assert idp.sign_in("alice").get("/admin/refusals", expect_errors=True).status_int == 403
