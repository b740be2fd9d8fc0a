"""The pages about sources and what a person brings: by keyboard, with scripts off, in every look, and on 360 pixels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from playwright.sync_api import Browser, Page, expect

from federation.registry.aggregates import READING, key_of
from idp_app.models import MetadataSource, MetadataVersion
from tests.browser.appearance import examine
from tests.browser.person import Person
from tests.browser.test_keyboard import focused, tab_to
from tests.functional.registry.test_brought import UNSIGNED, WHOLE
from tests.functional.registry.test_federation import LIBRARY, MUSEUM, desk, documents
from tests.functional.registry.test_federation import add as add_federation
from tests.functional.registry.test_offered import OLD
from tests.idp_factories import NOW, PASSWORD, FakeSP, IdPSite, make_idp
from tests.live import free_ports
from tests.registry_factories import PIN, Server, aggregate, plain, refresh, serving
from tests.sp_factories import served

INTRANET = FakeSP()
GALLERY = FakeSP(name="Gallery", origin="http://localhost:6549")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(scope="module")
def idp(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[IdPSite]:
    """An identity provider with a federation's source and a connection."""
    (port,) = free_ports(1)
    made = make_idp(tmp_path_factory.mktemp("sources"), public_url=f"http://localhost:{port}")
    members = [*documents(LIBRARY, MUSEUM), OLD.metadata(NOW)]
    source = add_federation(made, server.put("/all.xml", aggregate(members, NOW)))
    refresh(desk(made).refresher(), source)
    made.connect(INTRANET)
    with served(SimpleNamespace(app=made.app, origin=origin(made))):  # type: ignore[arg-type]
        yield made
    made.installation.engine.dispose()


def origin(idp: IdPSite) -> str:
    return idp.installation.settings.public_url


def administrator(chromium: Browser, idp: IdPSite, **options: object) -> Person:
    person = Person(chromium, SimpleNamespace(idp=origin(idp)), **options)  # type: ignore[arg-type]
    person.page.goto(f"{origin(idp)}/admin/sources")
    person.sign_in("admin", PASSWORD)
    person.arrives(f"{origin(idp)}/admin/sources")
    return person


def source_of(idp: IdPSite) -> MetadataSource:
    with idp.work() as session:
        return session.query(MetadataSource).filter_by(name="Example Federation").one()


def test_the_pages_in_every_look(chromium: Browser, idp: IdPSite) -> None:
    source = source_of(idp)
    with administrator(chromium, idp) as person:
        page, found = person.page, []
        for name, path, words in (
            ("idp-console-sources-good", "/admin/sources?q=m", "Trusted by"),
            ("idp-console-source", f"/admin/sources/{source.id}", "How it does"),
            ("idp-console-source-new", "/admin/sources/new", "Why it is believed"),
            ("idp-console-offered", f"/admin/sources/{source.id}/entities/{key_of(OLD.entity_id)}", "as things are"),
            ("idp-console-bring", f"/admin/connections/{idp.connection('Intranet').id}/metadata", "Or paste it"),
            ("idp-console-connect", "/admin/connections/new", "The connection"),
        ):
            page.goto(origin(idp) + path)
            expect(page.locator("main")).to_contain_text(words)
            found += examine(page, name)
        page.get_by_label("Or paste it").fill(plain(GALLERY.metadata(NOW)))
        page.get_by_label("Staff").check()
        page.get_by_role("button", name="Connect").click()
        expect(page.locator("main")).to_contain_text("Nothing vouches for this document yet")
        found += examine(page, "idp-console-connect-confirm")
        assert found + in_the_middle(page, idp) == []


def in_the_middle(page: Page, idp: IdPSite) -> list[str]:
    """What the page about a source looks like while it is read, and that it changes in place until that is done."""
    source = source_of(idp)

    def tell(done: int | None) -> None:
        with idp.work() as session:
            row = session.get_one(MetadataSource, source.id)
            row.claimed_until = None if done is None else idp.clock() + timedelta(minutes=9)
            row.progress = None if done is None else READING
            row.progress_done, row.progress_total = done, None if done is None else 10_000

    tell(2500)
    page.goto(f"{origin(idp)}/admin/sources/{source.id}")
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "2500")
    found = examine(page, "idp-console-source-being-read")
    page.evaluate("document.documentElement.dataset.kept = 'yes'")
    tell(5000)
    expect(page.get_by_role("progressbar")).to_have_attribute("value", "5000", timeout=15_000)
    expect(page.get_by_role("heading", name="Take it away")).to_have_count(0)
    tell(None)
    expect(page.get_by_role("progressbar")).to_have_count(0, timeout=15_000)
    expect(page.get_by_role("heading", name="Take it away")).to_be_visible()
    assert page.evaluate("document.documentElement.dataset.kept") == "yes", "the page was not loaded again"
    return found


def test_a_source_is_added_with_the_keyboard_alone(chromium: Browser, idp: IdPSite, server: Server) -> None:
    """Scripts are off, and the screen is a telephone's. A mistake keeps what was typed."""
    with administrator(chromium, idp, scripts=False, viewport={"width": 360, "height": 740}) as person:
        page = person.page
        tab_to(page, "Add a source")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Add a source")).to_be_visible()
        fill(page, "Name of the source", "Second Federation")
        fill(page, "Its address optional", server.put("/second.xml", aggregate(documents(LIBRARY), NOW)))
        fill(page, "Who must have signed optional", "not a fingerprint")
        tab_to(page, "Staff (3)")
        page.keyboard.press("Space")
        tab_to(page, "Add the source")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("is no SHA-256 fingerprint")
        expect(page.get_by_label("Name of the source")).to_have_value("Second Federation")
        fill(page, "Who must have signed optional", PIN)
        tab_to(page, "Add the source")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Waiting for the worker")).to_be_visible()
        address = page.url.partition("?")[0]
        refresh(desk(idp).refresher(), address.rpartition("/")[2])
        tab_to(page, "Look again now")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Waiting for the worker")).to_have_count(0)
        expect(page.locator("main")).to_contain_text("1 entity")
        fill(page, "Type the name of the source", "Second Federation")
        page.keyboard.press("Enter")
        person.arrives(f"{origin(idp)}/admin/sources?done=source-removed")


def test_an_unsigned_document_is_confirmed_and_accepted(chromium: Browser, idp: IdPSite) -> None:
    with idp.work() as session:
        connection = idp.connection("Intranet")
        session.execute(
            MetadataVersion.__table__.update().values(trust="confirmed keys")  # it was never signed, let us say
        )
    with administrator(chromium, idp, scripts=False) as person:
        page = person.page
        page.goto(f"{origin(idp)}/admin/connections/{connection.id}/metadata")
        page.get_by_label("A file").set_input_files(
            {"name": "sp.xml", "mimeType": "application/xml", "buffer": UNSIGNED}
        )
        page.get_by_role("button", name="Show what it changes").click()
        expect(page.get_by_role("heading", name="Confirm its fingerprints")).to_be_visible()
        expect(page.get_by_role("button", name="Accept now")).to_have_count(0)
        page.get_by_label("The fingerprint that you were told").fill(WHOLE)
        page.get_by_role("button", name="Confirm").click()
        page.get_by_role("button", name="Accept now").click()
        expect(page.get_by_role("status")).to_contain_text("The version is live.")


def fill(page: Page, label: str, text: str) -> None:
    """Reach a field and type into it, over what it holds."""
    tab_to(page, label)
    page.keyboard.press("Control+A")
    page.keyboard.type(text)
    assert focused(page) is not None
