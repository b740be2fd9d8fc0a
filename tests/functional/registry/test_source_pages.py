"""The console's pages about sources: adding, changing, taking away, progress, and a connection of what one offers."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from webtest import TestApp, TestResponse, Upload

from federation.registry import aggregates, sources
from federation.registry.columns import UPLOAD
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding, NameIDFormat
from idp_app.models import Connection, MetadataPart, MetadataSource
from idp_app.services import metadata
from sp_app.models import Account
from sp_app.services import administrators
from tests.functional.registry.test_federation import LIBRARY, MUSEUM, add, desk, documents, rows, source_of
from tests.functional.registry.test_offered import OLD
from tests.functional.registry.test_service_provider import desk as sp_desk
from tests.functional.registry.test_service_provider import signs_in, stranger
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.registry_factories import CERTIFICATE, PIN, Server, aggregate, answer, query_path, refresh
from tests.sp_factories import Site

INTRANET = FakeSP()
LOGOUT = Endpoint(Binding.REDIRECT, "http://localhost:6545/saml/logout")
PEM = f"-----BEGIN CERTIFICATE-----\n{base64.encodebytes(CERTIFICATE).decode()}-----END CERTIFICATE-----\n"


def form_of(page: TestResponse, field: str) -> Any:
    return next(form for form in page.forms.values() if field in form.fields)


def new_form(browser: TestApp, **values: str) -> Any:
    form = form_of(browser.get("/admin/sources/new"), "signers")
    form["name"], form["signers"] = "Example Federation", PIN
    for name, value in values.items():
        form[name] = value
    return form


def serving_staff(form: Any) -> Any:
    """The form with its first audience that is Staff chosen."""
    for box in form.fields["audience"]:
        label = form.html.find("label", attrs={"for": box.id}).get_text()
        box.checked = label.startswith("Staff")
    return form


def sp_of(idp: IdPSite, sp: FakeSP) -> FakeSP:
    return replace(sp, idp_url=idp.installation.settings.public_url)


def test_a_federation_is_added_by_its_address_and_used_with_what_the_form_says(idp: IdPSite, server: Server):
    url = server.put("/all.xml", aggregate(documents(LIBRARY, MUSEUM), NOW))
    browser = idp.sign_in("admin")
    form = serving_staff(new_form(browser, location=url, release="name-only", name_id="persistent"))
    form["entity_ids"] = LIBRARY.entity_id
    page = form.submit().follow()
    assert "The source is added." in page
    assert "Waiting for the worker" in page
    waiting = browser.get(page.request.url)
    assert "Refresh" not in waiting.headers, "the page is not taken from under a reader's eyes"
    assert 'data-watch="3"' in waiting
    assert "connect-src 'self'" in waiting.headers["Content-Security-Policy"]
    assert "Waiting for the worker" in waiting.click("Look again now")
    with idp.work() as session:
        (source,) = session.scalars(select(MetadataSource))
    refresh(desk(idp).refresher(), source.id)
    assert set(rows(idp)) == {LIBRARY.entity_id}, "only what was chosen is taken"
    sp = sp_of(idp, LIBRARY)
    accepted = sp.accept(idp.sign_in("alice").get(sp.redirect_url()), idp.entity)
    assert accepted.name_id is not None
    assert accepted.name_id.format == NameIDFormat.PERSISTENT
    assert {each.friendly_name for each in accepted.assertion.attributes}.isdisjoint({"mail"})
    page = browser.get(f"/admin/sources/{source.id}")
    assert 'data-watch="0"' in page, "where nothing moves, nothing is asked"
    assert "connect-src" not in page.headers["Content-Security-Policy"]
    assert LIBRARY.entity_id in page


def test_bad_input_keeps_what_was_typed_and_says_what_is_wrong(idp: IdPSite):
    browser = idp.sign_in("admin")
    form = new_form(
        browser, location="ftp://md.example.org/<all>", signers="not a fingerprint", registrars="http://r.test/"
    )
    form["every"], form["max_validity"] = "soon", "28"
    page = form.submit(status=400)
    assert "choose at least one" in page
    form = serving_staff(form_of(page, "signers"))
    page = form.submit(status=400)
    assert "How often it is refreshed at least is a number up to 720." in page
    form = form_of(page, "signers")
    assert form["registrars"].value == "http://r.test/"
    form["every"] = "12"
    page = form.submit(status=400)
    assert "is no SHA-256 fingerprint" in page
    assert "&lt;all&gt;" in page
    form = form_of(page, "signers")
    assert (form["every"].value, form["max_validity"].value, form["name"].value) == ("12", "28", "Example Federation")
    assert any(box.checked for box in form.fields["audience"])
    form["signers"] = ""
    form["signer_file"] = Upload("federation.crt", b"no certificate")
    assert "federation.crt is no certificate" in form_of(form.submit(status=400), "signers")["signers"].value
    form = form_of(page, "signers")
    form["signers"], form["location"] = "", ""
    form["signer_file"] = Upload("federation.crt", PEM.encode())
    kept = form_of(form.submit(status=400), "signers")
    assert "BEGIN CERTIFICATE" in kept["signers"].value, "what came as a file is not asked for twice"
    assert idp.count(MetadataSource) == 0


def test_no_form_names_a_file_on_the_server(idp: IdPSite, tmp_path: Path):
    (tmp_path / "all.xml").write_bytes(aggregate(documents(LIBRARY), NOW))
    browser = idp.sign_in("admin")
    form = serving_staff(new_form(browser, location=str(tmp_path / "all.xml")))
    fields = [(name, "file" if name == "kind" else value) for name, value in form.submit_fields()]
    answer = browser.post("/admin/sources/new", fields, status=400)
    assert "choose one" in answer
    assert idp.count(MetadataSource) == 0
    # What the command named can be changed otherwise, and goes on being read from there.
    source = add(idp, str(tmp_path / "all.xml"), kind="file")
    form = form_of(browser.get(f"/admin/sources/{source}/edit"), "signers")
    fields = [*form.submit_fields(), ("location", "/etc/passwd"), ("kind", "file")]
    browser.post(f"/admin/sources/{source}/edit", fields, status=303)
    assert source_of(idp, source).location == str(tmp_path / "all.xml")
    assert refresh(desk(idp).refresher(), source).ok


@pytest.mark.parametrize("how", ["file", "paste"])
def test_an_aggregate_is_brought_as_a_file_or_pasted(idp: IdPSite, monkeypatch: pytest.MonkeyPatch, how: str):
    monkeypatch.setattr("federation.registry.parts.PIECE", 1000)
    document = aggregate(documents(LIBRARY, MUSEUM), NOW)
    browser = idp.sign_in("admin")
    form = serving_staff(new_form(browser, kind=UPLOAD))
    assert "Choose a file, or paste it" in form.submit(status=400).text.replace("choose", "Choose")
    if how == "file":
        form["file"] = Upload("all.xml", document)
    else:
        form["text"] = document.decode()
    form.submit().follow()
    assert idp.count(MetadataPart) > 5
    with idp.work() as session:
        source = sources.find(session, metadata.HOST, "Example Federation")
    assert refresh(desk(idp).refresher(), source.id).sentence == "2 of 2 entities: 2 added, 0 changed, 0 removed"
    # A newer one takes its place; a bad one changes nothing and says why.
    edit = form_of(browser.get(f"/admin/sources/{source.id}").click("Change"), "signers")
    edit["file"] = Upload("all.xml", aggregate(documents(LIBRARY), NOW, key="somebody else"))
    edit.submit().follow()
    assert not refresh(desk(idp).refresher(), source.id).ok
    assert "late" in browser.get(f"/admin/sources/{source.id}")
    assert len(rows(idp)) == 2
    edit["file"] = Upload("all.xml", aggregate(documents(LIBRARY), NOW))
    edit.submit().follow()
    assert refresh(desk(idp).refresher(), source.id).ok
    assert set(rows(idp)) == {LIBRARY.entity_id}


def test_a_source_is_changed_and_taken_away_by_its_name(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(LIBRARY, MUSEUM), NOW)))
    refresh(desk(idp).refresher(), source)
    browser = idp.sign_in("admin")
    form = form_of(browser.get(f"/admin/sources/{source}/edit"), "signers")
    assert "Nothing was changed." in form.submit().follow()
    form["registrars"] = "https://registrar.test/"
    form["name"] = "Another name"
    form["preset"] = ["legacy-cbc"]
    assert "is changed" in form.submit().follow()
    kept = source_of(idp, source)
    assert (kept.name, kept.selection) == ("Another name", {"registrars": ["https://registrar.test/"]})
    assert kept.defaults["options"] == {"presets": ["legacy-cbc"]}
    assert len(rows(idp)) == 2, "what is there serves until the document was read anew"
    refresh(desk(idp).refresher(), source)
    assert rows(idp) == {}
    # A signer that is not pinned any more takes along what was believed for it.
    form = form_of(browser.get(f"/admin/sources/{source}/edit"), "signers")
    form["registrars"] = ""
    form.submit()
    refresh(desk(idp).refresher(), source)
    assert len(rows(idp)) == 2
    form["signers"] = "AA" * 32
    form.submit()
    assert rows(idp) == {}
    page = browser.get(f"/admin/sources/{source}")
    refresh(desk(idp).refresher(), source)
    page = browser.get(f"/admin/sources/{source}")
    remove = form_of(page, "name")
    remove["name"] = "something else"
    assert "type its name" in remove.submit("action", value="remove", status=400)
    remove["name"] = "another NAME"
    assert "The source is gone" in remove.submit("action", value="remove").follow()
    assert idp.count(MetadataSource) == 0
    kinds = [entry.kind for entry in idp.audit() if entry.kind.startswith("metadata.source.")]
    assert kinds.count("metadata.source.changed") == 3
    assert kinds[-1] == "metadata.source.removed"


def test_a_responder_that_is_changed_is_asked_again(idp: IdPSite, server: Server):
    server.put(query_path(LIBRARY.entity_id), answer(LIBRARY.metadata(NOW), NOW))
    source = add(idp, f"{server.url}/mdq", kind="mdq")
    sp = sp_of(idp, LIBRARY)
    assert idp.sign_in("alice").get(sp.redirect_url()).status_int == 200
    browser = idp.sign_in("admin")
    form = form_of(browser.get(f"/admin/sources/{source}/edit"), "signers")
    form["entity_ids"] = MUSEUM.entity_id
    form.submit().follow()
    assert rows(idp) == {}
    assert idp.sign_in("alice").get(sp.redirect_url(), expect_errors=True).status_int == 403


def test_the_first_import_tells_how_far_it_is_and_goes_on_without_anybody_watching(
    idp: IdPSite, server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(aggregates, "TELL_EVERY", 1)
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET, LIBRARY, MUSEUM), NOW)))
    browser = idp.sign_in("admin")
    address = f"/admin/sources/{source}"
    seen: list[str] = []
    original = aggregates.is_usable

    def watching(*arguments: Any) -> bool:
        page = browser.get(address)  # somebody looks in the middle of it
        assert 'data-watch="3"' in page
        seen.append(page.html.find("progress")["value"] + " of " + page.html.find("progress")["max"])
        assert "Checking the entities" in page
        return original(*arguments)

    monkeypatch.setattr(aggregates, "is_usable", watching)
    assert "Waiting for the worker" in browser.get(address)
    refresh(desk(idp).refresher(), source)
    assert seen == ["1 of 3", "2 of 3", "3 of 3"]
    done = browser.get(address)
    assert 'data-watch="0"' in done
    assert "3 entities" in done


def test_an_entity_of_a_source_becomes_a_connection_that_goes_on_following_it(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(LIBRARY, MUSEUM), NOW)))
    refresh(desk(idp).refresher(), source)
    browser = idp.sign_in("admin")
    page = browser.get("/admin/sources", {"q": "library"}).click("Library")
    assert "people in any of these audiences" in page
    form = form_of(page, "audience")
    form["name"], form["release"], form["name_id"] = "Our library", "directory", "persistent"
    page = form.submit().follow()
    assert "It goes on following the source." in page
    assert "follows the source" in page
    sp = sp_of(idp, LIBRARY)

    def status() -> int:
        return int(idp.sign_in("alice").get(sp.redirect_url(idp.clock()), expect_errors=True).status_int)

    assert status() == 200
    again = browser.get(f"/admin/sources/{source}/entities/{aggregates.key_of(LIBRARY.entity_id)}")
    assert "It has a connection" in again
    # The federation publishes a new endpoint, for longer; the connection has it with the refresh.
    idp.clock.advance(days=5)
    moved = replace(LIBRARY, options={"single_logout": (LOGOUT,)})
    server.put("/all.xml", aggregate([moved.metadata(NOW)], idp.clock()))
    refresh(desk(idp).refresher(), source)
    with idp.work() as session:
        partner = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert partner is not None
        assert partner.name == "Our library"
        assert [each.location for each in partner.sp.single_logout] == [LOGOUT.location]
        assert partner.valid_until == idp.clock() + timedelta(days=10)
    assert "Version 2" in idp.sign_in("admin").get(f"/admin/connections/{partner.id}/versions")
    # What the federation does not list any more is over at once, and comes back with it.
    idp.clock.advance(days=1)
    server.put("/all.xml", aggregate(documents(MUSEUM), idp.clock()))
    refresh(desk(idp).refresher(), source)
    idp.clock.advance(seconds=1)
    assert status() == 403
    server.put("/all.xml", aggregate([moved.metadata(NOW)], idp.clock()))
    refresh(desk(idp).refresher(), source)
    with idp.work() as session:
        back = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert back is not None
        assert back.usable(idp.clock())
        sources.remove(session, metadata.HOST, sources.find(session, metadata.HOST, source), desk(idp).occasion())
    assert idp.connection("Our library").source_id is None
    with idp.work() as session:
        kept = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert kept is not None
        assert kept.usable(idp.clock()), "it keeps what is live, for as long as that holds"
        assert not kept.usable(idp.clock() + timedelta(days=11))


def test_what_an_administrator_should_know_stands_on_the_entity_s_page(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate([OLD.metadata(NOW)], NOW)))
    refresh(desk(idp).refresher(), source)
    browser = idp.sign_in("admin")
    address = f"/admin/sources/{source}/entities/{aggregates.key_of(OLD.entity_id)}"
    page = browser.get(address)
    assert "The preset legacy-cbc or plain would allow it" in page
    form = form_of(page, "audience")
    assert "legacy-cbc or plain would allow it" in form.submit(status=400)
    form["preset"] = ["legacy-cbc"]
    assert "The connection is made." in form.submit().follow()
    with idp.work() as session:
        assert session.scalars(select(Connection)).one().options == {"presets": ["legacy-cbc"]}
    assert browser.get(address.replace("entities/", "entities/x"), status=404)


def test_a_service_provider_s_console_has_the_same_pages(sp: Site, server: Server):
    idp = stranger(sp)
    url = server.put("/all.xml", aggregate([idp.metadata()], sp.clock()))
    browser = sp.browser()
    browser.post("/saml/acs", sp.idp.answer(sp.idp.read(browser.get("/saml/login"))))
    with sp.unit_of_work() as session:
        administrators.appoint(session.scalars(select(Account)).one(), administrator=True, now=sp.clock())
    form = form_of(browser.get("/admin/sources/new"), "signers")
    assert "audience" not in form.fields
    form["name"], form["location"], form["signers"] = "Federation", url, PEM
    assert "The source is added." in form.submit().follow()
    with sp.unit_of_work() as session:
        source = sources.find(session, sp_desk(sp).host, "Federation").id
    assert refresh(sp_desk(sp).refresher(), source).ok
    page = browser.get("/admin/sources", {"q": "other"}).click("Other")
    assert "The connection is made." in form_of(page, "name").submit().follow()
    assert signs_in(sp, idp) == 303
    sp.clock.advance(days=5)
    idp.sso_url = "https://other.example.net/moved/sso"
    server.put("/all.xml", aggregate([idp.metadata()], sp.clock()))
    refresh(sp_desk(sp).refresher(), source)
    assert signs_in(sp, idp) == 303
    begun = sp.browser().get("/saml/login", {"entityID": idp.entity_id})
    assert begun.location.startswith("https://other.example.net/moved/sso?")
