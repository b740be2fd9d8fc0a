from dataclasses import replace
from datetime import timedelta

import pytest
from saml2 import md
from saml2.validate import valid_instance

from federation.errors import ConfigurationError
from federation.saml import certificates, signature, xml
from federation.saml.codec.metadata_schema import schema_problems
from federation.saml.metadata import publishing, reading
from federation.saml.metadata.entity import Endpoint
from federation.saml.metadata.lint import lint
from federation.saml.names import SUBJECT_ID_REQ, Algorithm, Binding
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SP_ID,
    certificate_of,
    ec_certificate,
    ec_key,
    idp_entity,
    presentation,
    published,
    rsa_key,
    sp_entity,
)

BOTH = pytest.mark.parametrize(("entity", "key"), [(idp_entity(), "idp"), (sp_entity(), "sp")], ids=["idp", "sp"])


@BOTH
def test_what_is_published_reads_back_as_the_same_entity(entity, key):
    (found,) = reading.read_document(published(entity, key))
    assert replace(found, valid_until=None, cache_duration=None) == entity


@pytest.mark.conformance("SDP-MD04")
@BOTH
def test_it_is_signed_and_valid_for_three_weeks(entity, key):
    root = xml.parse(published(entity, key))
    (found,) = reading.read_entities(signature.verify(root, keys=[rsa_key(key).public_key]))
    assert found.entity.valid_until == NOW + timedelta(days=21)
    assert found.entity.cache_duration == timedelta(hours=6)


@pytest.mark.conformance("IIP-MD05")
@BOTH
def test_it_keeps_to_the_schemas(entity, key):
    assert schema_problems(xml.parse(published(entity, key))) == ()


@BOTH
def test_software_by_others_reads_it_as_valid(entity, key):
    descriptor = md.entity_descriptor_from_string(published(entity, key))
    assert valid_instance(descriptor)
    assert descriptor.entity_id == entity.entity_id


@BOTH
def test_the_signature_comes_first_and_brings_its_certificate(entity, key):
    root = xml.parse(published(entity, key))
    assert xml.local_name(root[0]) == "Signature"
    (text,) = root[0].iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
    assert text.text


@BOTH
def test_our_own_linter_misses_only_what_this_issue_leaves_to_the_next(entity, key):
    (found,) = reading.read_document(published(entity, key))
    assert {finding.rule for finding in lint(found)} <= {"metadata.logout.missing", "metadata.key.short"}


def test_the_idp_has_what_the_profile_demands():
    """SDP-IDP33: endpoints, a signing key, errorURL, UIInfo, scopes, a technical contact."""
    (idp,) = reading.read_document(published(idp_entity(), "idp"))
    assert idp.entity_id == IDP_ID
    assert idp.idp.signing_keys[0].certificate == certificate_of("idp")
    assert idp.idp.error_url == "https://idp.example.org/error"
    assert idp.idp.scopes == ("example.org",)
    assert idp.idp.ui_info.display_names == (("en", "Example IdP"),)
    assert idp.idp.ui_info.logos
    assert [contact.type for contact in idp.contacts] == ["technical", "other"]
    assert idp.contacts[1].remd_type.endswith("security")


def test_redirect_is_listed_first():
    (idp,) = reading.read_document(published(idp_entity(), "idp"))
    assert [endpoint.binding for endpoint in idp.idp.single_sign_on] == [Binding.REDIRECT, Binding.POST]


def test_the_sp_has_what_the_profile_demands():
    """SDP-SP39: an ACS, an encryption key, UIInfo with privacy, the identifier signal, a technical contact."""
    (sp,) = reading.read_document(published(sp_entity(), "sp"))
    assert sp.entity_id == SP_ID
    assert sp.sp.assertion_consumer == (Endpoint(Binding.POST, "https://sp.example.org/saml/acs", None, 1, True),)
    assert [key.certificate for key in sp.sp.encryption_keys] == [certificate_of("sp-encryption")]
    assert sp.attribute(SUBJECT_ID_REQ) == ("pairwise-id",)
    assert sp.sp.ui_info.privacy_statement_urls == (("en", "https://example.org/privacy"),)
    assert sp.sp.authn_requests_signed


def test_the_sp_requests_its_attributes_by_oid_name():
    (sp,) = reading.read_document(published(sp_entity(), "sp"))
    (service,) = sp.sp.attribute_consuming
    assert service.names == (("en", "Example SP"),)
    assert [(attribute.friendly_name, attribute.is_required) for attribute in service.requested] == [
        ("displayName", False),
        ("mail", True),
    ]


@pytest.mark.conformance("IIP-MD09", "SDP-MD04")
def test_capabilities_are_published_as_algorithm_support():
    """IIP-MD09."""
    (sp,) = reading.read_document(published(sp_entity(), "sp"))
    assert Algorithm.RSA_SHA256 in sp.sp.signing_algorithms
    assert Algorithm.SHA256 in sp.sp.digest_algorithms
    (key,) = sp.sp.encryption_keys
    listed = {method.algorithm for method in key.encryption_methods}
    assert {Algorithm.AES256_GCM, Algorithm.AES128_GCM, Algorithm.RSA_OAEP_MGF1P} <= listed
    assert not any(uri.endswith(("sha1", "md5", "cbc", "rsa-1_5")) for uri in listed)


@pytest.mark.conformance("SDP-MD05")
def test_several_keys_are_published_in_their_order():
    entity = publishing.idp_entity(
        entity_id=IDP_ID,
        presentation=presentation("x"),
        sso_url="https://idp.example.org/sso",
        signing_certificates=[certificate_of("idp"), certificate_of("next")],
        scopes=[],
    )
    assert [key.certificate for key in entity.idp.signing_keys] == [certificate_of("idp"), certificate_of("next")]


def test_texts_are_escaped():
    entity = replace(idp_entity(), organization=None)
    document = published(replace(entity, contacts=()), "idp")
    assert b"For tests &amp; nothing else" in document


@pytest.mark.parametrize("text", ["bell \x07", "null \x00", "lone \ud800"])
def test_a_text_that_xml_cannot_carry_is_our_mistake(text):
    entity = publishing.idp_entity(
        entity_id=IDP_ID,
        presentation=publishing.Presentation(display_name=text),
        sso_url="https://idp.example.org/sso",
        signing_certificates=[certificate_of("idp")],
        scopes=[],
    )
    with pytest.raises(ConfigurationError, match="XML"):
        published(entity, "idp")


def test_every_mistake_is_reported_at_once():
    broken = publishing.Presentation(
        display_name="x", logos=(presentation("x").logos[0].__class__("http://x/l", 1, 1),)
    )
    with pytest.raises(ConfigurationError) as caught:
        publishing.idp_entity(
            entity_id="not absolute",
            presentation=broken,
            sso_url="http://idp.example.org/sso",
            single_logout=[Endpoint(Binding.POST, "javascript:alert(1)")],
            signing_certificates=[],
            scopes=["example.org"],
        )
    assert len(caught.value.problems) == 5


def test_an_encryption_certificate_that_cannot_decrypt_is_our_mistake():
    certificate = certificate_of("sp")
    with pytest.raises(ConfigurationError, match="RSA"):
        publishing.sp_entity(
            entity_id=SP_ID,
            presentation=presentation("x"),
            acs_url="https://sp.example.org/acs",
            signing_certificates=[certificate],
            encryption_certificates=[ec_certificate()],
        )


def test_http_on_loopback_can_be_published_for_development():
    entity = publishing.sp_entity(
        entity_id="http://localhost:6544/saml/metadata",
        presentation=presentation("x"),
        acs_url="http://localhost:6544/saml/acs",
        signing_certificates=[certificate_of("sp")],
        encryption_certificates=[certificate_of("sp")],
    )
    assert entity.sp.attribute_consuming == ()


def test_an_ec_key_without_a_certificate_can_sign_too():
    key = ec_key("idp")
    document = publishing.publish(idp_entity(), signing_key=key, document_id="_x", now=NOW)
    assert signature.verify(xml.parse(document), keys=[key.public_key]) is not None
    assert certificates.fingerprint(key.public_key)
