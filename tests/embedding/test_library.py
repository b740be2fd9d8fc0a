"""A host application gains login, logout and SCIM in ten lines, and stays what it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from federation.saml.names import StatusCode
from sp_app.cli import sp
from tests.embedding.running import Library
from tests.slo_factories import ALICES, SingleLogout
from tests.sp_factories import ALICE

USER = {
    "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
    "userName": "alice",
    "externalId": ALICE,
    "displayName": "Alice Archer",
    "active": True,
}
INACTIVE = {
    "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
    "Operations": [{"op": "replace", "path": "active", "value": False}],
}


def test_at_most_ten_lines_of_the_host_are_about_the_federation() -> None:
    source = (Path(__file__).parent / "library.py").read_text()
    assert 0 < source.count("# <- federation") <= 10


def test_a_reader_signs_in_and_lands_on_the_page_asked_for(the_library: Library) -> None:
    browser = the_library.browser()
    landed = the_library.sign_in(browser)
    assert landed.location == "https://library.example.org/shelves/new?sort=title"
    assert "Alice Archer has 0 books on shelf new" in landed.follow()
    assert the_library.readers() == [{"number": 1, "name": "Alice Archer", "may_enter": True}]


def test_a_page_for_everybody_greets_whom_the_identity_provider_knows_and_asks_nobody(the_library: Library) -> None:
    stranger, idp = the_library.browser(), the_library.idp
    departure = idp.read(stranger.get(stranger.get("/news?day=1").location))
    assert departure.request.is_passive
    back = stranger.post("/federation/saml/acs", idp.deny(departure, StatusCode.NO_PASSIVE))
    assert back.location == "https://library.example.org/news?day=1&saml_signed_in=no"
    assert back.follow().text == "news for everybody"
    reader = the_library.browser()
    departure = idp.read(reader.get(reader.get("/news").location))
    assert reader.post("/federation/saml/acs", idp.answer(departure)).follow().text == "news for 1"
    assert reader.post("/news", status=400)  # the library's own CSRF rule: a form is never led away


def test_a_reader_signs_out(the_library: Library) -> None:
    browser = the_library.browser()
    page = the_library.sign_in(browser).follow()
    out = page.forms[0].submit()
    assert out.location.startswith("https://library.example.org/federation/saml/logout/done?")
    assert "signed out here only" in out.follow()
    assert browser.get("/shelves/new").location.endswith("/federation/saml/login?target=%2Fshelves%2Fnew")


def test_the_console_is_for_whom_the_library_calls_its_librarian(the_library: Library) -> None:
    readers = [{"login": "librarian", "full_name": "Livia Lenz"}, {"login": "bea", "full_name": "Bea Best"}]
    livia, bea = (the_library.at_the_desk(**each) for each in readers)
    alice = the_library.browser()
    the_library.sign_in(alice)
    paths = the_library.paths("sp.console")
    assert len(paths) >= 15
    for path in paths:
        for nobody in (the_library.browser(), bea, alice):
            assert nobody.get(path.replace("{id}", "1"), expect_errors=True).status_int == 403, path
    page = livia.get("/federation/admin")
    assert "Livia Lenz" in page
    for part in ("connections", "chooser", "sources", "reviews", "keys", "accounts", "audit"):
        assert livia.get(f"/federation/admin/{part}").status_int == 200
    livia.post("/federation/admin/switch", {"federation": "off"}, status=400)  # without our token
    off = page.forms[0].submit("federation").follow()
    assert "signed out" in off
    alice.get("/federation/saml/metadata", status=404)
    assert "The federation is on." in off.forms[0].submit("federation").follow()
    assert "Livia Lenz switched the federation on" in livia.get("/federation/admin/audit")


def test_the_host_is_told_when_a_session_ends_whoever_ended_it(the_library: Library) -> None:
    """By the person, and by the identity provider without any browser: the library's own session ends with it."""
    slo = SingleLogout(the_library)
    browser = the_library.browser()
    page = the_library.sign_in(browser, name_id=ALICES).follow()
    assert the_library.visits() == [False]
    out = page.forms[0].submit()
    assert slo.read(out).request.name_id == ALICES
    assert the_library.visits() == [True]
    assert browser.cookies["goodbye"] == "1"

    other = the_library.browser()
    the_library.sign_in(other, name_id=ALICES)
    assert sorted(the_library.visits()) == [False, True]
    request = slo.ask("_session")
    assert slo.outcome(slo.by_soap(request), request) == "ended"
    assert the_library.visits() == [True, True]
    assert "goodbye" not in other.cookies
    assert other.get("/shelves/new").status_int == 303


def test_scim_makes_the_hosts_people_and_the_reader_is_that_person(the_library: Library) -> None:
    created = the_library.scim("POST", "/Users", USER, status=201).json
    assert created["id"] == "1"
    assert created["meta"]["location"] == "https://library.example.org/federation/scim/v2/Users/1"
    assert the_library.readers() == [{"number": 1, "name": "Alice Archer", "may_enter": True}]
    the_library.sign_in(the_library.browser())
    assert len(the_library.readers()) == 1


def test_whoever_signed_in_first_is_the_same_reader_when_provisioned(the_library: Library) -> None:
    the_library.sign_in(the_library.browser())
    assert the_library.scim("POST", "/Users", USER, status=201).json["id"] == "1"
    assert len(the_library.readers()) == 1


def test_deactivation_ends_the_sessions_in_the_host_and_keeps_the_reader_out(the_library: Library) -> None:
    browser = the_library.browser()
    the_library.sign_in(browser)
    the_library.scim("POST", "/Users", USER, status=201)
    assert browser.get("/shelves/new").status_int == 200
    the_library.scim("PATCH", "/Users/1", INACTIVE)
    assert the_library.readers()[0]["may_enter"] is False
    assert browser.get("/shelves/new").status_int == 303
    departure = the_library.idp.read(browser.get("/shelves/new").follow())
    page = browser.post("/federation/saml/acs", the_library.idp.answer(departure), status=403)
    assert "inactive" in page


def test_a_reader_whom_the_host_itself_shuts_out_is_out(the_library: Library) -> None:
    from sqlalchemy import create_engine, text

    browser = the_library.browser()
    the_library.sign_in(browser)
    engine = create_engine(the_library.settings["library.database"])
    with engine.begin() as connection:
        connection.execute(text("update reader set may_enter = 0"))
    engine.dispose()
    assert browser.get("/shelves/new").status_int == 303


def test_a_refused_sign_in_leaves_nothing_in_the_hosts_transaction(the_library: Library) -> None:
    browser = the_library.browser()
    departure = the_library.idp.read(browser.get("/shelves/new").follow())
    answer = the_library.idp.answer(departure, audience="https://elsewhere.example")
    page = browser.post("/federation/saml/acs", answer, status=403)
    assert "security check" in page
    assert "Reference number" in page
    assert the_library.readers() == []


@pytest.mark.parametrize("path", ["/nowhere", "/federation/nowhere", "/saml/login", "/scim/v2/Users"])
def test_the_hosts_own_error_page_stays_its_own(the_library: Library, path: str) -> None:
    assert "there is no such shelf" in the_library.browser().get(path, status=404)


def test_our_pages_and_headers_stay_on_our_routes(the_library: Library) -> None:
    browser = the_library.browser()
    assert "Content-Security-Policy" not in browser.get("/").headers
    ours = browser.get("/federation/saml/login?target=//evil.example", status=400)
    assert "default-src 'none'" in ours.headers["Content-Security-Policy"]
    assert browser.get("/federation/federation-static/federation.css").content_type == "text/css"


def test_the_hosts_own_csrf_rule_and_sign_in_go_on_as_before(the_library: Library) -> None:
    the_library.scim("POST", "/Users", USER, status=201)
    browser = the_library.browser()
    browser.get("/desk?number=1")
    assert "Alice Archer" in browser.get("/shelves/new")
    browser.post("/borrow", status=400)


def test_metadata_names_the_addresses_below_the_prefix(the_library: Library) -> None:
    entity = the_library.idp.partner
    assert entity is not None
    assert entity.entity_id == "https://library.example.org/federation/saml/metadata"
    assert entity.sp is not None
    assert entity.sp.assertion_consumer[0].location == "https://library.example.org/federation/saml/acs"
    assert entity.display_name() == "Library"


def test_the_commands_work_on_the_host(the_library: Library, tmp_path: Path) -> None:
    lines = [f"{name} = {value}" for name, value in the_library.settings.items()]
    ini = tmp_path / "library.ini"
    ini.write_text("[app:main]\nuse = call:tests.embedding.library:main\n" + "\n".join(lines) + "\n")

    def run(*arguments: str) -> str:
        return CliRunner().invoke(sp, ["-c", f"{ini}#main", *arguments], catch_exceptions=False).output

    assert "up to date" in run("upgrade")
    assert "https://library.example.org/federation/saml/acs" in run("publish", "-")
    assert "Federation is off." in run("disable")
    the_library.browser().get("/federation/saml/login", status=404)


def test_disconnecting_reaches_the_hosts_people_and_sessions(the_library: Library, tmp_path: Path) -> None:
    """From the command line, where no request is: the accounts are the library's own, and so is a session."""
    browser = the_library.browser()
    the_library.sign_in(browser)
    assert the_library.visits() == [False]
    lines = [f"{name} = {value}" for name, value in the_library.settings.items()]
    ini = tmp_path / "library.ini"
    ini.write_text("[app:main]\nuse = call:tests.embedding.library:main\n" + "\n".join(lines) + "\n")
    idp = the_library.idp.entity_id
    command = ["-c", f"{ini}#main", "disconnect", idp, "--accounts", "suspend", "--confirm", idp]
    assert "1 account will be suspended" in CliRunner().invoke(sp, command, catch_exceptions=False).output
    assert [each["may_enter"] for each in the_library.readers()] == [False]
    assert the_library.visits() == [True]
    assert browser.get("/shelves/new").status_int == 303
    the_library.scim("GET", "/Users", status=401)
    the_library.connect(the_library.idp)
    the_library.sign_in(browser)
    assert [each["may_enter"] for each in the_library.readers()] == [True]
