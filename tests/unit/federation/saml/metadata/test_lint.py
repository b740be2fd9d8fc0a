from dataclasses import replace

import pytest

from federation.saml.metadata import reading
from federation.saml.metadata.entity import Entity, IdPRole, KeyDescriptor, SPRole, UIInfo
from federation.saml.metadata.lint import lint
from federation.saml.names import SUBJECT_ID_REQ
from tests.metadata_factories import NOW, SAMPLES, ec_key, idp_entity, rsa_key, sp_entity


def rules(entity):
    return {finding.rule for finding in lint(entity)}


def sp_with(**changes):
    entity = sp_entity(valid_until=NOW)
    return replace(entity, sp=replace(entity.sp, **changes))


def idp_with(**changes):
    entity = idp_entity(valid_until=NOW)
    return replace(entity, idp=replace(entity.idp, **changes))


@pytest.mark.parametrize("entity", [sp_with(), idp_with()])
def test_complete_metadata_lacks_only_a_logout_endpoint(entity):
    assert rules(entity) == {"metadata.logout.missing"}


@pytest.mark.parametrize(
    ("entity", "rule"),
    [
        (sp_entity(), "metadata.valid_until.missing"),
        (sp_entity(contacts=()), "metadata.contact.missing"),
        (sp_entity(attributes=()), "metadata.subject_id.missing"),
        (sp_entity(attributes=((SUBJECT_ID_REQ, ("eppn",)),)), "metadata.subject_id.unknown"),
        (sp_entity(attributes=((SUBJECT_ID_REQ, ("any", "none")),)), "metadata.subject_id.unknown"),
        (sp_with(ui_info=UIInfo()), "metadata.ui_info.missing"),
        (sp_with(ui_info=UIInfo()), "metadata.logo.missing"),
        (sp_with(ui_info=UIInfo()), "metadata.privacy.missing"),
        (sp_with(keys=()), "metadata.encryption_key.missing"),
        (sp_with(keys=(KeyDescriptor(None, ec_key("sp").public_key),)), "metadata.encryption_key.unfit"),
        (
            sp_with(
                keys=(
                    KeyDescriptor(
                        None, rsa_key("sp").public_key, None, ("http://www.w3.org/2001/04/xmlenc#aes256-cbc",)
                    ),
                )
            ),
            "metadata.encryption_key.unfit",
        ),
        (sp_with(attribute_consuming=()), "metadata.requested_attribute.missing"),
        (idp_with(scopes=()), "metadata.scope.missing"),
        (idp_with(error_url=None), "metadata.error_url.missing"),
    ],
)
def test_what_is_missing_is_named_with_its_profile_id(entity, rule):
    (finding,) = [found for found in lint(entity) if found.rule == rule]
    assert finding.reference
    assert finding.message


def test_stock_metadata_misses_what_the_profiles_demand():
    (entity,) = reading.read_document((SAMPLES / "shibboleth-sp.xml").read_bytes())
    assert rules(entity) == {
        "metadata.valid_until.missing",
        "metadata.contact.missing",
        "metadata.requested_attribute.missing",
        "metadata.privacy.missing",
        "metadata.ui_info.missing",
        "metadata.logo.missing",
        "metadata.subject_id.missing",
    }


def test_an_empty_entity_is_no_mistake_of_the_linter():
    assert rules(Entity("urn:x", idp=IdPRole(), sp=SPRole()))
