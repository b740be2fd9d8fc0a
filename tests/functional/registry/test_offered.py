"""What a federation's source says of all its entities holds for each of them, wherever one is met."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from federation.attributes.policy import ReleasePolicy
from federation.registry import sources
from federation.registry.search_text import HIDE_FROM_DISCOVERY
from federation.saml.bindings import artifact
from federation.saml.metadata.entity import UIInfo
from federation.saml.names import Algorithm, NameIDFormat
from idp_app.models import Connection
from idp_app.options import NO_OPTIONS
from idp_app.services import audiences, metadata
from tests.functional.idp.test_options import EVERYTHING, PickySP
from tests.functional.registry.test_federation import add, desk, documents
from tests.functional.registry.test_service_provider import add as add_to_sp
from tests.functional.registry.test_service_provider import desk as sp_desk
from tests.functional.sp.test_choosing import chooser, names
from tests.idp_factories import NOW, FakeSP, IdPSite, sent
from tests.registry_factories import PIN, Server, aggregate, answer, query_path, refresh
from tests.sp_factories import TARGET, FakeIdP, Site

OLD = PickySP("Old cipher", "http://localhost:6548")


def with_defaults(idp: IdPSite, location: str, *settings: str, kind: str = "url", presets: tuple[str, ...] = ()) -> str:
    with idp.work() as session:
        staff = [audiences.find(session, "Staff")]
    kept = metadata.defaults(staff, ReleasePolicy.from_preset("name-only"), NO_OPTIONS.changed(presets, settings))
    return add(idp, location, kind=kind, name=f"With {kind}", defaults=kept)


@pytest.mark.parametrize("kind", ["url", "mdq"])
def test_a_source_s_preset_policy_and_options_are_what_a_sign_in_applies(idp: IdPSite, server: Server, kind: str):
    sp = replace(OLD, idp_url=idp.installation.settings.public_url)
    if kind == "url":
        location = server.put("/all.xml", aggregate([sp.metadata(NOW)], NOW))
    else:
        server.put(query_path(sp.entity_id), answer(sp.metadata(NOW), NOW))
        location = f"{server.url}/mdq"
    source = with_defaults(idp, location, "name-id=persistent", kind=kind, presets=("legacy-cbc",))
    assert refresh(desk(idp).refresher(), source).ok
    page = idp.sign_in("alice").get(sp.redirect_url())
    assert Algorithm.AES256_CBC.encode() in sent(page).xml
    accepted = sp.accept(page, idp.entity, algorithms=EVERYTHING)
    assert accepted.name_id is not None
    assert accepted.name_id.format == NameIDFormat.PERSISTENT
    told = {each.friendly_name for each in accepted.assertion.attributes}
    assert "displayName" in told
    assert "mail" not in told
    assert idp.count(Connection) == 0


def test_without_the_preset_nobody_signs_in_to_a_site_that_needs_it(idp: IdPSite, server: Server):
    sp = replace(OLD, idp_url=idp.installation.settings.public_url)
    refresh(desk(idp).refresher(), with_defaults(idp, server.put("/all.xml", aggregate([sp.metadata(NOW)], NOW))))
    assert idp.sign_in("alice").get(sp.redirect_url(), expect_errors=True).status_int == 403


def test_whoever_made_an_artifact_is_found_among_entities_and_connections(idp: IdPSite, server: Server):
    library, museum = FakeSP(name="Library", origin="http://localhost:6545"), FakeSP(name="M", origin="http://m.test")
    idp.connect(FakeSP())
    refresh(desk(idp).refresher(), add(idp, server.put("/all.xml", aggregate(documents(library), NOW))))
    partners = idp.installation.partners
    with idp.work() as session:
        for sp in (library, FakeSP()):
            found = partners.by_source_id(session, artifact.source_id(sp.entity_id))
            assert found is not None
            assert found.entity_id == sp.entity_id
        assert partners.by_source_id(session, artifact.source_id(museum.entity_id)) is None


# The service provider's chooser ---------------------------------------------------------------------------------------


def offers(sp: Site, name: str, **more: object) -> FakeIdP:
    """An identity provider of a federation, which this site has no connection to."""
    slug = name.lower().replace(" ", "-")
    idp = FakeIdP(
        sp.clock, entity_id=f"https://{slug}.example.net/idp", sso_url=f"https://{slug}.example.net/sso", name=name,
        key="other-idp", partner=sp.idp.partner,
    )  # fmt: skip
    idp.options.update(more)
    return idp


@pytest.mark.conformance("SDP-SP20")
def test_people_choose_among_a_federation_s_identity_providers_after_the_connected_ones(sp: Site, server: Server):
    zurich = offers(sp, "Zurich")
    zurich.ui_info = UIInfo(display_names=(("en", "University of Zurich"), ("de", "Universität Zürich")))
    members = [zurich, offers(sp, "Aarau College"), *(offers(sp, f"Institute {each:02}") for each in range(45))]
    hidden = offers(sp, "Hidden", entity_attributes={"http://macedir.org/entity-category": [HIDE_FROM_DISCOVERY]})
    document = aggregate([each.metadata() for each in (*members, hidden, sp.idp)], sp.clock())
    source = add_to_sp(sp, "url", server.put("/all.xml", document))
    with sp.unit_of_work() as session:
        other = sources.NewSource(  # the same entities again: they are offered once
            "Other", "url", server.put("/b.xml", document), precedence=200,
            signer_fingerprints=[PIN], longest_interval=timedelta(hours=9),
        )  # fmt: skip
        second = sources.add(session, sp_desk(sp).host, other, sp_desk(sp).limits, sp_desk(sp).occasion()).id
    for each in (source, second):
        assert refresh(sp_desk(sp).refresher(), each).ok
    browser = sp.browser()
    page = chooser(browser)
    assert "Example University" not in names(page)[1:]
    assert names(page)[:3] == ["Example University", "Aarau College", "Institute 00"]
    assert len(names(page)) == 40
    second_page = page.click("Next")
    assert names(second_page)[-1] == "University of Zurich"
    assert len(names(second_page)) == 8
    found = browser.get(page.request.url, {"q": "ZÜRICH"})
    assert "1 of 48 found" in found
    german = browser.get(found.request.url, headers={"Accept-Language": "de"})
    assert names(german) == ["Universität Zürich"]
    assert "Nothing was found" in browser.get(page.request.url, {"q": "hidden"})
    departure = zurich.read(german.click("Universität Zürich").follow())
    assert browser.post("/saml/acs", zurich.answer(departure)).location == sp.origin + TARGET
    assert names(chooser(browser), "Where you signed in last") == ["University of Zurich"]
    # What a source does not list any more, or when it is left out, is not offered; nor is what has expired.
    sp.clock.advance(days=11)
    assert "Where you signed in last" not in browser.get(page.request.url)
