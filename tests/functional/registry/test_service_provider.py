"""The service provider has the same registry: a federation's identity providers, and versions of those it connected."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from federation.registry import sources, versions
from federation.registry.desk import Desk
from federation.registry.ending import Ending
from federation.saml.metadata.reading import read_document
from sp_app.accounts.sql import SqlAccountStore
from sp_app.models import IdPConnection
from sp_app.services import connections, disconnecting, metadata
from tests.registry_factories import PIN, Server, aggregate, answer, query_path, refresh
from tests.sp_factories import FakeIdP, Site

OTHER = "https://other.example.net/saml/metadata"


def desk(sp: Site) -> Desk:
    limits = metadata.limits_of(sp.provider.settings, sp.provider.entity_id)
    return Desk(metadata.HOST, sp.provider.sessions, limits, sp.clock, "a test", "TEST-0001")


def add(sp: Site, kind: str, url: str, **more: Any) -> str:
    with sp.unit_of_work() as session:
        values: dict[str, Any] = {"signer_fingerprints": [PIN]}
        new = sources.NewSource("Federation", kind, url, **(values | more))
        return sources.add(session, metadata.HOST, new, desk(sp).limits, desk(sp).occasion()).id


def stranger(sp: Site) -> FakeIdP:
    """An identity provider without a connection."""
    own = read_document(sp.provider.metadata(sp.clock()))[0]
    return FakeIdP(
        sp.clock, entity_id=OTHER, sso_url="https://other.example.net/sso", name="Other", key="other-idp",
        scopes=("example.org",), partner=own,
    )  # fmt: skip


def signs_in(sp: Site, idp: FakeIdP) -> int:
    browser = sp.browser()
    begun = browser.get("/saml/login", {"target": "/private", "entityID": idp.entity_id}, expect_errors=True)
    if begun.status_int >= 400:
        return int(begun.status_int)
    return int(browser.post("/saml/acs", idp.answer(idp.read(begun)), expect_errors=True).status_int)


@pytest.mark.conformance("IIP-MD02", "IIP-MD06", "SDP-MD01", "SDP-MD02")
def test_an_identity_provider_of_a_federation_signs_people_in_at_once(sp: Site, server: Server):
    idp = stranger(sp)
    assert signs_in(sp, idp) >= 400
    source = add(sp, "url", server.put("/all.xml", aggregate([idp.metadata()], sp.clock())))
    assert refresh(desk(sp).refresher(), source).ok
    assert signs_in(sp, idp) == 303
    with sp.unit_of_work() as session:
        assert session.query(IdPConnection).count() == 1
    server.put("/all.xml", aggregate([sp.idp.metadata()], sp.clock(), days=11))
    sp.clock.advance(hours=1)
    refresh(desk(sp).refresher(), source)
    assert signs_in(sp, idp) >= 400


def test_whom_an_administrator_disconnected_does_not_come_back_through_a_federation(sp: Site, server: Server):
    idp = stranger(sp)
    source = add(sp, "url", server.put("/all.xml", aggregate([idp.metadata()], sp.clock())))
    assert refresh(desk(sp).refresher(), source).ok
    assert signs_in(sp, idp) == 303
    sp.connect(idp)
    with sp.unit_of_work() as session:
        found = connections.by_entity_id(session, OTHER)
        assert found is not None
        store = SqlAccountStore(session, now=sp.clock())
        disconnecting.disconnect(session, store, found, Ending.KEEP, desk(sp).occasion())
    assert signs_in(sp, idp) == 403
    assert "has ended the connection" in sp.browser().get("/saml/login", {"entityID": OTHER}, status=403)


@pytest.mark.conformance("IIP-MD01")
def test_an_identity_provider_is_looked_up_when_somebody_wants_to_use_it(sp: Site, server: Server):
    idp = stranger(sp)
    server.put(query_path(OTHER), answer(idp.metadata(), sp.clock()))
    add(sp, "mdq", f"{server.url}/mdq")
    assert signs_in(sp, idp) == 303
    assert signs_in(sp, idp) == 303
    assert server.asked == [(query_path(OTHER), 200)]


def test_a_connected_identity_provider_rolls_its_key_over(sp: Site, server: Server):
    idp = sp.idp
    source = add(sp, "url", server.put("/idp.xml", idp.metadata()), entity_id=idp.entity_id,
                 signer_fingerprints=[idp.fingerprint])  # fmt: skip
    assert refresh(desk(sp).refresher(), source).sentence.startswith("version 1")
    idp.sso_url = "https://elsewhere.example.com/sso"
    server.put("/idp.xml", idp.metadata())
    sp.clock.advance(hours=1)
    report = refresh(desk(sp).refresher(), source)
    assert report.sentence == "version 2: waiting for review, and what it took back is gone"
    # The only place to sign in was taken back, and the new one is somebody else's host until a person says otherwise.
    assert signs_in(sp, idp) >= 400
    with sp.unit_of_work() as session:
        (version,) = versions.waiting(session, metadata.HOST)
        versions.accept(session, metadata.HOST, version, desk(sp).occasion())
    assert signs_in(sp, idp) == 303
    with sp.unit_of_work() as session:
        assert metadata.signed_in_lately(session, [idp.entity_id], sp.clock() + timedelta(days=1)) == {idp.entity_id: 1}
        first = versions.numbered(session, metadata.HOST, idp.entity_id, 1)
        versions.roll_back(session, metadata.HOST, first, desk(sp).occasion())
    idp.sso_url = "https://idp.example.org/saml/sso"
    assert signs_in(sp, idp) == 303
