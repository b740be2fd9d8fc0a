"""A legacy preset lets one identity provider in, is shown with its cost, and no other one profits."""

from __future__ import annotations

from typing import Any

import pytest
from webtest import TestApp

from federation.saml.algorithms import PRESETS, allowed
from federation.saml.names import Algorithm
from sp_app.services import connections
from tests import factories
from tests.factories import signing_key
from tests.sp_factories import Site

KEY = factories.descriptor(factories.decryption_key("sp-encryption"), "encryption")
LEGACY: dict[str, dict[str, Any]] = {
    "legacy-cbc": {"algorithms": allowed(("legacy-cbc",)), "encrypt_to": KEY},
    "legacy-rsa15": {"algorithms": allowed(("legacy-rsa15",)), "encrypt_to": KEY},
    "legacy-sha1": {"signing_key": signing_key("idp").using(Algorithm.RSA_SHA1)},
}


def choose(site: Site, *presets: str) -> None:
    with site.unit_of_work() as session:
        [connection] = connections.every(session)
        connections.set_presets(connection, presets, site.clock())


@pytest.mark.conformance("IIP-ALG05", "IIP-ALG08")
@pytest.mark.parametrize("name", LEGACY)
def test_weak_answers_are_accepted_under_their_own_preset_alone(site: Site, browser: TestApp, name: str) -> None:
    choose(site, "default")
    departure = site.idp.read(browser.get("/saml/login", {"target": "/private"}))
    browser.post("/saml/acs", site.idp.answer(departure, **LEGACY[name]), status=403)
    choose(site, *(other for other in LEGACY if other != name))
    departure = site.idp.read(browser.get("/saml/login", {"target": "/private"}))
    browser.post("/saml/acs", site.idp.answer(departure, **LEGACY[name]), status=403)
    choose(site, name)
    assert site.sign_in(browser, **LEGACY[name]).status_int == 303


def test_cbc_in_an_envelope_that_is_not_signed_is_refused_even_under_its_preset(site: Site, browser: TestApp) -> None:
    choose(site, "legacy-cbc")
    departure = site.idp.read(browser.get("/saml/login"))
    answer = site.idp.answer(departure, sign_response=False, **LEGACY["legacy-cbc"])
    browser.post("/saml/acs", answer, status=403)


def test_what_a_preset_costs_is_among_the_misses(site: Site) -> None:
    choose(site, "legacy-cbc")
    with site.unit_of_work() as session:
        [connection] = connections.every(session)
        found = connections.misses(connection, connections.live_metadata(session, connection))
    assert found[0]["message"] == PRESETS["legacy-cbc"].weakness
