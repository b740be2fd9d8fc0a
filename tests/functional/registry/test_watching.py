"""Keys and sources are watched also where there is no connection: what people use is what an administrator hears of."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from federation import metrics
from federation.keys.expiry import Level
from federation.saml import certificates
from idp_app.services import keys
from idp_app.services.metadata import HOST
from tests.functional.registry.test_federation import add, desk
from tests.idp_factories import NOW, FakeSP, IdPSite
from tests.registry_factories import Server, aggregate, refresh

SOON = NOW + timedelta(days=20)
EXPIRING = certificates.load_certificate(
    certificates.generate("library.example.org", now=SOON - timedelta(days=365), bits=2048, years=1)[1]
)
LIBRARY = FakeSP(name="Library", origin="http://localhost:6545", options={"encryption_certificates": [EXPIRING]})


def test_a_key_of_an_entity_that_people_use_is_watched_though_it_has_no_connection(idp: IdPSite, server: Server):
    source = add(idp, server.put("/all.xml", aggregate([LIBRARY.metadata(NOW)], NOW)))
    assert refresh(desk(idp).refresher(), source).ok

    def found() -> list[tuple[str, Level, str]]:
        with idp.work() as session:
            findings = keys.desk(idp.installation, session, idp.act()).status().findings
        return [(each.about, each.level, each.sentence) for each in findings if each.about == LIBRARY.entity_id]

    assert found() == [], "nobody has used it"
    sp = replace(LIBRARY, idp_url=idp.installation.settings.public_url)
    assert idp.sign_in("alice").get(sp.redirect_url()).status_int == 200
    sentence = f"The encryption certificate of Library expires within 30 days, on {SOON:%Y-%m-%d}."
    assert found() == [(LIBRARY.entity_id, Level.WARNING, sentence)]
    server.fail("/all.xml")
    idp.clock.advance(days=14)
    refresh(desk(idp).refresher(), source)
    assert found()[0][1] is Level.CRITICAL
    with idp.work() as session:
        told = metrics.text(keys.desk(idp.installation, session, idp.act()), session, HOST, {"x": ("An X", 2)}).decode()
    lines = told.splitlines()
    for line in (
        'federation_source_healthy{source="Example Federation"} 0.0',
        'federation_source_failures{source="Example Federation"} 1.0',
        'federation_source_seconds_since_success{source="Example Federation"} 1.2096e+06',
        'federation_source_valid_for_seconds{source="Example Federation"} -345600.0',
        'federation_source_entities{source="Example Federation"} 1.0',
        'federation_key_warnings{level="critical"} 1.0',
        "x 2.0",
    ):
        assert line in lines, told
    about = f'entity_id="{LIBRARY.entity_id}",partner="Library",use="encryption"'
    (number,) = [line.rpartition(" ")[2] for line in lines if about in line]
    assert timedelta(seconds=float(number)) == timedelta(days=6)
    idp.clock.advance(days=31)
    assert found() == [], "nobody uses it any more"
