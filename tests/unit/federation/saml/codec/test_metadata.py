"""Whatever an entity holds is written and read back as the same value."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from federation.errors import ConfigurationError
from federation.saml import xml
from federation.saml.codec.metadata import entity_descriptor
from federation.saml.codec.metadata_schema import compile_schema, schema_problems
from federation.saml.metadata import reading
from federation.saml.metadata.entity import (
    AttributeConsumingService,
    Contact,
    EncryptionMethod,
    Endpoint,
    Entity,
    IdPRole,
    KeyDescriptor,
    Logo,
    Organization,
    RequestedAttribute,
    SigningMethod,
    SPRole,
    UIInfo,
)
from tests.metadata_factories import SAMPLES, certificate_of, ec_key, rsa_key

# Characters that XML carries; blanks at the ends are not kept, as the schema says of most of these types.
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
BITS = st.none() | st.integers(0, 16384)
URI = TEXT.map(lambda text: "urn:example:" + text)
URL = st.integers(1, 999).map(lambda number: f"https://host{number}.example.org/path?x=1&y=2")
PAIRS = st.lists(st.tuples(st.sampled_from(["en", "de", "pt-BR"]), TEXT), max_size=3).map(tuple)
LINKS = st.lists(st.tuples(st.sampled_from(["en", "de"]), URL), max_size=2).map(tuple)
INSTANT = st.none() | st.integers(0, 10**9).map(
    lambda seconds: datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
KEYS = st.sampled_from(
    [
        KeyDescriptor("signing", rsa_key("sp").public_key, certificate_of("sp")),
        KeyDescriptor(
            None,
            rsa_key("sp").public_key,
            certificate_of("sp"),
            (EncryptionMethod("urn:a"), EncryptionMethod("urn:b", ("urn:c",), ("urn:d",))),
        ),
        KeyDescriptor(
            "encryption", rsa_key("sp").public_key, None, (EncryptionMethod("urn:b", ("urn:c",), ("urn:d",)),)
        ),
        KeyDescriptor("signing", ec_key("sp").public_key),
    ]
)
ENDPOINT = st.builds(Endpoint, binding=URI, location=URL, response_location=st.none() | URL)


def indexed(strategy):
    """Endpoints with an index each, no two the same."""
    return st.lists(st.tuples(strategy, st.none() | st.booleans()), max_size=3).map(
        lambda pairs: tuple(
            Endpoint(endpoint.binding, endpoint.location, endpoint.response_location, index, default)
            for index, (endpoint, default) in enumerate(pairs)
        )
    )


UI_INFO = st.builds(
    UIInfo,
    display_names=PAIRS,
    descriptions=PAIRS,
    keywords=PAIRS,
    information_urls=LINKS,
    privacy_statement_urls=LINKS,
    logos=st.lists(st.builds(Logo, url=URL, height=st.integers(0, 999), width=st.integers(0, 999)), max_size=2).map(
        tuple
    ),
)
COMMON = {
    "keys": st.lists(KEYS, max_size=2).map(tuple),
    "valid_until": INSTANT,
    "error_url": st.none() | URL,
    "single_logout": st.lists(ENDPOINT, max_size=2).map(tuple),
    "artifact_resolution": indexed(ENDPOINT),
    "name_id_formats": st.lists(URI, max_size=2).map(tuple),
    "ui_info": UI_INFO,
    "signing_methods": st.lists(st.builds(SigningMethod, URI, BITS, BITS), max_size=2).map(tuple),
    "digest_algorithms": st.lists(URI, max_size=2).map(tuple),
}
REQUESTED = st.builds(
    RequestedAttribute,
    name=URI,
    name_format=st.none() | URI,
    friendly_name=st.none() | TEXT,
    is_required=st.booleans(),
    values=st.lists(TEXT, max_size=2).map(tuple),
)
SERVICES = st.lists(
    st.tuples(st.none() | st.booleans(), PAIRS, st.lists(REQUESTED, max_size=2).map(tuple)), max_size=2
).map(lambda rows: tuple(AttributeConsumingService(index, *row) for index, row in enumerate(rows)))
IDP = st.builds(
    IdPRole,
    **COMMON,
    single_sign_on=st.lists(ENDPOINT, max_size=2).map(tuple),
    want_authn_requests_signed=st.booleans(),
    scopes=st.lists(st.sampled_from(["example.org", "a.example", "b-c.example"]), unique=True).map(tuple),
)
SP = st.builds(
    SPRole,
    **COMMON,
    assertion_consumer=indexed(ENDPOINT),
    authn_requests_signed=st.booleans(),
    want_assertions_signed=st.booleans(),
    attribute_consuming=SERVICES,
)
CONTACT = st.builds(
    Contact,
    type=st.sampled_from(["technical", "support", "other"]),
    given_name=st.none() | TEXT,
    sur_name=st.none() | TEXT,
    company=st.none() | TEXT,
    emails=st.lists(st.sampled_from(["a@example.org", "b.c+d@example.org"]), max_size=2).map(tuple),
    telephones=st.lists(TEXT, max_size=1).map(tuple),
    remd_type=st.none() | URI,
)
ENTITY = st.builds(
    Entity,
    entity_id=URI,
    idp=st.none() | IDP,
    sp=st.none() | SP,
    valid_until=INSTANT,
    cache_duration=st.none() | st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds)),
    attributes=st.dictionaries(URI, st.lists(TEXT, max_size=2).map(tuple), max_size=2).map(lambda d: tuple(d.items())),
    organization=st.none() | st.builds(Organization, names=PAIRS, display_names=PAIRS, urls=LINKS),
    contacts=st.lists(CONTACT, max_size=2).map(tuple),
    registration_authority=st.none() | URI,
)


@settings(max_examples=60)
@given(ENTITY)
def test_any_entity_is_read_back_as_it_was_written(entity):
    assert reading.read_document(entity_descriptor(entity)) == (entity,)


@pytest.mark.parametrize("name", ["shibboleth-sp.xml", "shibboleth-sp-handler.xml", "mellon-sp.xml"])
def test_a_real_entity_is_written_with_the_same_meaning(name):
    (entity,) = reading.read_document((SAMPLES / name).read_bytes())
    document = entity_descriptor(entity, document_id="_x")
    assert reading.read_document(document) == (entity,)
    assert schema_problems(xml.parse(document)) == ()


def test_attribute_values_carry_no_type():
    entity = Entity("urn:x", sp=SPRole(), attributes=(("urn:a", ("v",)),))
    assert b"xsi" not in entity_descriptor(entity)


def test_what_xml_cannot_carry_is_our_mistake():
    with pytest.raises(ConfigurationError):
        entity_descriptor(Entity("urn:x\x00"))


def test_a_broken_document_has_its_problems_named():
    root = xml.parse(
        b'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"><md:Foo/></md:EntityDescriptor>'
    )
    problems = schema_problems(root)
    assert any("entityID" in problem for problem in problems)
    assert any("Foo" in problem for problem in problems)


def test_a_schema_that_is_not_packaged_is_never_fetched():
    """The import is answered with nothing: what it would define is unknown, and no socket was opened."""
    imported = '<xs:import namespace="urn:x" schemaLocation="https://schemas.example.org/x.dtd"/>'
    schema = compile_schema(f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">{imported}</xs:schema>')
    assert not schema.validate(etree.fromstring('<x xmlns="urn:x"/>'))
