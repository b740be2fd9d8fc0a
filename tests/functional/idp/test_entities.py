"""The connections as signed metadata: asked for one by one by the Metadata Query Protocol, or all together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from webtest import TestApp, TestResponse

from federation.saml import certificates
from federation.saml.identifiers import new_id
from federation.saml.metadata import aggregate, signing
from federation.saml.metadata.aggregate import Member
from federation.saml.metadata.entity import Endpoint
from federation.saml.metadata.origin import Pins
from federation.saml.metadata.query import sha1_identifier
from federation.saml.names import METADATA_MEDIA_TYPE, Binding
from idp_app.models import ConnectionState
from idp_app.services import connections, keys
from tests.functional.registry.test_service_provider import add
from tests.idp_factories import NOW, FakeSP, IdPSite, make_idp, restarted
from tests.live import serving
from tests.sp_factories import make_site

INTRANET = FakeSP()
LIBRARY = FakeSP(name="Library", origin="http://localhost:6545", key_name="other")
OWN = "http://localhost:6543/saml/metadata"
LOGOUT = Endpoint(Binding.REDIRECT, "http://localhost:6544/saml/logout")


@pytest.fixture
def idp(tmp_path: Path) -> Iterator[IdPSite]:
    """An identity provider that publishes its connections, of which there are two."""
    site = make_idp(tmp_path, publish_connections=True)
    site.connect(INTRANET)
    site.connect(LIBRARY, validity=timedelta(days=3))
    yield site
    site.installation.engine.dispose()


def ask(browser: TestApp, identifier: str, **more: Any) -> TestResponse:
    """As a client of the protocol does."""
    headers = {"Accept": METADATA_MEDIA_TYPE, **more.pop("headers", {})}
    return browser.get(f"/entities/{quote(identifier, safe='')}", headers=headers, **more)


def members(site: IdPSite, answer: TestResponse) -> dict[str, Member]:
    """What an answer holds, once its signature by our key is verified."""
    pins = Pins.of(certificates_der=[site.installation.keys.certificate])
    verified = aggregate.verify(answer.body, now=site.clock(), pins=pins, max_validity=timedelta(days=22))
    found = aggregate.members(verified.octets, allow_http_loopback=True, now=site.clock())
    return {each.entity.entity_id: each for each in found}


def change(site: IdPSite, sp: FakeSP, **values: Any) -> None:
    """Change a connection as every use case does: with a new version."""
    with site.work() as session:
        connection = connections.find(session, sp.name)
        connection.version += 1
        for name, value in values.items():
            setattr(connection, name, value)


@contextmanager
def served(site: IdPSite) -> Iterator[str]:
    """The site on a port of its own; answers the base of its responder."""
    with serving(site.app) as port:
        yield f"http://localhost:{port}/"


@pytest.mark.parametrize("identifier", [INTRANET.entity_id, sha1_identifier(INTRANET.entity_id)])
def test_an_entity_is_found_by_its_plain_and_by_its_transformed_identifier(idp: IdPSite, identifier: str) -> None:
    answer = ask(idp.browser(), identifier)
    assert answer.content_type == METADATA_MEDIA_TYPE
    assert answer.body.count(b"<md:EntityDescriptor") == 1
    (member,) = members(idp, answer).values()
    assert member.entity.entity_id == INTRANET.entity_id
    assert member.entity.sp == replace(INTRANET.entity(), valid_until=None).sp


def test_we_are_an_entity_among_them(idp: IdPSite) -> None:
    browser = idp.browser()
    assert ask(browser, OWN).body == browser.get("/saml/metadata").body
    assert ask(browser, sha1_identifier(OWN)).body == browser.get("/saml/metadata").body


def test_a_site_that_asks_for_us_below_its_own_base_address_has_read_our_keys(idp: IdPSite) -> None:
    with idp.work() as session:
        desk = keys.desk(idp.installation, session, idp.act())
        new = desk.prepare("signing")
        desk.publish(new.name)
        intranet = next(each for each in desk.partners if each.entity_id == INTRANET.entity_id)
        assert intranet.query_base is not None
        assert intranet.query_base in desk.text_to(intranet, desk.ring.index().get(new.name))
    base = intranet.query_base.removeprefix(idp.installation.settings.public_url)
    browser, ring = idp.browser(), idp.installation.key_store.ring
    for unattributed in (
        f"/entities/{quote(OWN, safe='')}",
        f"{base}/entities/{quote(LIBRARY.entity_id, safe='')}",
        f"{base[:-1]}{'0' if base[-1] != '0' else '1'}/entities/{quote(OWN, safe='')}",
    ):
        assert browser.get(unattributed).content_type == METADATA_MEDIA_TYPE
        assert ring.index().known == {}
    assert browser.get(f"{base}/entities/{quote(OWN, safe='')}").body == browser.get("/saml/metadata").body
    assert list(ring.index().known) == [INTRANET.entity_id]


@pytest.mark.parametrize("path", ["/entities", "/entities/"])
def test_without_an_identifier_everything_is_answered_as_one_signed_group(idp: IdPSite, path: str) -> None:
    found = members(idp, idp.browser().get(path))
    assert list(found) == [OWN, INTRANET.entity_id, LIBRARY.entity_id]
    assert found[LIBRARY.entity_id].entity.valid_until == NOW + timedelta(days=3)
    assert found[INTRANET.entity_id].entity.valid_until == NOW + timedelta(days=21)


def test_what_is_not_published_is_not_there(idp: IdPSite) -> None:
    browser = idp.browser()
    for identifier in (
        "https://nobody.example.org",
        sha1_identifier("https://nobody.example.org"),
        "nobody",
        "a" * 999,
    ):
        assert ask(browser, identifier, status=404).content_type == "application/problem+json"
    assert "reference" in browser.get("/entities/nobody", status=404).text.lower()
    for identifier in ("{md5}d41d8cd98f00b204e9800998ecf8427e", "{sha1}zz"):
        ask(browser, identifier, status=400)
    browser.get("/entities/%ff", status=400)
    browser.get("/entities", headers={"Accept": "text/html"}, status=406)
    browser.get("/entities", headers={"Accept": "text/html,*/*;q=0.8"}, status=200)
    browser.post("/entities", status=405)


def test_whoever_is_paused_or_disconnected_is_gone_at_once(idp: IdPSite) -> None:
    browser = idp.browser()
    first = browser.get("/entities")
    everything, date = first.headers["ETag"], first.headers["Last-Modified"]
    for state in (ConnectionState.PAUSED, ConnectionState.DISCONNECTED):
        change(idp, LIBRARY, state=state)
        ask(browser, LIBRARY.entity_id, status=404)
        ask(browser, sha1_identifier(LIBRARY.entity_id), status=404)
        for condition in ({"If-None-Match": everything}, {"If-Modified-Since": date}):
            answer = browser.get("/entities", headers=condition)
            assert list(members(idp, answer)) == [OWN, INTRANET.entity_id]
    change(idp, LIBRARY, state=ConnectionState.ACTIVE)
    assert ask(browser, LIBRARY.entity_id).status_int == 200


def test_nothing_is_prolonged_by_our_signature(idp: IdPSite) -> None:
    browser = idp.browser()
    idp.clock.advance(days=2, hours=23, minutes=30)
    (member,) = members(idp, ask(browser, LIBRARY.entity_id)).values()
    assert member.entity.valid_until == NOW + timedelta(days=3)
    idp.clock.advance(minutes=30)
    ask(browser, LIBRARY.entity_id, status=404)
    assert LIBRARY.entity_id not in members(idp, browser.get("/entities"))


def test_a_document_is_signed_once_an_hour_and_asked_about_in_between(idp: IdPSite) -> None:
    browser, other = idp.browser(), restarted(idp).browser()
    for path in (f"/entities/{quote(INTRANET.entity_id, safe='')}", "/entities"):
        first = browser.get(path)
        assert first.headers["Cache-Control"] == "max-age=300, public"
        assert other.get(path).body == first.body  # from every process, though its clock stands elsewhere in the hour
        tag, date = first.headers["ETag"], first.headers["Last-Modified"]
        for headers in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
            assert browser.get(path, headers=headers, status=304).body == b""
        assert browser.head(path).headers["ETag"] == tag
    idp.clock.advance(hours=1)
    assert browser.get("/entities", headers={"If-None-Match": tag}).status_int == 200


@dataclass(frozen=True)
class Unusual(FakeSP):
    """A service provider whose metadata holds what we do not know."""

    def metadata(self, now: datetime = NOW, *, validity: timedelta = timedelta(days=21)) -> bytes:
        usual = super().metadata(now, validity=validity)
        extended = usual.replace(b"<md:Extensions>", b'<md:Extensions><x:Kept xmlns:x="urn:x">so</x:Kept>', 1)
        assert extended != usual
        return signing.sign_document(extended, signing_key=self.key, document_id=new_id(), now=now, validity=validity)


def test_what_we_do_not_understand_is_handed_on_as_the_partner_wrote_it(idp: IdPSite) -> None:
    idp.connect(Unusual(name="Unusual", origin="http://localhost:6546"))
    answer = ask(idp.browser(), "http://localhost:6546/saml/metadata")
    assert b'<x:Kept xmlns:x="urn:x">so</x:Kept>' in answer.body
    members(idp, answer)


def test_what_newer_metadata_took_back_is_not_handed_on_while_it_waits_for_a_review(idp: IdPSite) -> None:
    with_logout = replace(INTRANET, name="Archive", origin="http://localhost:6547", options={"single_logout": [LOGOUT]})
    idp.connect(with_logout)
    browser = idp.browser()
    assert LOGOUT.location.encode() in ask(browser, with_logout.entity_id).body
    change(idp, with_logout, metadata_restriction=replace(with_logout, options={}).metadata(NOW))
    answer = ask(browser, with_logout.entity_id)
    assert LOGOUT.location.encode() not in answer.body
    members(idp, answer)


def test_it_is_off_until_a_setting_says_otherwise(idp: IdPSite) -> None:
    browser = restarted(idp, publish_connections=False).browser()
    for path in ("/entities", f"/entities/{quote(OWN, safe='')}"):
        browser.get(path, status=404)
    assert "/entities" not in browser.get("/saml/about").text
    assert "/entities" in idp.browser().get("/saml/about").text


@pytest.mark.conformance("IIP-MD01")
def test_a_service_provider_of_ours_needs_nothing_but_the_responder(idp: IdPSite, tmp_path: Path) -> None:
    sp = make_site(tmp_path / "sp", allow_http_loopback="true")
    fingerprint = certificates.fingerprint(idp.installation.keys.certificate)
    with served(idp) as base:
        add(sp, "mdq", base, signer_fingerprints=[fingerprint])
        begun = sp.browser().get("/saml/login", {"entityID": OWN})
    assert begun.location.startswith(idp.installation.settings.sso_url)
    sp.provider.engine.dispose()
