"""The administrator's pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp, TestResponse, Upload

from federation.attributes.policy import ReleasePolicy
from idp_app.models import Change
from idp_app.services import audiences, people, switch
from tests.idp_factories import FakeSP, IdPSite, make_idp

PAGES = ("/admin", "/admin/people", "/admin/people/import", "/admin/audiences", "/admin/connections")


@pytest.fixture
def admin(idp: IdPSite) -> TestApp:
    """The administrator's browser."""
    return idp.sign_in("admin")


def press(page: TestResponse, button: str, **more: Any) -> TestResponse:
    """Press the button with this text."""
    form = next(form for form in page.forms.values() if f"<span>{button}</span>" in form.text)
    return form.submit("action", **more)


def causes(idp: IdPSite) -> list[str]:
    """The causes in the outbox, oldest first."""
    with idp.work() as session:
        return list(session.scalars(select(Change.cause).order_by(Change.id)))


# Who may --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
def test_the_console_asks_who_it_is_and_comes_back(idp: IdPSite, address: str) -> None:
    page = idp.browser().get(address)
    assert page.status_int == 303
    form = page.follow().forms[0]
    form["username"], form["password"] = "admin", "correct horse battery"
    assert form.submit().location == f"http://localhost:6543{address}"


@pytest.mark.parametrize("address", PAGES)
def test_the_console_is_for_administrators(idp: IdPSite, address: str) -> None:
    page = idp.sign_in("alice").get(address, status=403)
    assert "You do not have access" in page.text


def test_a_form_of_the_console_does_nothing_for_others(idp: IdPSite) -> None:
    browser = idp.sign_in("alice")
    token = browser.get("/signout").forms[0]["csrf_token"].value
    browser.post("/admin", {"federation": "off", "csrf_token": token}, status=403)
    idp.browser().post("/admin", {"federation": "off"}, status=403)
    with idp.work() as session:
        assert switch.is_on(session)


def test_a_form_of_the_console_needs_the_browsers_token(idp: IdPSite, admin: TestApp) -> None:
    admin.post("/admin", {"federation": "off"}, status=400)
    with idp.work() as session:
        assert switch.is_on(session)


# The switch -----------------------------------------------------------------------------------------------------------


def test_the_switch_turns_the_federation_off_and_on(idp: IdPSite, admin: TestApp) -> None:
    page = admin.get("/admin")
    page = page.forms[0].submit("federation").follow()
    assert "The federation is off" in page.text
    idp.browser().get("/saml/metadata", status=404)
    page = page.forms[0].submit("federation").follow()
    assert "The federation is on" in page.text
    idp.browser().get("/saml/metadata", status=200)
    assert causes(idp)[-2:] == ["switch.off", "switch.on"]


# People ---------------------------------------------------------------------------------------------------------------


def test_people_are_found_by_parts_of_their_names(admin: TestApp) -> None:
    assert "alice@example.org" in admin.get("/admin/people").text
    page = admin.get("/admin/people", {"q": "ARCH"})
    assert "alice@example.org" in page.text
    assert "bob@example.org" not in page.text
    assert "Nobody found" in admin.get("/admin/people", {"q": "100%"}).text


def test_a_long_list_of_people_has_pages(idp: IdPSite, admin: TestApp) -> None:
    with idp.work() as session:
        for number in range(60):
            people.create(session, f"person{number:02}", idp.act())
    page = admin.get("/admin/people")
    assert "Page 1 of 2" in page.text
    assert "person59" in page.click("Next").text
    assert "Page 2 of 2" in admin.get("/admin/people", {"page": "999"}).text
    assert "Page 1 of 2" in admin.get("/admin/people", {"page": "minus one"}).text


def test_a_person_is_suspended_and_reinstated(idp: IdPSite, admin: TestApp) -> None:
    browser = idp.sign_in("alice")
    page = admin.get(f"/admin/people/{idp.person('alice').id}")
    page = press(page, "Suspend").follow()
    assert "is suspended" in page.text
    assert "Alice" not in browser.get("/").text
    page = press(page, "Reinstate").follow()
    assert "suspension is lifted" in page.text
    assert not idp.person("alice").suspended
    assert causes(idp)[-2:] == ["person.suspended", "person.reinstated"]


def test_the_last_administrator_cannot_be_suspended(idp: IdPSite, admin: TestApp) -> None:
    page = admin.get(f"/admin/people/{idp.person('admin').id}")
    answer = press(page, "Suspend", status=400)
    assert "last administrator" in answer.text
    assert not idp.person("admin").suspended


def test_a_persons_audiences_are_chosen(idp: IdPSite, admin: TestApp) -> None:
    page = admin.get(f"/admin/people/{idp.person('dave').id}")
    form = next(form for form in page.forms.values() if "audience" in form.fields)
    for box in form.fields["audience"]:
        box.checked = True
    assert "audiences are saved" in form.submit("action").follow().text
    with idp.work() as session:
        found = people.audiences_of(session, idp.person("dave").id)
    assert [audience.name for audience in found] == ["Learners", "Staff"]


def test_a_file_of_people_is_imported(idp: IdPSite, admin: TestApp) -> None:
    form = admin.get("/admin/people/import").forms[0]
    data = "username,display_name,audiences\nerin,Erin Ember,Staff\nalice,Alice Archer,Staff\n"
    form["file"] = Upload("people.csv", data.encode())
    page = form.submit()
    assert "2 people in the file" in page.text
    assert "1 new, 0 changed, 1 unchanged" in page.text
    assert idp.person("erin").display_name == "Erin Ember"


def test_every_bad_line_of_a_file_is_listed_and_nothing_is_imported(idp: IdPSite, admin: TestApp) -> None:
    form = admin.get("/admin/people/import").forms[0]
    data = "username,audiences,guest\nerin,Staff,no\nfrank,Staf,no\ngina,Staff,perhaps\n"
    form["file"] = Upload("people.csv", data.encode())
    page = form.submit(status=400)
    assert "there is no audience &#39;Staf&#39;" in page.text
    assert "neither yes nor no" in page.text
    with idp.work() as session:
        assert people.search(session, "erin").total == 0


def test_an_import_without_a_file_says_so(admin: TestApp) -> None:
    assert "must be chosen" in admin.get("/admin/people/import").forms[0].submit(status=400).text


# Audiences ------------------------------------------------------------------------------------------------------------


def test_an_audience_is_made_and_people_put_in_and_taken_out(idp: IdPSite, admin: TestApp) -> None:
    form = admin.get("/admin/audiences").forms[0]
    form["name"], form["description"] = "Library", "Readers"
    page = form.submit().follow()
    assert "The audience is made" in page.text
    form = page.forms[0]
    form["username"] = "Dave"
    page = form.submit("action").follow()
    assert "Dave Dunn" in page.text
    page = next(form for form in page.forms.values() if "person" in form.fields).submit("action").follow()
    assert "Nobody is in this audience" in page.text
    assert causes(idp)[-2:] == ["audience.added", "audience.removed"]


def test_a_mistake_in_an_audience_is_told_beside_the_field(idp: IdPSite, admin: TestApp) -> None:
    form = admin.get("/admin/audiences").forms[0]
    form["name"] = " "
    assert "must not be empty" in form.submit(status=400).text
    with idp.work() as session:
        audience_id = audiences.find(session, "Staff").id
    form = admin.get(f"/admin/audiences/{audience_id}").forms[0]
    form["username"] = "nobody"
    assert "there is no person &#39;nobody&#39;" in form.submit("action", status=400).text


# Connections ----------------------------------------------------------------------------------------------------------


def test_a_connection_shows_its_trust_and_what_it_misses(idp: IdPSite, intranet: FakeSP, admin: TestApp) -> None:
    page = admin.get("/admin/connections").click("Intranet")
    assert intranet.entity_id in page.text
    assert intranet.fingerprint in page.text
    assert "no privacy statement" in page.text
    assert "encrypted to its key" in page.text


def test_the_release_table_says_what_goes_out_and_why_not(idp: IdPSite, learning: FakeSP, admin: TestApp) -> None:
    page = admin.get(f"/admin/connections/{idp.connection('Learning').id}")
    tables = {table.find("caption").text: table.text for table in page.html.select("table")}
    assert "Display name" in tables["Released"]
    assert "E-mail address" in tables["Not released"]
    assert "release policy does not allow it" in tables["Not released"]


def test_the_preview_shows_what_a_person_would_take_along(idp: IdPSite, intranet: FakeSP, admin: TestApp) -> None:
    connection_id = idp.connection("Intranet").id
    page = admin.get(f"/admin/connections/{connection_id}", {"person": "alice"})
    assert "May use this site" in page.text
    assert "board; physics-staff" in page.text
    accepted = intranet.accept(idp.sign_in("alice").get(intranet.redirect_url()), idp.entity)
    pairwise = next(each.values[0] for each in accepted.attributes if each.friendly_name == "pairwise-id")
    assert pairwise in page.text
    assert "May not use this site" in admin.get(f"/admin/connections/{connection_id}", {"person": "dave"}).text
    assert "Nobody has this user name" in admin.get(f"/admin/connections/{connection_id}", {"person": "x"}).text


def test_audiences_release_and_state_of_a_connection_are_changed(
    idp: IdPSite, intranet: FakeSP, admin: TestApp
) -> None:
    page = admin.get(f"/admin/connections/{idp.connection('Intranet').id}")
    form = next(form for form in page.forms.values() if "audience" in form.fields)
    for box in form.fields["audience"]:
        box.checked = box.id is not None
    page = form.submit("action").follow()
    form = next(form for form in page.forms.values() if "release" in form.fields)
    form["release"] = "name-only"
    page = form.submit("action").follow()
    assert "release policy is saved" in page.text
    page = press(page, "Pause").follow()
    assert "Nothing is sent to this site" in page.text
    page = press(page, "Resume").follow()
    assert "active again" in page.text
    connection = idp.connection("Intranet")
    assert connection.release_policy == ReleasePolicy.from_preset("name-only").to_json()
    assert causes(idp)[-4:] == [
        "connection.audiences",
        "connection.policy",
        "connection.paused",
        "connection.active",
    ]
    accepted = intranet.accept(idp.sign_in("bob").get(intranet.redirect_url()), idp.entity)
    assert {each.friendly_name for each in accepted.attributes} == {"pairwise-id", "displayName"}


def test_an_empty_console_says_what_to_do_next(tmp_path: Path) -> None:
    site = make_idp(tmp_path)
    assert "Connect a site by its metadata" in site.sign_in("admin").get("/admin/connections")
    site.installation.engine.dispose()


@pytest.mark.parametrize("part", ["people", "audiences", "connections"])
def test_what_does_not_exist_is_not_found(admin: TestApp, part: str) -> None:
    admin.get(f"/admin/{part}/no-such-id", status=404)
    token = admin.get("/admin").forms[0]["csrf_token"].value
    admin.post(f"/admin/{part}/no-such-id", {"csrf_token": token, "action": "add"}, status=404)


@pytest.mark.parametrize("part", ["people", "audiences", "connections"])
def test_a_form_that_asks_for_something_else_changes_nothing(
    idp: IdPSite, intranet: FakeSP, admin: TestApp, part: str
) -> None:
    with idp.work() as session:
        audience_id = audiences.find(session, "Staff").id
    found = {"people": idp.person("alice").id, "audiences": audience_id, "connections": idp.connection("Intranet").id}
    token = admin.get("/admin").forms[0]["csrf_token"].value
    for action in ({}, {"action": "explode"}, {"action": "release", "release": "everything"}):
        admin.post(f"/admin/{part}/{found[part]}", {"csrf_token": token, **action}, status=400)
