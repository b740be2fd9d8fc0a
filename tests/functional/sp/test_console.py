"""The administrator's console."""

from __future__ import annotations

import pytest
from webtest import TestApp

from sp_app.models import Account
from sp_app.services import administrators
from tests.sp_factories import Site, attributes

PAGES = [
    "/admin", "/admin/connections", "/admin/chooser", "/admin/sources", "/admin/reviews", "/admin/keys",
    "/admin/accounts", "/admin/audit",
]  # fmt: skip


@pytest.fixture
def administrator(site: Site, browser: TestApp) -> TestApp:
    """The browser of a person whom the command has made an administrator."""
    site.sign_in(browser, attributes=attributes(display_name="Ada Admin"))
    with site.unit_of_work() as session:
        account = session.get_one(Account, browser.get("/whoami").json["account"]["id"])
        administrators.appoint(account, administrator=True, now=site.clock())
    return browser


@pytest.mark.parametrize("path", PAGES)
def test_it_is_for_administrators_only(site: Site, browser: TestApp, path: str) -> None:
    assert "/saml/login" in browser.get(path).location
    site.sign_in(browser)
    assert "do not have access" in browser.get(path, status=403)
    assert path not in browser.get("/private")


def test_no_attribute_makes_an_administrator(site: Site, browser: TestApp) -> None:
    told = attributes(display_name="admin", username="admin", groups=["administrators"], entitlements=["admin"])
    site.sign_in(browser, attributes=told)
    browser.get("/admin", status=403)


def test_it_shows_the_switch_the_connections_and_what_the_other_side_needs(site: Site, administrator: TestApp) -> None:
    page = administrator.get("/private").click("Console")
    for text in ("through 1 identity provider", site.provider.keys.fingerprint, f"{site.origin}/scim/v2"):
        assert text in page
    page = page.click("Identity providers")
    for text in ("Example University", site.idp.entity_id, "active", "good"):
        assert text in page


def test_switching_off_takes_a_form_of_ours_and_signs_everybody_out(site: Site, administrator: TestApp) -> None:
    administrator.post("/admin/switch", status=400)
    visitor = site.browser()
    site.sign_in(visitor, attributes=attributes("bob@example.org"))
    page = administrator.get("/admin").forms[1].submit("federation").follow()
    assert "Nobody can sign in here yet" in page
    assert "Sign in</a>" not in page
    for each in (visitor, administrator):
        each.get("/whoami", status=401)
    details = site.rows("select detail from sp_audit where kind = 'administered'")
    assert details == [("Ada Admin switched the federation off",)]
    site.switch(on=True)
    visitor.get("/whoami", status=401)


def test_a_connection_shows_its_trust_and_can_be_paused(site: Site, administrator: TestApp) -> None:
    page = administrator.get("/admin/connections").click("Example University")
    for text in ("signature", "a test", site.idp.fingerprint, site.idp.sso_url, "example.org"):
        assert text in page
    page = page.forms[1].submit("action").follow()
    assert "paused" in page
    site.browser().get("/saml/login", status=403)
    page.forms[1].submit("action")
    assert site.browser().get("/saml/login").status_int == 303


def test_a_connection_that_does_not_exist_is_not_found_and_an_unknown_action_changes_nothing(
    site: Site, administrator: TestApp
) -> None:
    administrator.get("/admin/connections/none", status=404)
    form = administrator.get("/admin/connections").click("Example University").forms[1]
    token = form["csrf_token"].value
    administrator.post(form.action, {"csrf_token": token, "action": "explode"}, status=400)


def test_a_refused_person_is_looked_up_by_the_reference_number(site: Site, administrator: TestApp) -> None:
    visitor = site.browser()
    departure = site.idp.read(visitor.get("/saml/login"))
    visitor.post("/saml/acs", site.idp.answer(departure, audience="https://other.example/<script>"), status=403)
    ((reference,),) = site.rows("select reference from sp_audit where kind = 'refused'")
    form = administrator.get("/admin/audit").forms[1]
    form["reference"] = reference.lower()
    page = form.submit()
    assert "assertion.audience" in page
    assert "https://other.example/&lt;script&gt;" in page
    assert "has this site under another entityID" in page
    for decoded in ("AuthnRequest, sent by HTTP-Redirect", "Response, received by HTTP-POST", departure.request.id):
        assert decoded in page
    assert "no entry" in administrator.get("/admin/audit?reference=AAAA-AAAA")


def test_an_accepted_sign_in_has_its_story_without_a_value_about_the_person(site: Site, administrator: TestApp) -> None:
    ((reference, kept),) = site.rows("select reference, messages from sp_audit where kind = 'signed in'")
    page = administrator.get(f"/admin/audit?reference={reference}")
    for text in ("Response, received", "AuthnRequest, sent", "checks that passed", "assertion.audience"):
        assert text in page
    assert "Ada Admin" not in str(kept)


def test_the_accounts_show_who_they_belong_to(site: Site, administrator: TestApp) -> None:
    page = administrator.get("/admin/accounts")
    for text in ("Ada Admin", "administrator", "active", "sign-in"):
        assert text in page


def test_an_administrator_chooses_how_messages_travel(site: Site, administrator: TestApp) -> None:
    page = administrator.get("/admin/connections").click(site.idp.name)
    form = next(form for form in page.forms.values() if "request_binding" in form.fields)
    assert [each[0] for each in form["request_binding"].options] == ["redirect", "post"]
    form["request_binding"], form["allow_unsolicited"] = "post", True
    assert form.submit("action", value="options").status_int == 303
    stored = site.rows("select request_binding, response_binding, allow_unsolicited from sp_idp_connection")
    assert stored == [("post", "post", True)]
    details = site.rows("select detail from sp_audit where kind = 'administered' order by id desc limit 1")
    assert "requests by post, responses by post, unsolicited ones allowed" in details[0][0]


def test_an_administrator_orders_the_chooser(site: Site, administrator: TestApp) -> None:
    assert "Nothing to choose" in administrator.get("/admin/chooser")
    site.connect_many(3)

    def chosen_from() -> list[str]:
        page = site.browser().get("/saml/login").follow()
        return [each.text for each in page.html.select(".choosable a")]

    assert chosen_from() == ["Example University", "Institute 000", "Institute 001", "Institute 002"]
    form = next(form for form in administrator.get("/admin/chooser").forms.values() if "place-many-2" in form.fields)
    form["place-many-2"], form["place-many-1"] = "1", "2"
    assert "The order is saved." in form.submit().follow()
    assert chosen_from() == ["Institute 002", "Institute 001", "Example University", "Institute 000"]
    form = next(form for form in administrator.get("/admin/chooser").forms.values() if "place-many-2" in form.fields)
    assert form["place-many-2"].value == "1"
    for wrong in ("0", "-1", "first", "10000", "1e3"):
        form["place-many-2"] = wrong
        assert "number from 1 to 9999" in form.submit(status=400)
    form["place-many-2"] = ""
    form.submit()
    assert chosen_from()[0] == "Institute 001"
