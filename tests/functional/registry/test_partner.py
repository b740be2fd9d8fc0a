"""The source of one partner: rollover without an outage, reductions at once, the rest reviewed and reversible."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from federation.errors import ConfigurationError, PolicyRefusal
from federation.registry import sources, versions
from federation.registry.columns import VersionColumns
from federation.registry.ending import Ending
from federation.registry.widening import Rule
from federation.saml import certificates
from federation.saml.metadata.entity import Endpoint
from federation.saml.names import Binding
from idp_app.models import MetadataSource
from idp_app.services import connections, disconnecting, metadata
from tests.factories import key_pair, signing_key
from tests.functional.registry.test_federation import desk
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.metadata_factories import set_attributes
from tests.registry_factories import Server, plain, refresh

INTRANET = FakeSP()
LOGOUT = Endpoint(Binding.REDIRECT, "http://localhost:6544/saml/logout")
ELSEWHERE = Endpoint(Binding.REDIRECT, "http://localhost:7777/saml/logout")


def with_keys(*names: str) -> FakeSP:
    """The intranet with these signing keys; its metadata stays signed by its first one."""
    ders = [certificates.load_certificate(key_pair(name)[1]) for name in names]
    return replace(INTRANET, options={"signing_certificates": ders})


def follow(idp: IdPSite, server: Server, *, rule: Rule | None = None, **more: Any) -> str:
    """Connect the intranet and give it a source; answers the source's id."""
    idp.connect(INTRANET)
    return add(idp, server.put("/sp.xml", INTRANET.metadata(NOW)), widening=rule, **more)


def add(idp: IdPSite, url: str, **more: Any) -> str:
    with idp.work() as session:
        values: dict[str, Any] = {"entity_id": INTRANET.entity_id, "signer_fingerprints": [INTRANET.fingerprint]}
        new = sources.NewSource("Intranet", "url", url, **(values | more))
        return sources.add(session, metadata.HOST, new, desk(idp).limits, desk(idp).occasion()).id


def bring(idp: IdPSite, server: Server, source: str, document: bytes) -> str:
    """Publish a document and refresh; answers what came of it."""
    idp.clock.advance(hours=1)
    server.put("/sp.xml", document)
    return refresh(desk(idp).refresher(), source).sentence


def history(idp: IdPSite) -> list[tuple[int, str]]:
    with idp.work() as session:
        return [(each.number, each.state) for each in versions.history(session, metadata.HOST, INTRANET.entity_id)]


def decide(idp: IdPSite, number: int, how: Any, *more: Any) -> VersionColumns:
    with idp.work() as session:
        version = versions.numbered(session, metadata.HOST, INTRANET.entity_id, number)
        how(session, metadata.HOST, version, *more, desk(idp).occasion())
        return version


def live(idp: IdPSite) -> Any:
    """The partner as a sign-in sees it."""
    with idp.work() as session:
        partner = idp.installation.partners.by_entity_id(session, INTRANET.entity_id)
        assert partner is not None
        return partner


def signs_in(idp: IdPSite, key_name: str = "sp") -> int:
    """The status that a request of the intranet, signed by a key, is answered with."""
    sp = replace(INTRANET, idp_url=idp.installation.settings.public_url)
    url = sp.redirect_url(idp.clock(), key=signing_key(key_name))
    return int(idp.sign_in("alice").get(url, expect_errors=True).status_int)


@pytest.mark.conformance("SDP-MD01", "IIP-MD02", "IIP-MD07")
def test_a_key_rolls_over_without_an_outage(idp: IdPSite, server: Server):
    source = follow(idp, server)
    assert bring(idp, server, source, INTRANET.metadata(NOW)).startswith("version 1: renewed")
    assert signs_in(idp, "sp") == 200
    assert signs_in(idp, "sp-next") in (400, 403)
    # Both keys are published for a while; a new key of a partner on its own hosts is taken in by itself.
    assert bring(idp, server, source, with_keys("sp", "sp-next").metadata(NOW)) == "version 2: live"
    assert (signs_in(idp, "sp"), signs_in(idp, "sp-next")) == (200, 200)
    # Then the old one goes, and is not believed any more.
    bring(idp, server, source, with_keys("sp-next").metadata(NOW))
    assert signs_in(idp, "sp-next") == 200
    assert signs_in(idp, "sp") in (400, 403)
    assert history(idp) == [(3, "live"), (2, "superseded"), (1, "superseded")]


def test_what_is_taken_back_is_gone_at_once_while_the_rest_waits(idp: IdPSite, server: Server):
    source = follow(idp, server, rule=Rule.REVIEW)
    assert "mail" in live(idp).release(None).keys
    changed = replace(with_keys("sp-next"), asks_for=("display_name",))
    said = bring(idp, server, source, changed.metadata(NOW))
    assert said == "version 2: waiting for review, and what it took back is gone"
    partner = live(idp)
    assert partner.sp.signing_keys == (), "the old key is gone, and the new one waits"
    assert "mail" not in partner.release(None).keys, "what it no longer asks for it is no longer told"
    assert signs_in(idp, "sp") in (400, 403)
    # The same again asks nobody anything.
    assert bring(idp, server, source, changed.metadata(NOW, validity=timedelta(days=30))).startswith(
        "version 2: waiting"
    )
    assert history(idp) == [(2, "waiting for review"), (1, "live")]
    version = decide(idp, 2, versions.accept)
    assert {change["kind"] for change in version.changes} >= {"key.added", "key.removed", "requested.removed"}
    assert signs_in(idp, "sp-next") == 200
    assert history(idp) == [(2, "live"), (1, "superseded")]


def test_endpoints_elsewhere_wait_and_those_at_home_do_not(idp: IdPSite, server: Server):
    source = follow(idp, server)
    home = replace(INTRANET, options={"single_logout": (LOGOUT,)})
    assert bring(idp, server, source, home.metadata(NOW)) == "version 2: live"
    away = replace(INTRANET, options={"single_logout": (LOGOUT, ELSEWHERE)})
    assert bring(idp, server, source, away.metadata(NOW)) == "version 3: waiting for review"
    assert [each.location for each in live(idp).sp.single_logout] == [LOGOUT.location]
    # A rejection lasts: the same is not asked about again, and a sign-in is not disturbed.
    decide(idp, 3, versions.reject)
    assert bring(idp, server, source, away.metadata(NOW, validity=timedelta(days=30))) == "version 3: rejected before"
    assert history(idp) == [(3, "rejected"), (2, "live"), (1, "superseded")]
    assert signs_in(idp) == 200
    # The partner gives in: what waited or was rejected is over.
    assert bring(idp, server, source, home.metadata(NOW)).startswith("version 2: renewed")
    # Whoever rejected it may think again.
    decide(idp, 3, versions.accept)
    assert [each.location for each in live(idp).sp.single_logout] == [LOGOUT.location, ELSEWHERE.location]


def test_the_way_back_is_one_step_and_holds(idp: IdPSite, server: Server):
    source = follow(idp, server)
    rolled = with_keys("sp", "sp-next")
    bring(idp, server, source, rolled.metadata(NOW))
    decide(idp, 1, versions.roll_back)
    assert signs_in(idp, "sp-next") in (400, 403)
    assert signs_in(idp, "sp") == 200
    assert history(idp) == [(2, "rejected"), (1, "live")]
    assert bring(idp, server, source, rolled.metadata(NOW, validity=timedelta(days=30))) == "version 2: rejected before"
    assert signs_in(idp, "sp-next") in (400, 403)
    with pytest.raises(PolicyRefusal):
        decide(idp, 2, versions.roll_back)


def test_a_version_becomes_live_when_it_was_scheduled_for(idp: IdPSite, server: Server):
    source = follow(idp, server, rule=Rule.REVIEW)
    bring(idp, server, source, with_keys("sp", "sp-next").metadata(NOW))
    due = idp.clock() + timedelta(hours=5)
    with pytest.raises(PolicyRefusal, match="passed"):
        decide(idp, 2, versions.schedule, NOW)
    decide(idp, 2, versions.schedule, due)
    assert not desk(idp).refresher().has_work() or history(idp)[0] == (2, "scheduled")
    idp.clock.advance(hours=6)
    assert desk(idp).refresher().has_work()
    desk(idp).refresher().run_due()
    assert history(idp) == [(2, "live"), (1, "superseded")]
    assert signs_in(idp, "sp-next") == 200


def test_a_shorter_validity_counts_at_once(idp: IdPSite, server: Server):
    source = follow(idp, server)
    bring(idp, server, source, INTRANET.metadata(NOW, validity=timedelta(hours=3)))
    assert live(idp).usable(idp.clock())
    idp.clock.advance(hours=3)
    assert not live(idp).usable(idp.clock())
    assert signs_in(idp) in (400, 403)


def test_an_unsigned_document_is_believed_from_the_host_that_was_named_and_from_no_other(idp: IdPSite, server: Server):
    idp.connect(INTRANET)
    unsigned = set_attributes(
        plain(with_keys("sp", "sp-next").metadata(NOW)).encode(), {"validUntil": "2026-03-20T00:00:00Z"}
    )
    url = server.put("/sp.xml", unsigned)
    with pytest.raises(ConfigurationError, match="named"):
        add(idp, url, signer_fingerprints=[], named_host="somewhere.example.org")
    with pytest.raises(ConfigurationError, match="pinned signer"):
        add(idp, url, signer_fingerprints=[])
    source = add(idp, url, signer_fingerprints=[], named_host="localhost")
    assert refresh(desk(idp).refresher(), source).sentence == "version 2: live"
    with idp.work() as session:
        assert versions.history(session, metadata.HOST, INTRANET.entity_id)[0].trust == "https from localhost"
    # Without a limit it would be trusted for ever; and another site is another site.
    report = bring(idp, server, source, set_attributes(unsigned, {"validUntil": None}))
    assert "metadata.valid_until.present" in report
    server.put("/moved.xml", unsigned)
    server.redirect("/sp.xml", f"http://127.0.0.1:{server.port}/moved.xml")
    assert "redirect to another site" in refresh(desk(idp).refresher(), source).sentence
    server.redirect("/sp.xml", "/moved.xml")
    assert refresh(desk(idp).refresher(), source).ok
    assert history(idp)[0] == (2, "live")


def test_a_document_about_somebody_else_changes_nothing(idp: IdPSite, server: Server):
    source = follow(idp, server)
    other = replace(INTRANET, options={"entity_id": "https://other.example.org/sp"})
    bring(idp, server, source, other.metadata(NOW))
    unsigned = plain(INTRANET.metadata(NOW)).encode()
    assert "metadata.signature.present" in bring(idp, server, source, unsigned)
    assert history(idp) == [(1, "live")]
    with idp.work() as session:
        assert session.get_one(MetadataSource, source).failures == 2


def test_what_makes_no_sense_is_told_at_once(idp: IdPSite):
    new = sources.NewSource("", "ftp", "http://example.org/x", widening=Rule.REVIEW, exceptions=["everything"])
    with idp.work() as session, pytest.raises(ConfigurationError) as refused:
        sources.add(session, metadata.HOST, new, desk(idp).limits, desk(idp).occasion())
    assert len(refused.value.problems) >= 5


def test_when_the_connection_ends_nothing_is_fetched_or_waited_for_any_more(idp: IdPSite, server: Server):
    source = follow(idp, server, rule=Rule.REVIEW)
    bring(idp, server, source, with_keys("sp", "sp-next").metadata(NOW))
    assert history(idp) == [(2, versions.WAITING), (1, "live")]
    with idp.work() as session:
        disconnecting.begin(session, connections.find(session, "Intranet"), Ending.KEEP, idp.act())
    assert history(idp) == [(2, "superseded"), (1, "live")], "its versions can still be read"
    with idp.work() as session:
        assert not session.get_one(MetadataSource, source).enabled
    idp.clock.advance(days=2)
    assert not desk(idp).refresher().has_work()
