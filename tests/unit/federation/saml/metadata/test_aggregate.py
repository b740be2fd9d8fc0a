"""Documents of any size: what is verified is what is streamed, and each member can stand alone."""

import hashlib
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import xml
from federation.saml.metadata import aggregate, reading
from federation.saml.metadata.origin import Pins
from tests.bench import aggregate as synthetic
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SAMPLES,
    SP_ID,
    certificate_of,
    entity_xml,
    fingerprint_of,
    group_xml,
    idp_role_xml,
    key_xml,
    published,
    signed,
    sp_entity,
    sp_role_xml,
)

UNTIL = 'validUntil="2026-03-20T00:00:00Z"'
PINS = Pins.of(certificates_der=[certificate_of("federation")])
REGISTRATION = '<mdrpi:RegistrationInfo registrationAuthority="https://{}.example.org"/>'


def category(value):
    inner = f"<saml:AttributeValue>{value}</saml:AttributeValue>"
    attribute = f'<saml:Attribute Name="http://macedir.org/entity-category">{inner}</saml:Attribute>'
    return f"<mdattr:EntityAttributes>{attribute}</mdattr:EntityAttributes>"


def canonical(document):
    return xml.canonical(xml.parse(document.encode()))


def stream(document, **options):
    return list(aggregate.members(canonical(document), **options))


# Verifying


@pytest.mark.conformance("IIP-MD03")
def test_a_signed_aggregate_is_verified_by_the_pinned_key():
    document = group_xml(entity_xml(idp_role_xml(), entity_id=IDP_ID), entity_xml(sp_role_xml()), attributes=UNTIL)
    verified = aggregate.verify(signed(document, "federation"), now=NOW, pins=PINS)
    assert verified.signed
    assert verified.is_group
    assert verified.valid_until.isoformat() == "2026-03-20T00:00:00+00:00"
    assert b"Signature" not in verified.octets
    assert all(check.ok for check in verified.checks)


def test_a_pin_may_be_a_fingerprint_too():
    document = signed(group_xml(entity_xml(sp_role_xml()), attributes=UNTIL), "federation")
    pins = Pins.of(fingerprints=[fingerprint_of("federation")])
    assert aggregate.verify(document, now=NOW, pins=pins).signed


@pytest.mark.conformance("IIP-MD03")
def test_a_certificate_is_only_a_holder_of_its_key():
    """The signature carries no certificate at all: the pinned key is enough."""
    root = xml.parse(signed(group_xml(entity_xml(sp_role_xml()), attributes=UNTIL), "federation"))
    signature = root[0]
    signature.remove(signature[-1])
    assert aggregate.verify(xml.serialise(root), now=NOW, pins=PINS).signed


def test_without_pins_a_good_signature_is_known_but_proves_nothing():
    verified = aggregate.verify(published(sp_entity(), "sp"), now=NOW)
    assert not verified.signed
    assert verified.signer.certificate == certificate_of("sp")
    assert not verified.is_group


def test_an_unsigned_document_gives_its_canonical_form():
    document = entity_xml(sp_role_xml(), attributes=UNTIL)
    assert aggregate.verify(document.encode(), now=NOW).octets == canonical(document)


@pytest.mark.conformance("IIP-MD04", "SDP-MD03")
def test_the_limit_of_validity_is_settable():
    document = entity_xml(sp_role_xml(), attributes=UNTIL).encode()
    validity = aggregate.verify(document, now=NOW).valid_until - NOW
    assert aggregate.verify(document, now=NOW, max_validity=validity)
    with pytest.raises(Refused, match="limit"):
        aggregate.verify(document, now=NOW, max_validity=validity / 2)


def test_a_missing_validity_passes_by_a_named_exception_only():
    document = entity_xml(sp_role_xml()).encode()
    assert aggregate.verify(document, now=NOW, exceptions=["missing-valid-until"]).valid_until is None
    with pytest.raises(ConfigurationError):
        aggregate.verify(document, now=NOW, exceptions=["anything"])


# Streaming


def test_the_stream_reads_what_the_tree_reads():
    document = group_xml(
        entity_xml(idp_role_xml(), entity_id="urn:a"),
        group_xml(
            entity_xml(sp_role_xml(), entity_id="urn:b", extensions=category("own")),
            group_xml(entity_xml(sp_role_xml(), entity_id="urn:c", extensions=REGISTRATION.format("own"))),
            attributes='validUntil="2026-03-10T00:00:00Z" cacheDuration="PT1H"',
            extensions=category("inner") + REGISTRATION.format("inner"),
        ),
        attributes=UNTIL,
        extensions=category("outer") + REGISTRATION.format("outer"),
    )
    whole = [found.entity for found in reading.read_entities(xml.parse(document.encode()))]
    assert [member.entity for member in stream(document)] == whole
    assert [entity.registration_authority for entity in whole] == [
        "https://outer.example.org", "https://inner.example.org", "https://own.example.org",
    ]  # fmt: skip


@given(
    st.recursive(
        st.booleans(), lambda inner: st.tuples(st.booleans(), st.booleans(), st.lists(inner, max_size=3)), max_leaves=12
    )
)
@settings(max_examples=60)
def test_whatever_the_nesting_both_read_the_same(tree):
    count = iter(range(1000))

    def build(node):
        if isinstance(node, bool):
            extensions = category(f"c{next(count)}") if node else ""
            return entity_xml(sp_role_xml(""), entity_id=f"urn:x:{next(count)}", extensions=extensions)
        categories, registered, inner = node
        extensions = (category(f"g{next(count)}") if categories else "") + (
            REGISTRATION.format(f"r{next(count)}") if registered else ""
        )
        return group_xml(*map(build, inner), extensions=extensions)

    document = build(tree)
    whole = [found.entity for found in reading.read_entities(xml.parse(document.encode()))]
    assert [member.entity for member in stream(document)] == whole


def test_a_member_is_a_document_of_its_own_with_a_digest():
    document = group_xml(
        entity_xml(sp_role_xml(key_xml("sp", None)), extensions=category("own")), extensions=category("group")
    )
    (member,) = stream(document)
    assert member.digest == hashlib.sha256(member.octets).hexdigest()
    assert reading.read_document(member.octets) == (member.entity,)
    assert xml.canonical(xml.parse(member.octets)) == member.octets
    assert member.entity.attribute("http://macedir.org/entity-category") == ("group", "own")


def test_a_renewed_validity_of_the_group_changes_no_member():
    first, second = (
        stream(group_xml(entity_xml(sp_role_xml()), attributes=f'ID="{name}" validUntil="2026-03-{day}T00:00:00Z"'))
        for name, day in (("_a", 10), ("_b", 11))
    )
    assert [member.digest for member in first] == [member.digest for member in second]
    assert first[0].entity.valid_until != second[0].entity.valid_until


def test_how_a_document_is_written_changes_no_member():
    document = entity_xml(sp_role_xml(), extensions=category("x"))
    other = document.replace("'", '"').replace("/>", " />").replace(' entityID="', '  entityID="')
    assert stream(document)[0].digest == stream(f"<?xml version='1.0'?>{other}")[0].digest


def test_what_changes_a_member_changes_its_digest_alone():
    before = stream(
        group_xml(entity_xml(sp_role_xml(), entity_id="urn:a"), entity_xml(sp_role_xml(), entity_id="urn:b"))
    )
    after = stream(
        group_xml(entity_xml(sp_role_xml(), entity_id="urn:a"), entity_xml(idp_role_xml(), entity_id="urn:b"))
    )
    assert before[0].digest == after[0].digest
    assert before[1].digest != after[1].digest


def test_what_only_tells_of_the_aggregate_stays_with_it():
    publication = '<mdrpi:PublicationInfo publisher="https://example.org" creationInstant="2026-03-01T00:00:00Z"/>'
    (member,) = stream(group_xml(entity_xml(sp_role_xml()), extensions=publication))
    assert b"PublicationInfo" not in member.octets


def test_a_signed_member_without_extensions_gets_them_where_the_schema_has_them():
    inner = signed(entity_xml(sp_role_xml()), "sp", document_id="_inner").decode()
    (member,) = stream(group_xml(inner, extensions=category("group")))
    assert [xml.local_name(child) for child in xml.parse(member.octets)][:2] == ["Signature", "Extensions"]
    assert not [finding for finding in member.findings if finding.rule == "metadata.schema"]


def test_a_member_carries_what_reading_lint_and_schema_find():
    contact = '<md:ContactPerson contactType="boss"/>'
    (member,) = stream(entity_xml(sp_role_xml(key_xml("sp", "other")), after=contact))
    rules = {finding.rule for finding in member.findings}
    assert {"metadata.key.use", "metadata.schema", "metadata.encryption_key.missing"} <= rules
    assert all(finding.place.startswith(SP_ID) for finding in member.findings)


def test_stock_metadata_is_a_stream_of_one():
    for sample in SAMPLES.glob("*.xml"):
        (member,) = aggregate.members(xml.canonical(xml.parse(sample.read_bytes())), allow_http_loopback=True)
        assert (member.entity,) == reading.read_document(sample.read_bytes())


def test_a_group_may_be_empty():
    assert stream(group_xml(attributes=UNTIL)) == []


def test_a_synthetic_federation_is_acceptable_and_has_keys_of_its_own(tmp_path):
    """What tests/bench measures with is a document like any other."""
    document, signer = synthetic.write(tmp_path, now=NOW, entities=20)
    pins = Pins.of(certificates_der=[signer.read_bytes()])
    verified = aggregate.verify(document.read_bytes(), now=NOW, pins=pins)
    found = list(aggregate.members(verified.octets))
    keys = [key.public_key for each in found for key in (each.entity.idp or each.entity.sp).keys]
    assert len(set(keys)) == len(keys) == 40
    assert not {"metadata.schema", "metadata.key.unreadable"} & {each.rule for one in found for each in one.findings}


def test_memory_does_not_grow_with_the_number_of_members():
    def peak(count):
        octets = canonical(group_xml(*(entity_xml(sp_role_xml(), entity_id=f"urn:{n}") for n in range(count))))
        tracemalloc.start()
        for _ in aggregate.members(octets):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(2)
    assert peak(300) < peak(30) + 200_000


def test_octets_cut_short_are_malformed():
    octets = canonical(group_xml(entity_xml(sp_role_xml())))
    with pytest.raises(Malformed):
        list(aggregate.members(octets[:-30]))
