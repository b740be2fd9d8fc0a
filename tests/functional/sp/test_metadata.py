"""What the site publishes about itself."""

from __future__ import annotations

from datetime import timedelta

from webtest import TestApp

from federation.saml.metadata import trust
from federation.saml.names import SUBJECT_ID_REQ, Binding
from tests.sp_factories import NOW, Site


def published(site: Site, browser: TestApp) -> trust.TrustedMetadata:
    """The metadata, accepted by a partner that has pinned our key."""
    response = browser.get("/saml/metadata")
    assert response.content_type == "application/samlmetadata+xml"
    return trust.verify(
        response.body,
        now=NOW,
        own_entity_id="https://idp.example.org",
        role="sp",
        signer_fingerprints=[site.provider.keys.fingerprint],
    )


def test_a_partner_that_pins_our_key_accepts_it_and_misses_nothing(site: Site, browser: TestApp) -> None:
    trusted = published(site, browser)
    assert trusted.signed
    assert trusted.entity.entity_id == f"{site.origin}/saml/metadata"
    assert trusted.entity.valid_until == NOW + timedelta(days=21)
    assert [finding for finding in trusted.misses if finding.level == "error"] == []


def test_it_names_the_endpoint_the_keys_and_what_we_ask_for(site: Site, browser: TestApp) -> None:
    entity = published(site, browser).entity
    assert entity.sp is not None
    acs = [(each.binding, each.location) for each in entity.sp.assertion_consumer]
    assert acs == [(Binding.POST, f"{site.origin}/saml/acs"), (Binding.ARTIFACT, f"{site.origin}/saml/acs")]
    assert [each.location for each in entity.sp.artifact_resolution] == [f"{site.origin}/saml/artifact"]
    assert entity.sp.authn_requests_signed
    assert {key.use for key in entity.sp.keys} == {"signing", "encryption"}
    assert entity.attribute(SUBJECT_ID_REQ) == ("pairwise-id",)
    requested = {each.friendly_name for service in entity.sp.attribute_consuming for each in service.requested}
    assert requested == {"displayName", "mail", "ou", "isMemberOf"}
    assert entity.display_name() == "Intranet"


def test_the_request_initiator_that_it_names_works(site: Site, browser: TestApp) -> None:
    entity = published(site, browser).entity
    assert entity.sp is not None
    endpoint = dict(entity.sp.extension_endpoints)["RequestInitiator"]
    query = {"entityID": site.idp.entity_id, "target": f"{site.origin}/private/reports"}
    departure = site.idp.read(browser.get(endpoint.location, query))
    assert browser.post("/saml/acs", site.idp.answer(departure)).location == f"{site.origin}/private/reports"
