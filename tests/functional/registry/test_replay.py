"""Replay: an old document, still signed and valid, brings nothing back; a publisher that goes back is not shut out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from federation.errors import Refused
from federation.registry import sources, versions
from federation.registry.host import Occasion
from federation.registry.widening import Rule
from sp_app.services.metadata import HOST
from tests.attacks.catalogue_sources import OTHER_ID, document, idp
from tests.functional.registry.test_federation import add, desk
from tests.functional.registry.test_partner import bring, decide, follow, history, signs_in, with_keys
from tests.functional.registry.test_query import LIBRARY, visit
from tests.functional.registry.test_query import source as responder
from tests.idp_factories import NOW as THEN
from tests.idp_factories import IdPSite
from tests.metadata_factories import IDP_ID, NOW
from tests.registry_factories import Registry, Server, aggregate, answer, query_path, refresh

__all__ = ["responder"]
DAY = timedelta(days=1)


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    found = Registry.make(tmp_path, NOW)
    yield found
    found.sessions.kw["bind"].dispose()


@pytest.fixture
def source(registry: Registry) -> str:
    return registry.add("url", "https://federation.example.org/all.xml")


def says(registry: Registry, source: str, content: bytes) -> str:
    """What a refresh reports when the source says this."""
    try:
        return registry.take_in(source, content)
    except Refused as refusal:
        return refusal.message


@pytest.mark.conformance("IIP-MD04")
def test_an_old_document_takes_back_and_brings_nothing_back(registry: Registry, source: str) -> None:
    both = document(idp(IDP_ID, "idp", "stolen"), idp(OTHER_ID), days=8)
    assert says(registry, source, both).startswith("2 of 2 entities: 2 added")
    assert says(registry, source, document(idp(IDP_ID, "idp"), days=10)).startswith(
        "1 of 1 entities: 0 added, 1 changed, 1 removed"
    )
    known = registry.entities()
    refusal = says(registry, source, both)
    assert refusal.startswith("metadata.age")
    assert f"{IDP_ID}: The IdP has the new key" in refusal
    assert f"It has the entity {OTHER_ID}." in refusal
    assert registry.entities() == known
    # What only takes back counts, whatever its age, and makes no older document a newer one.
    assert says(registry, source, document(idp(IDP_ID, "idp"), days=5)).startswith("1 of 1 entities")
    assert says(registry, source, document(idp(IDP_ID, "idp", "stolen"), days=7)).startswith("metadata.age")
    assert registry.source(source).valid_until == NOW + 5 * DAY


def test_a_publisher_that_shortens_its_validity_says_when_it_published(registry: Registry, source: str) -> None:
    says(registry, source, document(idp(), days=20, published=2))
    assert says(registry, source, document(idp(), idp(OTHER_ID), days=7, published=1)).startswith("2 of 2 entities")
    assert says(registry, source, document(idp(), idp(OTHER_ID), idp("urn:x"), published=3)).startswith("metadata.age")
    # One that says nothing of it is compared by its validity.
    assert says(registry, source, document(idp(), idp(OTHER_ID), idp("urn:x"), days=6)).startswith("metadata.age")
    assert says(registry, source, document(idp(), idp(OTHER_ID), idp("urn:x"), days=8)).startswith("3 of 3 entities")


def test_a_person_who_knows_that_the_publisher_went_back_takes_the_older_document(
    registry: Registry, source: str
) -> None:
    old = document(idp(), idp(OTHER_ID), days=8)
    says(registry, source, document(idp(), days=10))
    assert says(registry, source, old).startswith("metadata.age")
    with registry.sessions.begin() as session:
        sources.take_older(session, HOST, sources.find(session, HOST, source), Occasion(NOW, "a person", ""))
    assert says(registry, source, old).startswith("2 of 2 entities: 1 added")
    assert says(registry, source, document(idp(), idp(OTHER_ID), idp("urn:x"), days=7)).startswith("metadata.age")


def test_a_partner_s_old_document_brings_no_key_back_even_while_something_waits(idp: IdPSite, server: Server) -> None:
    source = follow(idp, server, rule=Rule.REVIEW)
    first = with_keys("sp", "stolen").metadata(THEN, validity=timedelta(days=20))
    bring(idp, server, source, first)
    decide(idp, 2, versions.accept)
    assert signs_in(idp, "stolen") == 200
    # The stolen key is withdrawn, and another one waits for a review.
    bring(idp, server, source, with_keys("sp", "sp-next").metadata(THEN, validity=timedelta(days=22)))
    assert signs_in(idp, "stolen") in (400, 403)
    assert bring(idp, server, source, first).startswith("metadata.age")
    assert signs_in(idp, "stolen") in (400, 403)
    assert signs_in(idp, "sp") == 200
    assert history(idp)[0] == (3, "waiting for review")


def test_our_own_sites_say_when_they_published_and_may_shorten_their_validity(idp: IdPSite, server: Server) -> None:
    source = follow(idp, server)
    bring(idp, server, source, with_keys("sp").metadata(THEN, validity=timedelta(days=20)))
    later = with_keys("sp", "sp-next").metadata(THEN + timedelta(hours=1), validity=timedelta(days=2))
    assert b'creationInstant="' in later
    assert bring(idp, server, source, later) == "version 2: live"


def test_a_responder_s_old_answer_is_none(idp: IdPSite, server: Server, responder: str) -> None:
    assert visit(idp, LIBRARY) == 200
    elsewhere = replace(LIBRARY, options={"acs_url": "http://localhost:6545/old/acs"})
    server.put(query_path(LIBRARY.entity_id), answer(elsewhere.metadata(THEN), THEN, days=4))
    idp.clock.advance(days=1, minutes=5)
    assert refresh(desk(idp).refresher(), responder).sentence == "1 entities known, 0 asked for again, 1 failed"
    with idp.work() as session:
        partner = idp.installation.partners.by_entity_id(session, LIBRARY.entity_id)
        assert partner is not None
        assert partner.sp.assertion_consumer[0].location != "http://localhost:6545/old/acs"
    server.put(query_path(LIBRARY.entity_id), answer(elsewhere.metadata(THEN), THEN, days=6))
    idp.clock.advance(minutes=5)
    assert refresh(desk(idp).refresher(), responder).sentence == "1 entities known, 1 asked for again"


def test_the_console_offers_to_take_the_older_document_and_only_then(idp: IdPSite, server: Server) -> None:
    museum = replace(LIBRARY, name="Museum", origin="http://localhost:6546")
    source = add(idp, server.put("/all.xml", aggregate([LIBRARY.metadata(THEN)], THEN, days=12)))
    assert refresh(desk(idp).refresher(), source).ok
    page = f"/admin/sources/{source}"
    admin = idp.sign_in("admin")
    assert "Take the older document" not in admin.get(page).text
    server.put("/all.xml", aggregate([LIBRARY.metadata(THEN), museum.metadata(THEN)], THEN, days=9))
    assert not refresh(desk(idp).refresher(), source).ok
    shown = admin.get(page)
    assert f"It has the entity {museum.entity_id}." in shown.text
    form = next(form for form in shown.forms.values() if "Take the older document" in form.text)
    form.submit("action", value="older").follow(status=200)
    assert refresh(desk(idp).refresher(), source).sentence == "2 of 2 entities: 1 added, 0 changed, 0 removed"
    assert "Take the older document" not in admin.get(page).text
    assert [entry.kind for entry in idp.audit()].count("metadata.source.older") == 1
