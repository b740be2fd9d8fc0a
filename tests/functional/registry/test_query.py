"""Metadata Query: a partner that nobody has heard of is looked up when a message comes from it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from federation.registry.querying import ABSENT
from idp_app.models import MetadataAbsence, MetadataEntity
from tests.functional.registry.test_federation import add, desk, rows, source_of
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.registry_factories import Server, answer, query_path, refresh

LIBRARY = FakeSP(name="Library", origin="http://localhost:6545")
MUSEUM = FakeSP(name="Museum", origin="http://localhost:6546")


@pytest.fixture
def source(idp: IdPSite, server: Server) -> str:
    server.put(query_path(LIBRARY.entity_id), answer(LIBRARY.metadata(NOW), NOW))
    return add(idp, f"{server.url}/mdq/", kind="mdq", name="Responder")


def visit(idp: IdPSite, sp: FakeSP) -> int:
    """The status of alice's sign-in to a site."""
    sp = replace(sp, idp_url=idp.installation.settings.public_url)
    return int(idp.sign_in("alice").get(sp.redirect_url(idp.clock()), expect_errors=True).status_int)


@pytest.mark.conformance("IIP-MD01")
def test_a_stranger_is_looked_up_once_and_signs_people_in(idp: IdPSite, server: Server, source: str):
    assert visit(idp, LIBRARY) == 200
    assert visit(idp, LIBRARY) == 200
    assert server.asked == [(query_path(LIBRARY.entity_id), 200)]
    # The copy serves while the responder is down, and is asked for again in time.
    server.fail(query_path(LIBRARY.entity_id))
    idp.clock.advance(days=2)
    assert visit(idp, LIBRARY) == 200
    assert refresh(desk(idp).refresher(), source).sentence == "1 entities known, 0 asked for again, 1 failed"
    idp.clock.advance(minutes=5)
    server.put(query_path(LIBRARY.entity_id), answer(LIBRARY.metadata(NOW), idp.clock()))
    assert refresh(desk(idp).refresher(), source).sentence == "1 entities known, 1 asked for again"
    idp.clock.advance(days=4)
    assert visit(idp, LIBRARY) == 200


def test_who_is_not_known_is_not_asked_about_again_for_a_while(idp: IdPSite, server: Server, source: str):
    assert visit(idp, MUSEUM) == 403
    assert visit(idp, MUSEUM) == 403
    assert [path for path, _ in server.asked] == [query_path(MUSEUM.entity_id)]
    server.put(query_path(MUSEUM.entity_id), answer(MUSEUM.metadata(NOW), NOW))
    idp.clock.now += ABSENT
    idp.clock.advance(seconds=1)
    assert visit(idp, MUSEUM) == 200
    assert idp.count(MetadataAbsence) == 0


@pytest.mark.conformance("IIP-MD01", "IIP-MD03")
def test_only_the_entity_that_was_asked_for_signed_by_the_pinned_key_is_an_answer(
    idp: IdPSite, server: Server, source: str
):
    bad: dict[str, Any] = {
        "another entity": answer(LIBRARY.metadata(NOW), NOW),
        "another signer": answer(MUSEUM.metadata(NOW), NOW, key="somebody else"),
        "expired": answer(MUSEUM.metadata(NOW), NOW, days=-1),
        "unsigned": MUSEUM.metadata(NOW),
        "no metadata": b"<html/>",
    }
    for what, document in bad.items():
        server.put(query_path(MUSEUM.entity_id), document)
        assert visit(idp, MUSEUM) == 403, what
        assert idp.count(MetadataEntity) == 0, what
        idp.clock.advance(minutes=2)
    assert len(server.asked) == len(bad)


def test_what_has_expired_is_forgotten(idp: IdPSite, server: Server, source: str):
    assert visit(idp, LIBRARY) == 200
    server.fail(query_path(LIBRARY.entity_id))
    idp.clock.advance(days=6)
    refresh(desk(idp).refresher(), source)
    assert rows(idp) == {}
    assert source_of(idp, source).entities == 0
    assert visit(idp, LIBRARY) == 403
