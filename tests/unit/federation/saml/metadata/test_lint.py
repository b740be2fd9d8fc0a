"""What the linter says: each finding has a rule, a level, the requirement behind it, and a place."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from federation.saml import xml
from federation.saml.metadata import reading
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    EncryptionMethod,
    Endpoint,
    Entity,
    IdPRole,
    KeyDescriptor,
    RequestedAttribute,
    SigningMethod,
    SPRole,
    UIInfo,
)
from federation.saml.metadata.findings import Level
from federation.saml.metadata.lint import lint, lint_schema
from federation.saml.names import SUBJECT_ID_REQ, Binding, NameFormat
from tests.metadata_factories import (
    NOW,
    SAMPLES,
    SP_ID,
    certificate_of,
    ec_key,
    entity_xml,
    idp_entity,
    key_xml,
    rsa_key,
    sp_entity,
    sp_role_xml,
    sso_xml,
)

ALWAYS = {"metadata.logout.missing", "metadata.key.short"}
"""What the tests' own entities lack: an endpoint for logout, and keys that would be slow to make."""
CBC = "http://www.w3.org/2001/04/xmlenc#aes256-cbc"
RSA_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"


def rules(entity):
    return {finding.rule for finding in lint(entity, now=NOW)}


def sp_with(**changes):
    entity = sp_entity(valid_until=NOW)
    return replace(entity, sp=replace(entity.sp, **changes))


def idp_with(**changes):
    entity = idp_entity(valid_until=NOW)
    return replace(entity, idp=replace(entity.idp, **changes))


def endpoints(*bindings):
    return tuple(Endpoint(binding, "https://example.org/here") for binding in bindings)


def requesting(**fields):
    return (AttributeConsumingService(1, None, (), (RequestedAttribute("mail", **fields),)),)


def key(name, use=None, **fields):
    return KeyDescriptor(use, rsa_key(name).public_key, certificate_of(name), **fields)


@pytest.mark.parametrize("entity", [sp_with(), idp_with()])
def test_complete_metadata_lacks_nothing_else(entity):
    assert rules(entity) == ALWAYS


WARNINGS = [
    (sp_entity(), "metadata.valid_until.missing", "SDP-MD03"),
    (sp_entity(contacts=()), "metadata.contact.missing", "SDP-MD11"),
    (sp_entity(attributes=()), "metadata.subject_id.missing", "SDP-SP39"),
    (sp_entity(attributes=((SUBJECT_ID_REQ, ("eppn",)),)), "metadata.subject_id.unknown", "SDP-SP15"),
    (sp_entity(attributes=((SUBJECT_ID_REQ, ("any", "none")),)), "metadata.subject_id.unknown", "SDP-SP15"),
    (sp_with(ui_info=UIInfo()), "metadata.ui_info.missing", "SDP-MD09"),
    (sp_with(ui_info=UIInfo()), "metadata.logo.missing", "SDP-MD10"),
    (sp_with(ui_info=UIInfo()), "metadata.privacy.missing", "SDP-SP39"),
    (idp_with(ui_info=UIInfo()), "metadata.ui_info.missing", "SDP-IDP33"),
    (sp_with(keys=()), "metadata.encryption_key.missing", "SDP-MD08"),
    (sp_with(keys=(KeyDescriptor(None, ec_key("sp").public_key),)), "metadata.encryption_key.unfit", "SDP-ALG01"),
    (
        sp_with(keys=(key("sp", encryption_methods=(EncryptionMethod(CBC),)),)),
        "metadata.encryption_key.unfit",
        "IIP-ALG04",
    ),
    (sp_with(keys=(key("sp", "encryption"),)), "metadata.signing_key.promised", "SDP-MD01"),
    (
        sp_with(keys=(key("sp", "encryption"),), single_logout=endpoints(Binding.REDIRECT)),
        "metadata.signing_key.missing",
        "SDP-SP39",
    ),
    (sp_with(single_logout=endpoints(Binding.SOAP)), "metadata.logout.redirect", "SDP-SP26"),
    (sp_with(assertion_consumer=endpoints(Binding.REDIRECT)), "metadata.endpoint.binding", "SDP-MD04"),
    (
        sp_with(
            assertion_consumer=tuple(Endpoint(Binding.POST, f"https://{n}.example", is_default=True) for n in (1, 2))
        ),
        "metadata.endpoint.default",
        "SAML Metadata 2.2.3",
    ),
    (sp_with(attribute_consuming=()), "metadata.requested_attribute.missing", "IIP-IDP04"),
    (sp_with(keys=(KeyDescriptor(None, rsa_key("sp").public_key),)), "metadata.key.bare", "SDP-MD05"),
    (sp_with(signing_methods=(SigningMethod(RSA_SHA1),)), "metadata.algorithms.foreign", "IIP-MD10"),
    (idp_with(keys=()), "metadata.signing_key.missing", "SDP-MD08"),
    (idp_with(single_sign_on=endpoints(Binding.POST)), "metadata.sso.redirect", "SDP-IDP02"),
    (idp_with(single_sign_on=endpoints(Binding.PAOS)), "metadata.endpoint.binding", "SDP-MD04"),
    (idp_with(), "metadata.logout.missing", "SDP-IDP33"),
    (idp_with(scopes=()), "metadata.scope.missing", "SDP-IDP14"),
    (idp_with(error_url=None), "metadata.error_url.missing", "SDP-MD12"),
    (idp_with(error_url="http://idp.example.org/"), "metadata.error_url.insecure", "SDP-MD12"),
]
ADVICE = [
    (sp_with(), "metadata.logout.missing", "SDP-SP24"),
    (sp_with(), "metadata.key.short", "SDP-MD06"),
    (sp_entity(contacts=()), "metadata.contact.security", "REFEDS"),
    (
        sp_with(attribute_consuming=requesting(name_format=NameFormat.BASIC)),
        "metadata.requested_attribute.format",
        "SDP",
    ),
    (sp_with(signing_methods=(), digest_algorithms=()), "metadata.algorithms.missing", "IIP-MD09"),
]


@pytest.mark.parametrize(("entity", "rule", "reference"), WARNINGS)
def test_what_a_profile_demands_is_a_warning_with_its_id_and_place(entity, rule, reference):
    (finding,) = [found for found in lint(entity, now=NOW) if found.rule == rule]
    assert finding.level is Level.WARNING
    assert reference in finding.reference
    assert finding.place.startswith(entity.entity_id)
    assert finding.message


@pytest.mark.parametrize(("entity", "rule", "reference"), ADVICE)
def test_what_helps_is_advice(entity, rule, reference):
    (finding,) = [found for found in lint(entity, now=NOW) if found.rule == rule]
    assert finding.level is Level.INFO
    assert reference in finding.reference


def test_an_endpoint_of_another_protocol_is_no_matter():
    assert "metadata.endpoint.binding" not in rules(
        sp_with(assertion_consumer=endpoints(Binding.POST, "urn:oasis:names:tc:SAML:1.0:profiles:browser-post"))
    )


def test_an_sp_without_signing_key_that_promises_nothing_is_fine():
    assert "metadata.signing_key.promised" not in rules(
        sp_with(keys=(key("sp", "encryption"),), authn_requests_signed=False)
    )


def odd_certificate(not_after, serial=1):
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), private.public_key(), serial)
    builder = builder.not_valid_before(NOW - timedelta(days=9000)).not_valid_after(not_after)
    return builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)


@pytest.mark.parametrize("years", [-10, 30])
def test_a_certificate_is_judged_by_its_date_only_as_advice(years):
    der = odd_certificate(NOW + timedelta(days=365 * years))
    entity = sp_with(keys=(replace(key("sp"), certificate=der),))
    found = [finding for finding in lint(entity, now=NOW) if finding.rule == "metadata.key.expired"]
    assert [finding.level for finding in found] == ([Level.INFO] if years < 0 else [])
    assert "metadata.key.expired" not in {finding.rule for finding in lint(entity)}


def test_a_certificate_signed_with_a_broken_hash_is_advice():
    sha256, sha1 = bytes.fromhex("2a864886f70d01010b"), bytes.fromhex("2a864886f70d010105")
    entity = sp_with(keys=(replace(key("sp"), certificate=certificate_of("sp").replace(sha256, sha1)),))
    assert "metadata.key.certificate_hash" in rules(entity)


def test_a_certificate_that_cannot_be_taken_apart_is_advice():
    entity = sp_with(keys=(replace(key("sp"), certificate=b"0"),))
    assert "metadata.key.certificate" in rules(entity)


@pytest.mark.conformance("SDP-MD06")
@pytest.mark.parametrize(("bits", "use", "reference"), [(1024, "signing", "SDP-MD06"), (1024, None, "SDP-MD06")])
def test_a_key_too_short_is_skipped_with_its_place(bits, use, reference):
    private = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), private.public_key(), 1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    der = builder.sign(private, hashes.SHA256()).public_bytes(Encoding.DER)
    text = base64.b64encode(der).decode()
    document = entity_xml(sp_role_xml(key_xml("sp", use) + sso_xml())).replace(
        base64.b64encode(certificate_of("sp")).decode(), text
    )
    (found,) = reading.read_entities(xml.parse(document.encode()))
    (finding,) = [each for each in found.findings if each.rule == "metadata.key.unreadable"]
    assert finding.reference == reference
    assert finding.place == f"{SP_ID} KeyDescriptor {use or ''}".strip()


# The schemas


def test_published_metadata_keeps_to_the_schemas():
    for sample in SAMPLES.glob("*.xml"):
        assert lint_schema(xml.parse(sample.read_bytes()), "sample") == ()


@pytest.mark.conformance("IIP-MD05")
def test_what_breaks_a_schema_is_a_warning_and_one_bounded_line():
    document = entity_xml(sp_role_xml(), after='<md:ContactPerson contactType="a&#10;' + "x" * 1000 + '"/>')
    (finding,) = lint_schema(xml.parse(document.encode()), SP_ID)
    assert (finding.rule, finding.level, finding.place) == ("metadata.schema", Level.WARNING, SP_ID)
    assert "IIP-MD05" in finding.reference
    assert "\n" not in finding.message
    assert len(finding.message) < 400


def test_a_type_whose_prefix_canonicalisation_dropped_is_no_finding():
    value = (
        '<saml:AttributeValue xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">x'
        "</saml:AttributeValue>"
    )
    attribute = f'<saml:Attribute Name="urn:x">{value}</saml:Attribute>'
    document = entity_xml(sp_role_xml(), extensions=f"<mdattr:EntityAttributes>{attribute}</mdattr:EntityAttributes>")
    assert lint_schema(xml.parse(document.encode()), SP_ID) == ()


# Others' documents


def test_stock_metadata_misses_what_the_profiles_demand():
    (entity,) = reading.read_document((SAMPLES / "shibboleth-sp.xml").read_bytes())
    assert rules(entity) == {
        "metadata.valid_until.missing",
        "metadata.contact.missing",
        "metadata.contact.security",
        "metadata.requested_attribute.missing",
        "metadata.privacy.missing",
        "metadata.ui_info.missing",
        "metadata.logo.missing",
        "metadata.subject_id.missing",
        "metadata.algorithms.missing",
    }


def test_an_empty_entity_is_no_mistake_of_the_linter():
    assert rules(Entity("urn:x", idp=IdPRole(), sp=SPRole()))
