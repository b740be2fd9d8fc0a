"""The Metadata Query Protocol without its HTTP."""

from datetime import timedelta

import pytest

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.metadata import aggregate, query, signing
from federation.saml.metadata.origin import Pins
from tests.metadata_factories import NOW, SP_ID, certificate_of, entity_xml, group_xml, rsa_key, sp_entity, sp_role_xml

KEY = rsa_key("ours")


def member(document=None):
    document = document or entity_xml(sp_role_xml())
    (found,) = aggregate.members(xml.canonical(xml.parse(document.encode())))
    return found


def test_the_transformed_identifier_is_the_sha_1_of_the_entity_id():
    assert query.sha1_identifier("http://example.org/service") == "{sha1}11d72e8cf351eb6c75c721e838f469677ab41bdb"


def test_identifiers_are_percent_encoded_in_a_path():
    assert query.request_path("http://example.org/service") == "entities/http%3A%2F%2Fexample.org%2Fservice"
    assert query.request_path(query.sha1_identifier("urn:x")).startswith("entities/%7Bsha1%7D")


@pytest.mark.parametrize("identifier", [SP_ID, query.sha1_identifier(SP_ID), query.sha1_identifier(SP_ID).upper()])
def test_an_entity_is_found_by_either_identifier(identifier):
    identifier = identifier.replace("{SHA1}", "{sha1}")
    wanted = query.wanted(identifier)
    assert wanted.means(SP_ID)
    assert not wanted.means("https://other.example.org")


def test_no_identifier_means_all():
    assert query.wanted("") == query.Wanted()
    assert query.wanted("").means("urn:anything")


@pytest.mark.parametrize("identifier", ["{md5}00", "{sha1}00", "{sha256}" + "0" * 64, "relative", "urn:" + "x" * 300])
def test_what_can_be_no_entity_is_told_at_once(identifier):
    assert query.wanted(identifier) is None


def test_an_answer_is_one_signed_entity():
    answer = query.answer(member(), signing_key=KEY, now=NOW)
    verified = aggregate.verify(answer.body, now=NOW, pins=Pins.of(certificates_der=[certificate_of("ours")]))
    assert not verified.is_group
    assert [each.entity.entity_id for each in aggregate.members(verified.octets)] == [SP_ID]
    assert answer.valid_until == verified.valid_until == NOW + timedelta(days=21)


def test_an_answer_is_the_same_within_a_period_and_new_after_it():
    first, same, later = (
        query.answer(member(), signing_key=KEY, now=NOW + timedelta(minutes=minutes)) for minutes in (0, 59, 60)
    )
    assert first == same
    assert (first.etag, first.body) != (later.etag, later.body)
    assert first.last_modified == NOW
    assert later.last_modified == NOW + timedelta(hours=1)


def test_an_answer_changes_with_the_entity():
    other = member(entity_xml(sp_role_xml(), attributes='cacheDuration="PT1H"'))
    assert query.answer(member(), signing_key=KEY, now=NOW).etag != query.answer(other, signing_key=KEY, now=NOW).etag


def test_an_answer_never_outlives_its_entity():
    near = member(group_xml(entity_xml(sp_role_xml()), attributes='validUntil="2026-03-01T13:00:00Z"'))
    answer = query.answer(near, signing_key=KEY, now=NOW)
    assert answer.valid_until == NOW + timedelta(hours=1)
    assert query.answer(near, signing_key=KEY, now=NOW + timedelta(hours=1)) is None


def test_everything_is_one_signed_group_in_which_each_keeps_its_limit():
    near = member(group_xml(entity_xml(sp_role_xml()), attributes='validUntil="2026-03-01T13:00:00Z"'))
    ours = signing.member_for(sp_entity(entity_id="urn:ours"))
    answer = query.everything([ours, near], name="urn:all", signing_key=KEY, now=NOW)
    verified = aggregate.verify(answer.body, now=NOW, pins=Pins.of(certificates_der=[certificate_of("ours")]))
    assert verified.is_group
    limits = {each.entity.entity_id: each.entity.valid_until for each in aggregate.members(verified.octets)}
    assert limits == {"urn:ours": NOW + timedelta(days=21), SP_ID: NOW + timedelta(hours=1)}


def test_an_answer_may_be_kept_no_longer_than_its_entity_says():
    brief = member(entity_xml(sp_role_xml(), attributes='cacheDuration="PT1H"'))
    assert b'cacheDuration="PT3600S"' in query.answer(brief, signing_key=KEY, now=NOW).body


def test_one_entity_is_taken_out_of_a_document_and_must_be_there():
    document = group_xml(entity_xml(sp_role_xml()), entity_xml(sp_role_xml(), entity_id="urn:other"))
    octets = xml.canonical(xml.parse(document.encode()))
    assert aggregate.member(octets, "urn:other").entity.entity_id == "urn:other"
    with pytest.raises(Malformed):
        aggregate.member(octets, "urn:nobody")
