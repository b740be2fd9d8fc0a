"""A federation's source: what it vouches for is usable at once, and nothing else is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from federation.attributes.policy import ReleasePolicy
from federation.registry import sources
from federation.registry.aggregates import key_of
from federation.registry.desk import Desk
from idp_app.models import AuditEntry, Connection, MetadataEntity, MetadataSource
from idp_app.services import audiences, metadata
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.registry_factories import CERTIFICATE, PIN, Server, aggregate, refresh

INTRANET = FakeSP()
LIBRARY = FakeSP(name="Library", origin="http://localhost:6545")
MUSEUM = FakeSP(name="Museum", origin="http://localhost:6546")


def desk(idp: IdPSite) -> Desk:
    return metadata.desk(idp.installation, "a test")


def add(idp: IdPSite, location: str, *, kind: str = "url", name: str = "Example Federation", **more: Any) -> str:
    """Add a federation's source for the audience Staff; answers its id."""
    with idp.work() as session:
        staff = [audiences.find(session, "Staff")]
        values: dict[str, Any] = {
            "signer_fingerprints": [PIN],
            "defaults": metadata.defaults(staff, ReleasePolicy.from_preset("directory")),
        }
        new = sources.NewSource(name, kind, location, **(values | more))
        return sources.add(session, metadata.HOST, new, desk(idp).limits, desk(idp).occasion()).id


def source_of(idp: IdPSite, source_id: str) -> MetadataSource:
    with idp.work() as session:
        return session.get_one(MetadataSource, source_id)


def rows(idp: IdPSite) -> dict[str, MetadataEntity]:
    with idp.work() as session:
        return {each.entity_id: each for each in session.scalars(select(MetadataEntity))}


def documents(*sites: FakeSP) -> list[bytes]:
    return [site.metadata(NOW) for site in sites]


@pytest.mark.conformance("IIP-MD02", "IIP-MD06", "SDP-MD01", "SDP-MD02")
def test_an_entity_that_the_federation_vouches_for_signs_people_in_at_once(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET, LIBRARY), NOW)))
    assert refresh(desk(idp).refresher(), source).ok
    sp = replace(LIBRARY, idp_url=idp.installation.settings.public_url)
    accepted = sp.accept(idp.sign_in("alice").get(sp.redirect_url()), idp.entity)
    assert "displayName" in {attribute.friendly_name for attribute in accepted.assertion.attributes}
    assert idp.count(Connection) == 0
    issued = next(entry for entry in idp.audit() if entry.kind == "sso.issued")
    assert issued.entity_id == LIBRARY.entity_id


def test_a_person_outside_the_source_s_audiences_is_denied(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(LIBRARY), NOW)))
    refresh(desk(idp).refresher(), source)
    sp = replace(LIBRARY, idp_url=idp.installation.settings.public_url)
    browser = idp.sign_in("bob")
    assert browser.get(sp.redirect_url(), expect_errors=True).status_int == 403


def test_a_refresh_rewrites_only_what_changed(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET, LIBRARY), NOW)))
    refresher = desk(idp).refresher()
    assert refresh(refresher, source).sentence == "2 of 2 entities: 2 added, 0 changed, 0 removed"
    before = rows(idp)
    idp.clock.advance(hours=2)
    changed = replace(LIBRARY, options={"acs_url": "http://localhost:6545/new/acs"})
    server.put(
        "/all.xml", aggregate([INTRANET.metadata(NOW), changed.metadata(NOW), MUSEUM.metadata(NOW)], NOW, days=11)
    )
    assert refresh(refresher, source).sentence == "3 of 3 entities: 1 added, 1 changed, 0 removed"
    after = rows(idp)
    assert after[INTRANET.entity_id].changed == before[INTRANET.entity_id].changed
    assert after[LIBRARY.entity_id].changed == idp.clock()
    with idp.work() as session:
        partner = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert partner is not None
        assert partner.sp.assertion_consumer[0].location == "http://localhost:6545/new/acs"
    server.put("/all.xml", aggregate(documents(INTRANET), NOW, days=12))
    assert refresh(refresher, source).sentence == "1 of 1 entities: 0 added, 0 changed, 2 removed"
    with idp.work() as session:
        assert idp.installation.partners.by_entity_id(session, LIBRARY.entity_id) is None


def test_what_has_not_changed_is_not_sent_again(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET), NOW)))
    refresher = desk(idp).refresher()
    refresh(refresher, source)
    assert refresh(refresher, source).sentence == "nothing new"
    assert [status for _, status in server.asked] == [200, 304]


@pytest.mark.conformance("IIP-MD02")
@pytest.mark.parametrize("status", [301, 302, 307])
def test_redirects_of_a_signed_document_are_followed(idp: IdPSite, server: Server, status: int):
    server.put("/moved.xml", aggregate(documents(INTRANET), NOW))
    # By another name of this machine: another site, as far as a redirect goes.
    source = add(idp, server.redirect("/all.xml", f"http://127.0.0.1:{server.port}/moved.xml", status))
    assert refresh(desk(idp).refresher(), source).ok
    assert set(rows(idp)) == {INTRANET.entity_id}


def test_a_source_is_not_led_into_a_private_network(idp: IdPSite, server: Server):
    for target in (
        "http://10.0.0.1/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest",
        "https://[::ffff:10.0.0.1]/",
    ):
        source = add(idp, server.redirect("/all.xml", target), name=target)
        report = refresh(desk(idp).refresher(), source)
        assert not report.ok, target
        assert "private" in report.sentence or "https" in report.sentence or "loopback" in report.sentence
    endless = add(idp, server.redirect("/round.xml", "/round.xml"), name="round")
    assert "more than 3 redirects" in refresh(desk(idp).refresher(), endless).sentence


@pytest.mark.conformance("IIP-MD03", "IIP-MD04", "SDP-MD02", "SDP-MD03", "IIP-G03")
def test_a_bad_document_changes_nothing(idp: IdPSite, server: Server):
    good = aggregate(documents(INTRANET, LIBRARY), NOW)
    source = add(idp, server.put("/all.xml", good))
    refresher = desk(idp).refresher()
    refresh(refresher, source)
    before = {entity_id: row.digest for entity_id, row in rows(idp).items()}
    own = FakeSP(options={"entity_id": idp.installation.settings.own_entity_id})
    insecure = FakeSP(origin="https://sp.example.org").metadata(NOW)
    insecure = insecure.replace(b'Location="https://', b'Location="http://')
    bad = {
        "tampered": good.replace(b"http://localhost:6545/saml/acs", b"http://localhost:6545/evil/ac"),
        "another signer": aggregate(documents(INTRANET), NOW, key="somebody else"),
        "expired": aggregate(documents(INTRANET), NOW, days=-1),
        "valid for too long": aggregate(documents(INTRANET), NOW, days=400),
        "a DTD": b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + good.partition(b"?>")[2],
        "another root": b"<html><body>Maintenance</body></html>",
        "one entity twice": aggregate(documents(INTRANET, INTRANET), NOW),
        "ourselves": aggregate([own.metadata(NOW)], NOW),
        "http endpoints": aggregate([insecure], NOW),
        "half of it": good[: len(good) // 2],
        "nothing": b"",
    }
    for what, document in bad.items():
        idp.clock.advance(minutes=1)
        server.put("/all.xml", document)
        report = refresh(refresher, source)
        assert not report.ok, what
        assert {entity_id: row.digest for entity_id, row in rows(idp).items()} == before, what
    server.put("/all.xml", aggregate(documents(INTRANET, LIBRARY), NOW, days=11), cut=True)
    assert not refresh(refresher, source).ok
    current = source_of(idp, source)
    assert current.failures == len(bad) + 1
    assert current.error
    assert sources.health(current, idp.clock()) == "late"
    assert current.due > idp.clock() + timedelta(hours=18), "later each time, up to a day"
    failures = [entry for entry in idp.audit() if entry.kind == "metadata.source.failed"]
    assert len(failures) == len(bad) + 1
    server.put("/all.xml", good)
    assert refresh(refresher, source).ok
    assert source_of(idp, source).failures == 0


def test_a_source_that_is_down_costs_nobody_a_sign_in_until_its_copy_expires(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(LIBRARY), NOW, days=2)))
    refresh(desk(idp).refresher(), source)
    server.fail("/all.xml")
    idp.clock.advance(days=1)
    assert refresh(desk(idp).refresher(), source).sentence.endswith("the answer has the status 503")
    sp = replace(LIBRARY, idp_url=idp.installation.settings.public_url)
    assert idp.sign_in("alice").get(sp.redirect_url(idp.clock())).status_int == 200
    idp.clock.advance(days=1, minutes=10)
    assert sources.health(source_of(idp, source), idp.clock()) == "expired"
    refused = idp.sign_in("alice").get(sp.redirect_url(idp.clock()), expect_errors=True)
    assert refused.status_int in (400, 403)


def test_a_connection_goes_before_a_source_and_a_source_before_a_later_one(idp: IdPSite, server: Server):
    first = add(idp, server.put("/a.xml", aggregate(documents(INTRANET, LIBRARY), NOW)), name="First", precedence=10)
    other = replace(LIBRARY, name="Another Library", options={"acs_url": "http://localhost:6545/other"})
    second = add(idp, server.put("/b.xml", aggregate([other.metadata(NOW)], NOW)), name="Second", precedence=20)
    for source in (first, second):
        assert refresh(desk(idp).refresher(), source).ok
    idp.connect(replace(INTRANET, name="By hand"))
    with idp.work() as session:
        partners = idp.installation.partners
        intranet = partners.by_entity_id(session, INTRANET.entity_id)
        library = partners.by_entity_id(session, LIBRARY.entity_id)
        assert intranet is not None
        assert library is not None
        assert (intranet.name, library.name) == ("By hand", "Library")
        assert partners.by_id(session, key_of(LIBRARY.entity_id)) is library
        sources.set_enabled(session, metadata.HOST, session.get_one(MetadataSource, first), False, desk(idp).occasion())
    with idp.work() as session:
        library = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert library is not None
        assert library.name == "Another Library"


def test_filters_choose_what_is_taken(idp: IdPSite, server: Server):
    url = server.put("/all.xml", aggregate(documents(INTRANET, LIBRARY), NOW))
    source = add(idp, url, selection={"entity_ids": [LIBRARY.entity_id]})
    assert refresh(desk(idp).refresher(), source).sentence.startswith("1 of 2 entities")
    assert set(rows(idp)) == {LIBRARY.entity_id}


def test_a_certificate_pins_a_signer_as_well(idp: IdPSite, server: Server):
    url = server.put("/all.xml", aggregate(documents(INTRANET), NOW))
    source = add(idp, url, signer_fingerprints=[], signer_certificates=[CERTIFICATE])
    assert refresh(desk(idp).refresher(), source).ok


def test_what_is_removed_takes_its_entities_with_it(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET), NOW)))
    refresh(desk(idp).refresher(), source)
    with idp.work() as session:
        sources.remove(session, metadata.HOST, session.get_one(MetadataSource, source), desk(idp).occasion())
    assert idp.count(MetadataEntity) == 0
    assert idp.count(AuditEntry) > 0


def test_two_do_not_refresh_the_same_source_at_once(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate(documents(INTRANET), NOW)))
    one, other = desk(idp).refresher(), desk(idp).refresher()
    assert one._claim(source) is not None
    assert other.refresh(source) is None
    assert other.due() == []
    idp.clock.advance(minutes=20)
    assert other.refresh(source) is not None, "whoever claimed it is long gone"
