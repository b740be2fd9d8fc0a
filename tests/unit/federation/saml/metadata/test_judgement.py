"""One judgement for a single entity and for an aggregate."""

from datetime import timedelta

import pytest

from federation.saml.metadata.findings import Level
from federation.saml.metadata.judgement import judge
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SP_ID,
    entity_xml,
    group_xml,
    idp_role_xml,
    key_xml,
    published,
    sp_entity,
    sp_role_xml,
    sso_xml,
)

UNTIL = 'validUntil="2026-03-20T00:00:00Z"'


def verdict(document, **options):
    return judge(document.encode() if isinstance(document, str) else document, now=NOW, **options)


def test_roles_and_the_earliest_limit_are_listed():
    roles = sp_role_xml(attributes='validUntil="2026-03-05T00:00:00Z"') + idp_role_xml()
    roles += '<md:AttributeAuthorityDescriptor protocolSupportEnumeration="urn:x"/>'
    (listed,) = verdict(entity_xml(roles, attributes=UNTIL)).entities
    assert listed.entity_id == SP_ID
    assert listed.roles == ("idp", "sp", "AttributeAuthorityDescriptor")
    assert listed.valid_until.isoformat() == "2026-03-05T00:00:00+00:00"


@pytest.mark.conformance("SDP-MD02")
def test_what_nobody_vouches_for_is_said_once():
    result = verdict(published(sp_entity(), "sp"))
    assert result.accepted
    (finding,) = [each for each in result.findings if each.rule == "metadata.unsigned"]
    assert finding.message.startswith("the document is signed, but no key is pinned")
    unsigned = verdict(entity_xml(sp_role_xml(), attributes=UNTIL))
    assert "the document is not signed" in unsigned.findings[0].message


@pytest.mark.parametrize(
    ("roles", "rule"),
    [
        ('<md:AttributeAuthorityDescriptor protocolSupportEnumeration="urn:x"/>', "metadata.role"),
        (sp_role_xml(protocols="urn:oasis:names:tc:SAML:1.1:protocol"), "metadata.role"),
        (sp_role_xml(key_xml("sp")), "metadata.endpoint.usable"),
        (idp_role_xml(sso_xml()), "metadata.keys"),
        (sp_role_xml() + idp_role_xml(key_xml("idp")), "metadata.endpoint.usable"),
        (sp_role_xml(attributes='validUntil="2026-02-01T00:00:00Z"'), "metadata.valid_until.future"),
    ],
)
def test_an_entity_that_cannot_be_used_is_refused_alone_and_noted_among_others(roles, rule):
    alone = verdict(entity_xml(roles, attributes=UNTIL))
    assert alone.error.rule == rule
    among = verdict(group_xml(entity_xml(roles), entity_xml(sp_role_xml(), entity_id=IDP_ID), attributes=UNTIL))
    assert among.accepted
    assert [(each.rule, each.place) for each in among.findings if each.level is Level.ERROR] == [(rule, SP_ID)]


def test_the_clock_may_be_a_little_off():
    document = entity_xml(sp_role_xml(), attributes='validUntil="2026-03-01T11:58:00Z"')
    assert verdict(document).accepted
    assert not verdict(document, skew=timedelta(0)).accepted
