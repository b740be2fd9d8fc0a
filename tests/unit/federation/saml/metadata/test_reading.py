from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from federation.errors import Malformed
from federation.saml import xml
from federation.saml.metadata import reading
from federation.saml.metadata.entity import EncryptionMethod, Endpoint, RequestedAttribute
from tests.metadata_factories import (
    POST,
    SAML2,
    SAMPLES,
    acs_xml,
    entity_xml,
    group_xml,
    idp_role_xml,
    key_xml,
    sp_role_xml,
    sso_xml,
)


def read(text):
    (found,) = reading.read_entities(xml.parse(text.encode()))
    return found.entity, [finding.rule for finding in found.findings]


def read_sp(inner, **options):
    entity, rules = read(entity_xml(sp_role_xml(inner, **options)))
    return entity.sp, rules


# Documents


def test_a_document_holds_one_entity_or_groups_of_any_depth_in_order():
    one, two, three = (entity_xml(sp_role_xml(), entity_id=f"https://{n}.example.org") for n in ("one", "two", "three"))
    document = group_xml(one, group_xml(group_xml(two)), three)
    assert [entity.entity_id for entity in reading.read_document(document.encode())] == [
        "https://one.example.org",
        "https://two.example.org",
        "https://three.example.org",
    ]
    assert reading.read_document(group_xml().encode()) == ()


@pytest.mark.parametrize(
    "document", ["<x/>", '<EntityDescriptor entityID="urn:x"/>', "<md:EntityDescriptor/>", "", "<md"]
)
def test_anything_else_is_malformed(document):
    with pytest.raises(Malformed):
        reading.read_document(document.encode())


@pytest.mark.parametrize("entity_id", ["", "  "])
def test_an_entity_without_an_identifier_is_malformed(entity_id):
    with pytest.raises(Malformed, match="entityID"):
        read(entity_xml(sp_role_xml(), entity_id=entity_id))


@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_any_octets_are_read_or_malformed(octets):
    with suppress(Malformed):
        reading.read_document(octets)


# Validity


def test_the_earliest_validity_and_the_shortest_cache_duration_of_all_levels_count():
    entity = entity_xml(sp_role_xml(), attributes='validUntil="2026-03-03T00:00:00Z" cacheDuration="PT2H"')
    inner = group_xml(entity, attributes='validUntil="2026-03-02T00:00:00Z" cacheDuration="PT3H"')
    found, _ = read(group_xml(inner, attributes='validUntil="2026-03-04T00:00:00Z" cacheDuration="PT1H"'))
    assert found.valid_until == datetime(2026, 3, 2, tzinfo=UTC)
    assert found.cache_duration == timedelta(hours=1)


def test_a_role_keeps_a_validity_of_its_own():
    entity, _ = read(entity_xml(sp_role_xml(attributes='validUntil="2026-03-02T00:00:00Z"')))
    assert entity.valid_until is None
    assert entity.sp.valid_until == datetime(2026, 3, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "document",
    [
        entity_xml(sp_role_xml(), attributes='validUntil="tomorrow"'),
        entity_xml(sp_role_xml(attributes='validUntil="2026-02-30T00:00:00Z"')),
        group_xml(entity_xml(sp_role_xml()), attributes='validUntil=""'),
    ],
)
def test_a_validity_that_cannot_be_read_never_reads_as_no_limit(document):
    with pytest.raises(Malformed):
        read(document)


@pytest.mark.parametrize("duration", ["soon", "-PT1H", "P", ""])
def test_a_cache_duration_that_cannot_be_read_is_only_noted(duration):
    entity, rules = read(entity_xml(sp_role_xml(), attributes=f'cacheDuration="{duration}"'))
    assert entity.cache_duration is None
    assert rules == ["metadata.cache_duration"]


# Roles


def test_an_entity_may_have_both_roles():
    entity, _ = read(entity_xml(idp_role_xml() + sp_role_xml()))
    assert entity.idp is not None
    assert entity.sp is not None


def test_roles_of_other_protocols_and_kinds_are_named_and_left_alone():
    others = (
        sp_role_xml(protocols="urn:oasis:names:tc:SAML:1.1:protocol")
        + f'<md:AttributeAuthorityDescriptor protocolSupportEnumeration="{SAML2}"/>'
        + '<md:RoleDescriptor xmlns:fed="http://docs.oasis-open.org/wsfed/federation/200706" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="fed:SecurityTokenServiceType"><fed:x/>'
        "</md:RoleDescriptor>"
    )
    entity, rules = read(entity_xml(others + idp_role_xml()))
    assert entity.sp is None
    assert entity.idp is not None
    assert entity.other_roles == ("SPSSODescriptor", "AttributeAuthorityDescriptor", "RoleDescriptor")
    assert rules == []


def test_a_role_may_speak_other_protocols_too():
    assert read_sp(None, protocols=f"urn:oasis:names:tc:SAML:1.1:protocol {SAML2}")[0] is not None


def test_of_several_roles_of_one_kind_the_first_counts():
    first, second = sp_role_xml(acs_xml("https://one.example.org/")), sp_role_xml(acs_xml("https://two.example.org/"))
    entity, rules = read(entity_xml(first + second))
    assert [endpoint.location for endpoint in entity.sp.assertion_consumer] == ["https://one.example.org/"]
    assert rules == ["metadata.role.several"]


@pytest.mark.conformance("IIP-MD05")
def test_elements_out_of_order_and_unknown_ones_do_no_harm():
    unknown = '<x:thing xmlns:x="urn:x"><x:deep>1</x:deep></x:thing>'
    role = sp_role_xml(acs_xml() + unknown + key_xml("sp", None), extensions=unknown)
    after = f"<md:Extensions>{unknown}</md:Extensions>"
    entity, rules = read(entity_xml(unknown + role, after=after))
    assert len(entity.sp.keys) == len(entity.sp.assertion_consumer) == 1
    assert rules == []


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("false", False), ("0", False), (" true ", True)]
)
def test_flags_are_read_as_the_schema_writes_them(text, value):
    sp, rules = read_sp(None, attributes=f'AuthnRequestsSigned="{text}" WantAssertionsSigned="{text}"')
    assert (sp.authn_requests_signed, sp.want_assertions_signed) == (value, value)
    entity, _ = read(entity_xml(idp_role_xml(attributes=f'WantAuthnRequestsSigned="{text}"')))
    assert entity.idp.want_authn_requests_signed == value
    assert rules == []


def test_a_flag_that_is_neither_true_nor_false_is_noted():
    sp, rules = read_sp(None, attributes='AuthnRequestsSigned="TRUE"')
    assert not sp.authn_requests_signed
    assert rules == ["metadata.boolean"]


def test_one_bad_key_does_not_stand_in_the_way_of_a_good_one():
    bad = '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:KeyName>x</ds:KeyName></ds:KeyInfo></md:KeyDescriptor>'
    sp, rules = read_sp(bad + key_xml("sp") + acs_xml())
    assert len(sp.keys) == 1
    assert rules == ["metadata.key.unreadable"]


# Endpoints


def test_endpoints_keep_binding_locations_index_and_default():
    slo = (
        f'<md:SingleLogoutService Binding="{POST}" Location="https://sp.example.org/slo" '
        'ResponseLocation="https://sp.example.org/slo/answer"/>'
    )
    acs = acs_xml("https://sp.example.org/a", 'index="0"') + acs_xml(
        "https://sp.example.org/b", 'index="7" isDefault="true"'
    )
    sp, rules = read_sp(slo + acs)
    assert sp.single_logout == (Endpoint(POST, "https://sp.example.org/slo", "https://sp.example.org/slo/answer"),)
    assert sp.assertion_consumer == (
        Endpoint(POST, "https://sp.example.org/a", index=0),
        Endpoint(POST, "https://sp.example.org/b", index=7, is_default=True),
    )
    assert rules == []


@pytest.mark.parametrize(
    "location", ["javascript:alert(1)", "/acs", "", "https://u@sp.example.org/", "https://sp.example.org/&#10;x"]
)
def test_an_endpoint_nobody_may_be_sent_to_is_left_out_as_an_error(location):
    sp, rules = read_sp(acs_xml(location) + acs_xml("https://sp.example.org/ok", 'index="2"'))
    assert [endpoint.location for endpoint in sp.assertion_consumer] == ["https://sp.example.org/ok"]
    assert rules == ["metadata.endpoint.location"]


def test_so_is_one_whose_response_location_is_bad():
    slo = f'<md:SingleLogoutService Binding="{POST}" Location="https://sp.example.org/" ResponseLocation="data:x"/>'
    sp, rules = read_sp(slo)
    assert sp.single_logout == ()
    assert rules == ["metadata.endpoint.location"]


def test_an_endpoint_without_a_binding_is_left_out():
    sp, rules = read_sp(acs_xml(binding=""))
    assert sp.assertion_consumer == ()
    assert rules == ["metadata.endpoint.binding"]


def test_an_index_that_is_used_twice_means_the_first_endpoint():
    sp, rules = read_sp(acs_xml("https://sp.example.org/a") + acs_xml("https://sp.example.org/b"))
    assert [(endpoint.location, endpoint.index) for endpoint in sp.assertion_consumer] == [
        ("https://sp.example.org/a", 1),
        ("https://sp.example.org/b", None),
    ]
    assert rules == ["metadata.index.duplicate"]


@pytest.mark.parametrize("index", ["", 'index="-1"', 'index="65536"', 'index="one"', 'index="１"'])
def test_an_index_that_is_none_is_noted_and_the_endpoint_stays(index):
    sp, rules = read_sp(acs_xml(attributes=index))
    assert sp.assertion_consumer[0].index is None
    assert rules == ["metadata.index.missing"]


# What an SP asks for


def service(inner, index='index="1"'):
    name = '<md:ServiceName xml:lang="en">S</md:ServiceName>'
    return f"<md:AttributeConsumingService {index}>{name}{inner}</md:AttributeConsumingService>"


def requested(attributes, inner=""):
    return f"<md:RequestedAttribute {attributes}>{inner}</md:RequestedAttribute>"


def test_requested_attributes_are_read_in_full():
    values = "<saml:AttributeValue>staff</saml:AttributeValue><saml:AttributeValue> board </saml:AttributeValue>"
    inner = requested('Name="urn:a" NameFormat="urn:f" FriendlyName="a" isRequired="true"', values)
    sp, rules = read_sp(acs_xml() + service(inner))
    (found,) = sp.attribute_consuming
    assert found.index == 1
    assert found.names == (("en", "S"),)
    assert found.requested == (RequestedAttribute("urn:a", "urn:f", "a", True, ("staff", "board")),)
    assert rules == []


@pytest.mark.parametrize(
    "bad",
    [
        requested(""),
        requested('Name=" "'),
        requested('Name="urn:b"', "<saml:AttributeValue><x/></saml:AttributeValue>"),
    ],
)
def test_one_malformed_request_does_not_block_the_rest(bad):
    sp, rules = read_sp(acs_xml() + service(requested('Name="urn:a"') + bad + requested('Name="urn:c"')))
    assert [attribute.name for attribute in sp.attribute_consuming[0].requested] == ["urn:a", "urn:c"]
    assert rules == ["metadata.requested_attribute"]


def test_a_service_without_an_index_gets_a_free_one_and_a_repeated_index_means_the_first():
    a, b = requested('Name="urn:a"'), requested('Name="urn:b"')
    sp, rules = read_sp(acs_xml() + service(a, 'index="0"') + service(b, "") + service(b, 'index="0"'))
    assert [(found.index, found.requested[0].name) for found in sp.attribute_consuming] == [(0, "urn:a"), (1, "urn:b")]
    assert rules == ["metadata.index.missing", "metadata.index.duplicate"]


# Extensions


@pytest.mark.conformance("IIP-MD05")
def test_entity_attributes_of_the_entity_and_of_its_groups_add_up():
    def categories(*values):
        inner = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        attribute = f'<saml:Attribute Name="urn:category">{inner}</saml:Attribute>'
        return f"<mdattr:EntityAttributes>{attribute}</mdattr:EntityAttributes>"

    entity = entity_xml(sp_role_xml(), extensions=categories("urn:rs", "urn:coco"))
    found, _ = read(group_xml(entity, extensions=categories("urn:all")))
    assert found.attribute("urn:category") == ("urn:all", "urn:rs", "urn:coco")
    assert found.attribute("urn:other") == ()


def test_the_innermost_registration_counts():
    def registered(by):
        return f'<mdrpi:RegistrationInfo registrationAuthority="{by}"/>'

    inside = entity_xml(sp_role_xml(), extensions=registered("https://inner.example"))
    outside = entity_xml(sp_role_xml(), entity_id="urn:other")
    document = group_xml(inside, outside, extensions=registered("https://outer.example"))
    assert [entity.registration_authority for entity in reading.read_document(document.encode())] == [
        "https://inner.example",
        "https://outer.example",
    ]


def test_scopes_of_role_and_entity_are_literal_and_lower_case():
    scopes = (
        '<shibmd:Scope regexp="false">Example.ORG</shibmd:Scope><shibmd:Scope>second.example</shibmd:Scope>'
        '<shibmd:Scope regexp="true">.*</shibmd:Scope>'
        '<shibmd:Scope regexp="1">a</shibmd:Scope><shibmd:Scope>a b</shibmd:Scope>'
    )
    entity, rules = read(
        entity_xml(idp_role_xml(extensions=scopes), extensions="<shibmd:Scope>third.example</shibmd:Scope>")
    )
    assert entity.idp.scopes == ("example.org", "second.example", "third.example")
    assert rules == ["metadata.scope"] * 3


@pytest.mark.conformance("IIP-MD05")
def test_the_algorithms_of_the_role_replace_those_of_the_entity():
    def methods(*names):
        return "".join(f'<alg:SigningMethod Algorithm="{name}"/>' for name in names)

    document = entity_xml(
        idp_role_xml(extensions=methods("urn:role")) + sp_role_xml(), extensions=methods("urn:a", "urn:b")
    )
    entity, _ = read(document)
    assert entity.idp.signing_algorithms == ("urn:role",)
    assert entity.sp.signing_algorithms == ("urn:a", "urn:b")
    assert entity.sp.digest_algorithms == ()


def test_discovery_endpoints_are_kept_and_bad_ones_are_errors():
    def response(location):
        return f'<idpdisc:DiscoveryResponse Binding="urn:d" Location="{location}" index="1"/>'

    sp, rules = read_sp(None, extensions=response("https://sp.example.org/ds") + response("javascript:1"))
    assert sp.extension_endpoints == (("DiscoveryResponse", Endpoint("urn:d", "https://sp.example.org/ds", index=1)),)
    assert rules == ["metadata.endpoint.location"]


# Presentation


@pytest.mark.conformance("IIP-MD05", "SDP-MD10")
def test_texts_links_and_logos_are_read_and_what_a_browser_would_run_is_dropped():
    info = (
        '<mdui:UIInfo><mdui:DisplayName xml:lang="en"> Example </mdui:DisplayName>'
        '<mdui:DisplayName xml:lang="de">Beispiel</mdui:DisplayName>'
        '<mdui:DisplayName xml:lang="fr"> </mdui:DisplayName>'
        '<mdui:Description xml:lang="en">A &lt;b&gt;</mdui:Description>'
        '<mdui:InformationURL xml:lang="en">javascript:alert(1)</mdui:InformationURL>'
        '<mdui:PrivacyStatementURL xml:lang="en">https://example.org/p</mdui:PrivacyStatementURL>'
        '<mdui:Logo height="16" width="16">https://example.org/l.png</mdui:Logo>'
        '<mdui:Logo height="16" width="16">http://example.org/l.png</mdui:Logo>'
        '<mdui:Logo width="16">https://example.org/l.png</mdui:Logo></mdui:UIInfo>'
    )
    sp, rules = read_sp(None, extensions=info)
    assert sp.ui_info.display_names == (("en", "Example"), ("de", "Beispiel"))
    assert sp.ui_info.descriptions == (("en", "A <b>"),)
    assert sp.ui_info.information_urls == ()
    assert sp.ui_info.privacy_statement_urls == (("en", "https://example.org/p"),)
    assert [(logo.url, logo.height, logo.width) for logo in sp.ui_info.logos] == [("https://example.org/l.png", 16, 16)]
    assert rules == ["metadata.link", "metadata.logo", "metadata.logo"]


def test_an_error_url_that_a_browser_would_run_is_dropped():
    good, _ = read(entity_xml(idp_role_xml(attributes='errorURL="https://idp.example.org/error"')))
    bad, rules = read(entity_xml(idp_role_xml(attributes='errorURL="javascript:alert(1)"')))
    assert good.idp.error_url == "https://idp.example.org/error"
    assert bad.idp.error_url is None
    assert rules == ["metadata.link"]


def test_contacts_lose_mailto_and_keep_their_refeds_type():
    contact = (
        '<md:ContactPerson contactType="other" remd:contactType="http://refeds.org/metadata/contactType/security">'
        "<md:Company>Ex</md:Company><md:GivenName>Sam</md:GivenName><md:SurName>Sec</md:SurName>"
        "<md:EmailAddress>mailto:sec@example.org</md:EmailAddress><md:EmailAddress>MAILTO:two@example.org</md:EmailAddress>"
        "<md:EmailAddress>x@example.org&#10;Bcc: all@example.org</md:EmailAddress>"
        "<md:TelephoneNumber>+1 2</md:TelephoneNumber></md:ContactPerson>"
    )
    entity, rules = read(entity_xml(sp_role_xml(), after=contact))
    (found,) = entity.contacts
    assert found.emails == ("sec@example.org", "two@example.org")
    assert (found.type, found.given_name, found.sur_name, found.company) == ("other", "Sam", "Sec", "Ex")
    assert found.telephones == ("+1 2",)
    assert found.remd_type == "http://refeds.org/metadata/contactType/security"
    assert rules == ["metadata.contact.email"]


def test_an_organisation_gives_a_name_when_there_is_no_other():
    organization = (
        '<md:Organization><md:OrganizationName xml:lang="en">Ex Ltd</md:OrganizationName>'
        '<md:OrganizationDisplayName xml:lang="en">Ex</md:OrganizationDisplayName>'
        '<md:OrganizationURL xml:lang="en">http://example.org/</md:OrganizationURL></md:Organization>'
    )
    entity, _ = read(entity_xml(sp_role_xml(), after=organization))
    assert entity.display_name() == "Ex"
    assert entity.organization.urls == (("en", "http://example.org/"),)


# Real documents


def test_stock_shibboleth_metadata_is_read():
    (entity,) = reading.read_document((SAMPLES / "shibboleth-sp.xml").read_bytes())
    assert entity.entity_id == "https://sp.example.org/shibboleth"
    assert entity.display_name() == "Example Organisation"
    assert [key.use for key in entity.sp.keys] == [None]
    assert entity.sp.signing_keys == entity.sp.encryption_keys
    assert len(entity.sp.assertion_consumer) == 6
    assert len(entity.sp.single_logout) == 4
    assert entity.valid_until is None


def test_the_metadata_that_shibboleth_serves_itself_is_read():
    (entity,) = reading.read_document((SAMPLES / "shibboleth-sp-handler.xml").read_bytes())
    assert [key.use for key in entity.sp.keys] == ["signing", "encryption"]
    assert (
        EncryptionMethod("http://www.w3.org/2009/xmlenc11#aes128-gcm")
        in entity.sp.encryption_keys[0].encryption_methods
    )
    assert entity.sp.signing_algorithms
    assert [name for name, _ in entity.sp.extension_endpoints] == ["RequestInitiator"]


def test_stock_mellon_metadata_is_read():
    (entity,) = reading.read_document((SAMPLES / "mellon-sp.xml").read_bytes())
    assert entity.sp.authn_requests_signed
    assert [endpoint.index for endpoint in entity.sp.assertion_consumer] == [0]
    assert {key.use for key in entity.sp.keys} == {"signing", "encryption"}


def test_an_idp_role_has_its_endpoints():
    entity, _ = read(entity_xml(idp_role_xml(key_xml("idp") + sso_xml() + sso_xml(binding="urn:old"))))
    assert [endpoint.binding for endpoint in entity.idp.single_sign_on][-1] == "urn:old"
    assert len(entity.idp.signing_keys) == 1
