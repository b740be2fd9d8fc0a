"""Signing what is already written never changes what it means, nor for how long others vouched for it."""

from datetime import timedelta

import pytest

from federation.errors import ConfigurationError, Malformed
from federation.saml import xml
from federation.saml.metadata import aggregate, reading
from federation.saml.metadata.origin import Pins
from federation.saml.metadata.signing import sign_document, sign_group, sign_member
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SP_ID,
    certificate_of,
    entity_xml,
    group_xml,
    idp_role_xml,
    published,
    rsa_key,
    signed,
    sp_entity,
    sp_role_xml,
)

OURS = Pins.of(certificates_der=[certificate_of("ours")])
DATES = {"signing_key": rsa_key("ours"), "document_id": "_new", "now": NOW}


def members(document):
    return list(aggregate.members(xml.canonical(xml.parse(document.encode()))))


def read(document):
    verified = aggregate.verify(document, now=NOW, pins=OURS)
    return verified, [member.entity for member in aggregate.members(verified.octets)]


def test_a_document_signed_again_says_the_same_for_another_while():
    document = published(sp_entity(), "sp")
    verified, (entity,) = read(sign_document(document, **DATES, validity=timedelta(days=3)))
    assert verified.valid_until == NOW + timedelta(days=3)
    (before,) = reading.read_document(document)
    assert (entity.sp, entity.contacts, entity.attributes) == (before.sp, before.contacts, before.attributes)


def test_an_aggregate_keeps_the_limits_of_its_members():
    near = 'validUntil="2026-03-02T00:00:00Z"'
    document = group_xml(entity_xml(sp_role_xml(), attributes=near), attributes='ID="_old"')
    _, (entity,) = read(sign_document(document.encode(), **DATES))
    assert entity.valid_until.isoformat() == "2026-03-02T00:00:00+00:00"


def test_what_is_no_metadata_is_not_signed():
    with pytest.raises(Malformed):
        sign_document(b"<html/>", **DATES)


def test_members_of_several_documents_become_one_group():
    first = members(signed(entity_xml(idp_role_xml(), entity_id=IDP_ID), "idp", document_id="_same").decode())
    second = members(signed(entity_xml(sp_role_xml()), "sp", document_id="_same").decode())
    document = sign_group([*first, *second], **DATES, name="urn:example:group")
    verified, entities = read(document)
    assert verified.is_group
    assert [entity.entity_id for entity in entities] == [IDP_ID, SP_ID]
    assert xml.parse(document).get("Name") == "urn:example:group"
    assert document.count(b"</ds:Signature>") == 1


def test_signing_never_prolongs_what_a_group_said_of_its_members():
    found = members(group_xml(entity_xml(sp_role_xml()), attributes='validUntil="2026-03-02T00:00:00Z"'))
    limit = found[0].entity.valid_until
    _, (among,) = read(sign_group(found, **DATES))
    verified, (alone,) = read(sign_member(found[0], **DATES))
    assert among.valid_until == alone.valid_until == verified.valid_until == limit
    assert alone.cache_duration <= limit - NOW


def test_a_member_without_a_limit_gets_ours():
    verified, _ = read(sign_member(members(entity_xml(sp_role_xml()))[0], **DATES))
    assert verified.valid_until == NOW + timedelta(days=21)


def test_a_group_of_nobody_is_not_published():
    with pytest.raises(ConfigurationError):
        sign_group([], **DATES)
