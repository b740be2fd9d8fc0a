"""The ids of the profiles that are about metadata and are shown by several parts together."""

from dataclasses import replace

import pytest

from federation.saml import certificates, encryption, signature, xml
from federation.saml.metadata import publishing, reading
from federation.saml.metadata.entity import Endpoint
from federation.saml.metadata.keys import kind_and_bits
from federation.saml.metadata.lint import lint
from federation.saml.names import Binding
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SP_ID,
    ec_key,
    entity_xml,
    group_xml,
    idp_role_xml,
    key_xml,
    presentation,
    published,
    signed,
    sp_entity,
    sp_role_xml,
    sso_xml,
)

LOGOUT = (Endpoint(Binding.REDIRECT, "https://site.example.org/saml/slo"),)


@pytest.fixture(scope="module")
def long_key():
    """A certificate as a new installation makes it."""
    _, pem = certificates.generate("site.example.org", now=NOW)
    return certificates.load_certificate(pem)


def shortcomings(entity):
    (found,) = reading.read_document(published(entity, "idp"))
    return [finding.rule for finding in lint(found, now=NOW)]


@pytest.mark.conformance("SDP-IDP33", "SDP-MD05", "SDP-MD08", "SDP-MD09", "SDP-MD10", "SDP-MD11", "SDP-MD12")
def test_an_idp_s_published_metadata_lacks_nothing_that_the_profiles_ask_for(long_key):
    entity = publishing.idp_entity(
        entity_id=IDP_ID,
        presentation=presentation("Example IdP"),
        sso_url="https://idp.example.org/saml/sso",
        signing_certificates=[long_key],
        scopes=["example.org"],
        error_url="https://idp.example.org/error",
        single_logout=LOGOUT,
    )
    assert shortcomings(entity) == []


@pytest.mark.conformance("SDP-SP39", "SDP-MD05", "SDP-MD08", "SDP-MD09", "SDP-MD10", "SDP-MD11")
def test_an_sp_s_published_metadata_lacks_nothing_that_the_profiles_ask_for(long_key):
    whole = sp_entity()
    entity = publishing.sp_entity(
        entity_id=SP_ID,
        presentation=presentation("Example SP"),
        acs_url="https://sp.example.org/saml/acs",
        signing_certificates=[long_key],
        encryption_certificates=[long_key],
        requested=whole.sp.attribute_consuming[0].requested,
        single_logout=LOGOUT,
    )
    assert shortcomings(entity) == []


@pytest.mark.conformance("IIP-MD06")
def test_a_partner_s_metadata_is_all_that_its_signatures_need():
    """Any number of partners, no store of keys beside the document."""
    names = ("one", "two", "three")
    document = group_xml(*(entity_xml(idp_role_xml(key_xml(n) + sso_xml()), entity_id=f"urn:{n}") for n in names))
    partners = {entity.entity_id: entity for entity in reading.read_document(document.encode())}
    for name in names:
        message = xml.parse(signed("<message/>", name))
        assert signature.verify(message, keys=partners[f"urn:{name}"].idp.signing_keys).get("ID") == "_document"


@pytest.mark.conformance("IIP-MD07")
def test_any_of_a_role_s_signing_keys_may_have_signed():
    document = entity_xml(idp_role_xml("".join(map(key_xml, ("old", "current", "next"))) + sso_xml()))
    (partner,) = reading.read_document(document.encode())
    for name in ("old", "current", "next"):
        assert signature.verify(xml.parse(signed("<message/>", name)), keys=partner.idp.signing_keys) is not None


@pytest.mark.conformance("IIP-MD08")
def test_any_of_a_role_s_encryption_keys_may_be_used():
    document = entity_xml(sp_role_xml("".join(key_xml(name, "encryption") for name in ("old", "new"))))
    (partner,) = reading.read_document(document.encode())
    assert [encryption.suits(key) for key in partner.sp.encryption_keys] == [True, True]


@pytest.mark.conformance("IIP-MD08")
def test_an_encryption_key_that_is_unfit_does_not_hide_a_fit_one():
    sp = sp_entity(valid_until=NOW).sp
    unfit = replace(sp.encryption_keys[0], certificate=None, public_key=ec_key("sp").public_key)
    entity = sp_entity(valid_until=NOW, sp=replace(sp, keys=(unfit, *sp.keys)))
    assert "metadata.encryption_key.unfit" not in {finding.rule for finding in lint(entity, now=NOW)}


@pytest.mark.conformance("SDP-MD06")
def test_a_new_key_is_as_long_as_the_profile_advises(long_key):
    assert kind_and_bits(certificates.public_key_of(long_key)) == ("RSA", 3072)
