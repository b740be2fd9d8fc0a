"""The service provider's console: the same pages on sources, reviews, versions and keys, about identity providers."""

from __future__ import annotations

import pytest
from webtest import TestApp, TestResponse

from sp_app.models import Account
from sp_app.models.metadata import MetadataSource
from sp_app.services import administrators
from tests.functional.registry.test_service_provider import OTHER, add, desk, signs_in, stranger
from tests.registry_factories import Server, refresh
from tests.sp_factories import Site


@pytest.fixture
def administrator(sp: Site) -> TestApp:
    """The browser of a person whom the command has made an administrator."""
    browser = sp.browser()
    sp.sign_in(browser)
    with sp.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=sp.clock())
    return browser


def follow(sp: Site, server: Server) -> str:
    """A source for the one identity provider; refreshed once."""
    url = server.put("/idp.xml", sp.idp.metadata())
    source = add(sp, "url", url, entity_id=sp.idp.entity_id, signer_fingerprints=[sp.idp.fingerprint])
    refresh(desk(sp).refresher(), source)
    return source


def press(page: TestResponse, button: str, **values: str) -> TestResponse:
    form = next(form for form in page.forms.values() if f"<span>{button}" in form.text or f">{button}<" in form.text)
    for name, value in values.items():
        form[name] = value
    found = next(each for each in page.html.find_all("button") if each.get_text(strip=True).startswith(button))
    return form.submit("action", value=found["value"])


def test_a_change_of_an_identity_provider_is_read_in_words_decided_and_taken_back(
    sp: Site, server: Server, administrator: TestApp
) -> None:
    source = follow(sp, server)
    assert "Nothing waits" in administrator.get("/admin/reviews")
    sp.idp.sso_url = "https://elsewhere.example.com/sso"
    server.put("/idp.xml", sp.idp.metadata())
    sp.clock.advance(hours=1)
    refresh(desk(sp).refresher(), source)
    assert signs_in(sp, sp.idp) >= 400

    page = administrator.get("/admin/connections")
    assert "review waits" in page
    assert "Newer metadata waits for a review" in page.click("Example University")
    review = administrator.get("/admin/reviews").click("Example University, version 2")
    for told in ("https://elsewhere.example.com/sso", "widens", "1 person in the last 30 days", "metadata.contact"):
        assert told in review
    assert "becomes live at that time" in press(review, "Schedule", at="2026-03-10T12:00").follow()
    assert "change scheduled" in administrator.get("/admin/connections")
    review = administrator.get("/admin/reviews").click("Example University, version 2")
    assert "The version is live." in press(review, "Accept now").follow()
    assert signs_in(sp, sp.idp) == 303

    versions = administrator.get("/admin/connections").click("Example University").click("Every version")
    assert "The version is live again." in press(versions, "Roll back").follow()
    assert [row[0] for row in sp.rows("select state from sp_metadata_version order by number")] == ["live", "rejected"]
    details = [row[0] for row in sp.rows("select detail from sp_audit where rule = 'metadata.live' order by id")]
    assert "version: 2" in details[0]


def test_the_list_says_which_source_fails_and_a_source_is_asked_soon(
    sp: Site, server: Server, administrator: TestApp
) -> None:
    assert "Add a source" in administrator.get("/admin/sources")
    source = follow(sp, server)
    server.fail("/idp.xml")
    sp.clock.advance(hours=1)
    refresh(desk(sp).refresher(), source)
    page = administrator.get("/admin/connections")
    assert "refresh fails" in page
    assert "the answer has the status 503" in page.click("Example University")
    page = administrator.get("/admin/connections").click("Example University").click("Federation", index=1)
    assert "one partner" in page
    assert "within moments" in press(page, "Refresh").follow()
    with sp.unit_of_work() as session:
        assert session.get_one(MetadataSource, source).due == sp.clock()
    assert "left out" in press(administrator.get(f"/admin/sources/{source}"), "Leave out").follow()
    assert "in use again" in press(administrator.get(f"/admin/sources/{source}"), "Use again").follow()


def test_an_identity_provider_is_connected_by_its_metadata_and_a_compared_fingerprint(
    sp: Site, administrator: TestApp
) -> None:
    idp, other = stranger(sp), sp.idp.metadata().decode()

    def sent(text: str) -> TestResponse:
        page = administrator.get("/admin/connections").click("Connect an identity provider")
        form = next(form for form in page.forms.values() if "text" in form.fields)
        form["text"] = text
        return form.submit(expect_errors=True)

    for wrong, said in (("", "choose a file"), ("<nonsense/>", "Nothing was changed"), (other, "connected already")):
        answer = sent(wrong)
        assert (answer.status_int, said in answer) == (400, True), wrong
    page = sent(idp.metadata().decode())
    assert idp.fingerprint in page
    assert "What its metadata lacks" in page
    form = next(form for form in page.forms.values() if "fingerprints" in form.fields)
    form["fingerprints"] = sp.idp.fingerprint
    again = form.submit(status=400)
    assert "compare them again" in again
    form = next(form for form in again.forms.values() if "fingerprints" in form.fields)
    form["fingerprints"], form["name"] = idp.fingerprint, "Other College"
    assert "The identity provider is connected." in form.submit().follow()
    made = sp.rows("select name, state from sp_idp_connection where entity_id = ?", OTHER)
    assert made == [("Other College", "active")]
    assert signs_in(sp, idp) == 303


def test_keys_are_led_from_their_making_to_their_end(sp: Site, administrator: TestApp) -> None:
    page = administrator.get("/admin/keys")
    assert "Certificate expires" in page
    assert "The key is made" in press(page, "Prepare a key").follow()
    done = press(administrator.get("/admin/keys"), "Publish").follow()
    assert "in our metadata" in done
    assert "Not known to have signing-" in done
    assert sp.provider.entity_id in done.html.pre.text, "the text to send names us"
    assert "in use" in press(press(done, "Confirm").follow(), "Promote").follow()
    assert len(sp.provider.keys.signing_certificates) == 2
    assert "The key is gone" in press(administrator.get("/admin/keys"), "Retire").follow()
    assert len(sp.provider.keys.signing_certificates) == 1
    (detail,) = sp.rows("select detail from sp_audit where detail like 'keys.retired%'")[0]
    assert "keys.retired by" in detail


def test_only_an_administrator_gets_there(sp: Site) -> None:
    browser = sp.browser()
    sp.sign_in(browser)
    for path in (
        "/admin/sources",
        "/admin/reviews",
        "/admin/reviews/1",
        "/admin/connections/x/versions",
        "/admin/keys",
    ):
        assert browser.get(path, expect_errors=True).status_int == 403
        assert sp.browser().get(path).location.startswith(f"{sp.origin}/saml/login")
    for path in ("/admin/sources/x", "/admin/keys", "/admin/chooser"):
        assert browser.post(path, {"action": "refresh"}, expect_errors=True).status_int in (400, 403)
