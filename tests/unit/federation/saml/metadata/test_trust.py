from dataclasses import replace
from datetime import timedelta

import pytest

from federation.errors import ConfigurationError, Malformed, Refused
from federation.saml import certificates
from federation.saml.algorithms import allowed
from federation.saml.metadata.trust import Unconfirmed, verify
from federation.saml.names import Algorithm
from tests.metadata_factories import (
    IDP_ID,
    NOW,
    SAMPLES,
    SP_ID,
    acs_xml,
    certificate_of,
    entity_xml,
    fingerprint_of,
    group_xml,
    idp_entity,
    idp_role_xml,
    key_xml,
    published,
    resigned,
    set_attributes,
    signed,
    sp_entity,
    sp_role_xml,
    sso_xml,
)

OURS = "https://ours.example.org/saml"
UNTIL = 'validUntil="2026-03-20T00:00:00Z"'


def check(document, *, role="sp", **options):
    octets = document.encode() if isinstance(document, str) else document
    return verify(octets, **({"now": NOW, "own_entity_id": OURS, "role": role} | options))


def refusal(document, **options):
    with pytest.raises(Refused) as caught:
        check(document, **options)
    assert not caught.value.failed.ok
    return caught.value.rule


# Signed by a pinned key


@pytest.mark.conformance("IIP-MD03", "SDP-MD02")
def test_metadata_signed_by_a_pinned_certificate_is_trusted():
    trusted = check(published(sp_entity(), "sp"), signer_fingerprints=[fingerprint_of("sp")])
    assert trusted.signed
    assert trusted.entity.entity_id == SP_ID
    assert all(made.ok for made in trusted.checks)


@pytest.mark.conformance("IIP-ALG08")
def test_an_algorithm_that_the_site_bans_signs_no_metadata():
    pins = [fingerprint_of("sp")]
    with pytest.raises(Refused) as caught:
        check(
            published(sp_entity(), "sp"),
            signer_fingerprints=pins,
            algorithms=allowed(banned=frozenset({Algorithm.RSA_SHA256})),
        )
    assert caught.value.rule == "signature.algorithm"


def test_the_document_is_kept_as_it_came():
    document = published(sp_entity(), "sp")
    assert check(document, signer_fingerprints=[fingerprint_of("sp")]).document == document


def test_the_checks_are_named_in_order_with_their_clauses():
    trusted = check(published(idp_entity(), "idp"), role="idp", signer_fingerprints=[fingerprint_of("idp")])
    rules = [made.rule for made in trusted.checks]
    assert rules.index("metadata.signature.present") < rules.index("signature.value") < rules.index("metadata.role")
    assert len(set(rules)) == len(rules)
    assert all(made.reference for made in trusted.checks)


@pytest.mark.parametrize("write", [str.lower, lambda text: text.replace(":", ""), lambda text: text.replace(":", " ")])
def test_a_fingerprint_may_be_typed_in_any_usual_way(write):
    assert check(published(sp_entity(), "sp"), signer_fingerprints=[write(fingerprint_of("sp"))]).signed


def test_a_pin_may_name_the_key_instead_of_its_certificate():
    spki = certificates.public_key_of(certificate_of("sp"))
    assert check(published(sp_entity(), "sp"), signer_fingerprints=[certificates.fingerprint(spki)]).signed


def test_any_of_several_pins_will_do():
    pins = [fingerprint_of("other"), fingerprint_of("sp")]
    assert check(published(sp_entity(), "sp"), signer_fingerprints=pins).signed


def test_somebody_else_may_be_the_signer_if_pinned():
    """A federation signs its members' metadata with a key of its own."""
    document = resigned(published(sp_entity(), "sp"), "federation")
    assert check(document, signer_fingerprints=[fingerprint_of("federation")]).signed


def test_the_pinned_certificate_may_stand_in_the_metadata_instead_of_the_signature():
    document = published(sp_entity(), "sp")
    start = document.index(b"<ds:KeyInfo>")
    end = document.index(b"</ds:KeyInfo>") + len(b"</ds:KeyInfo>")
    assert check(document[:start] + document[end:], signer_fingerprints=[fingerprint_of("sp")]).signed


def test_a_fingerprint_that_is_none_is_malformed():
    with pytest.raises(Malformed, match="fingerprint"):
        check(published(sp_entity(), "sp"), signer_fingerprints=["AB:CD"])


@pytest.mark.conformance("IIP-MD03", "SDP-MD02")
def test_another_signer_is_refused():
    assert (
        refusal(published(sp_entity(), "sp"), signer_fingerprints=[fingerprint_of("other")])
        == "metadata.signature.signer"
    )


@pytest.mark.conformance("IIP-MD03", "SDP-MD02")
def test_no_signature_is_refused_where_a_signer_is_pinned():
    """IIP-MD03, SDP-MD02."""
    document = entity_xml(sp_role_xml(), attributes=UNTIL)
    assert refusal(document, signer_fingerprints=[fingerprint_of("sp")]) == "metadata.signature.present"


def test_confirming_the_keys_does_not_replace_a_pinned_signature():
    document = entity_xml(sp_role_xml(), attributes=UNTIL)
    rule = refusal(
        document, signer_fingerprints=[fingerprint_of("sp")], confirmed_key_fingerprints=[fingerprint_of("sp")]
    )
    assert rule == "metadata.signature.present"


def test_a_group_of_one_is_as_good_as_the_one():
    """IIP-MD02."""
    group = signed(group_xml(entity_xml(sp_role_xml()), attributes=UNTIL), "federation")
    trusted = check(group, signer_fingerprints=[fingerprint_of("federation")])
    assert trusted.entity.entity_id == SP_ID
    assert trusted.entity.valid_until is not None


def test_of_a_larger_group_one_must_be_asked_for():
    others = [entity_xml(sp_role_xml(), entity_id=f"https://{name}.example.org") for name in ("a", "b")]
    group = signed(group_xml(entity_xml(sp_role_xml()), *others, attributes=UNTIL), "federation")
    pins = [fingerprint_of("federation")]
    assert refusal(group, signer_fingerprints=pins) == "metadata.entity"
    assert check(group, signer_fingerprints=pins, entity_id=SP_ID).entity.entity_id == SP_ID


def test_an_answer_for_another_entity_is_refused():
    document = published(sp_entity(), "sp")
    rule = refusal(document, signer_fingerprints=[fingerprint_of("sp")], entity_id="https://other.example.org")
    assert rule == "metadata.entity"


# Validity


@pytest.mark.conformance("IIP-MD04", "SDP-MD03")
def test_signed_metadata_without_a_validity_is_refused():
    """IIP-MD04, SDP-MD03."""
    document = signed(entity_xml(sp_role_xml()), "sp")
    assert refusal(document, signer_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.present"


def test_unless_a_named_exception_says_so_and_then_it_is_a_visible_miss():
    document = signed(entity_xml(sp_role_xml()), "sp")
    trusted = check(document, signer_fingerprints=[fingerprint_of("sp")], exceptions=["missing-valid-until"])
    assert "metadata.valid_until.missing" in [miss.rule for miss in trusted.misses]


def test_a_validity_on_the_entity_does_not_stand_in_for_the_root():
    group = signed(group_xml(entity_xml(sp_role_xml(), attributes=UNTIL)), "sp")
    assert refusal(group, signer_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.present"


@pytest.mark.conformance("IIP-MD04")
@pytest.mark.parametrize(
    "document",
    [
        entity_xml(sp_role_xml(), attributes='validUntil="2026-02-01T00:00:00Z"'),
        entity_xml(sp_role_xml(attributes='validUntil="2026-02-01T00:00:00Z"'), attributes=UNTIL),
        group_xml(entity_xml(sp_role_xml(), attributes='validUntil="2026-02-01T00:00:00Z"'), attributes=UNTIL),
    ],
    ids=["root", "role", "entity"],
)
def test_expired_metadata_is_refused_whatever_level_expired(document):
    assert refusal(signed(document, "sp"), signer_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.future"


def test_a_reasonable_clock_skew_is_tolerated():
    """IIP-G01."""
    pins = [fingerprint_of("sp")]
    ended = signed(entity_xml(sp_role_xml(), attributes='validUntil="2026-03-01T11:58:00Z"'), "sp")
    assert check(ended, signer_fingerprints=pins).signed
    assert refusal(ended, signer_fingerprints=pins, now=NOW + timedelta(minutes=1)) == "metadata.valid_until.future"


@pytest.mark.conformance("IIP-MD04", "SDP-MD03")
def test_a_validity_too_far_ahead_is_refused():
    document = published(sp_entity(), "sp", validity=timedelta(days=30))
    pins = [fingerprint_of("sp")]
    assert check(document, signer_fingerprints=pins, max_validity=timedelta(days=30)).signed
    rule = refusal(document, signer_fingerprints=pins, max_validity=timedelta(days=29))
    assert rule == "metadata.valid_until.limit"


def test_by_default_a_year_is_too_far():
    document = published(sp_entity(), "sp", validity=timedelta(days=400))
    assert refusal(document, signer_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.limit"


def test_an_inner_validity_that_is_near_does_not_hide_a_root_that_is_far():
    group = group_xml(entity_xml(sp_role_xml(), attributes=UNTIL), attributes='validUntil="2040-01-01T00:00:00Z"')
    assert refusal(signed(group, "sp"), signer_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.limit"


# Identity, role, keys, endpoints


@pytest.mark.parametrize("entity_id", ["relative", "urn:" + "x" * 253, "https://a b.example"])
def test_an_entity_id_is_an_absolute_uri_of_at_most_256_characters(entity_id):
    """SDP-G04."""
    assert refusal(entity_xml(sp_role_xml(), entity_id=entity_id)) == "metadata.entity_id"


def test_nobody_else_may_describe_us():
    assert refusal(entity_xml(sp_role_xml(), entity_id=OURS)) == "metadata.own_entity_id"


def test_the_role_we_need_must_be_there():
    assert refusal(entity_xml(sp_role_xml()), role="idp") == "metadata.role"
    assert refusal(entity_xml(idp_role_xml()), role="sp") == "metadata.role"
    old = sp_role_xml(protocols="urn:oasis:names:tc:SAML:1.1:protocol")
    assert refusal(entity_xml(old)) == "metadata.role"


@pytest.mark.conformance("SDP-MD08")
def test_an_idp_needs_a_signing_key():
    """SDP-MD08."""
    for keys in ("", key_xml("idp", "encryption"), '<md:KeyDescriptor use="signing"/>'):
        assert refusal(entity_xml(idp_role_xml(keys + sso_xml())), role="idp") == "metadata.keys"


def test_an_idp_needs_somewhere_to_send_people():
    inner = key_xml("idp") + sso_xml(binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP")
    assert refusal(entity_xml(idp_role_xml(inner)), role="idp") == "metadata.endpoint.usable"


def test_an_sp_needs_somewhere_to_post_to():
    inner = key_xml("sp") + acs_xml(binding="urn:oasis:names:tc:SAML:2.0:bindings:PAOS")
    assert refusal(entity_xml(sp_role_xml(inner))) == "metadata.endpoint.usable"


@pytest.mark.parametrize(
    "location",
    [
        "http://sp.example.org/acs",
        "javascript:alert(1)",
        "/acs",
        "https://user@sp.example.org/acs",
        "http://10.0.0.1/acs",
    ],
)
def test_one_bad_endpoint_among_good_ones_refuses_the_document(location):
    inner = key_xml("sp") + acs_xml() + acs_xml(location, 'index="2"')
    assert refusal(entity_xml(sp_role_xml(inner)), allow_http_loopback=True) == "metadata.endpoints"


@pytest.mark.parametrize("name", ["SingleLogoutService", "ArtifactResolutionService"])
def test_endpoints_of_every_kind_and_their_response_locations_count(name):
    bad = f'<md:{name} Binding="urn:b" index="1" Location="https://sp.example.org/" ResponseLocation="http://sp.example.org/"/>'
    assert refusal(entity_xml(sp_role_xml(bad + key_xml("sp") + acs_xml()))) == "metadata.endpoints"


def test_endpoints_of_the_other_role_count_too():
    document = entity_xml(idp_role_xml(key_xml("idp") + sso_xml("http://idp.example.org/")) + sp_role_xml())
    assert refusal(document) == "metadata.endpoints"


def test_http_on_loopback_is_for_those_who_allow_it():
    document = entity_xml(sp_role_xml(key_xml("sp") + acs_xml("http://localhost:6544/saml/acs")))
    confirmed = [fingerprint_of("sp")]
    assert refusal(document, confirmed_key_fingerprints=confirmed) == "metadata.endpoints"
    assert check(document, confirmed_key_fingerprints=confirmed, allow_http_loopback=True).entity.entity_id == SP_ID


# Unsigned, confirmed by a person


@pytest.mark.conformance("SDP-MD02")
def test_unsigned_metadata_waits_for_a_person_who_is_shown_every_fingerprint():
    document = entity_xml(sp_role_xml(key_xml("sp") + key_xml("sp-encryption", "encryption") + acs_xml()))
    with pytest.raises(Unconfirmed) as caught:
        check(document)
    assert caught.value.rule == "metadata.confirmed"
    assert caught.value.entity.entity_id == SP_ID
    assert [(shown.use, shown.value) for shown in caught.value.fingerprints] == [
        ("whole document", certificates.fingerprint(document.encode())),
        ("signing", fingerprint_of("sp")),
        ("encryption", fingerprint_of("sp-encryption")),
    ]
    assert "metadata.unsigned" in [miss.rule for miss in caught.value.misses]


def test_confirmed_it_is_used_and_says_what_it_misses():
    trusted = check(entity_xml(sp_role_xml()), confirmed_key_fingerprints=[fingerprint_of("sp")])
    assert not trusted.signed
    assert {"metadata.unsigned", "metadata.valid_until.missing", "metadata.requested_attribute.missing"} <= {
        miss.rule for miss in trusted.misses
    }


def test_one_strange_key_among_known_ones_is_not_confirmed():
    document = entity_xml(sp_role_xml(key_xml("sp") + key_xml("attacker") + acs_xml()))
    with pytest.raises(Unconfirmed, match="1 of 2"):
        check(document, confirmed_key_fingerprints=[fingerprint_of("sp")])


def test_one_key_for_both_uses_is_shown_once():
    document = entity_xml(sp_role_xml(key_xml("sp", "signing") + key_xml("sp", "encryption") + acs_xml()))
    with pytest.raises(Unconfirmed) as caught:
        check(document)
    assert [shown.use for shown in caught.value.fingerprints] == ["whole document", "signing and encryption"]


def test_the_fingerprint_of_the_document_is_enough_and_covers_its_endpoints():
    document = entity_xml(sp_role_xml(acs_xml())).encode()
    with pytest.raises(Unconfirmed) as caught:
        check(document)
    (shown,) = caught.value.fingerprints
    assert shown.use == "whole document"
    assert not check(document, confirmed_key_fingerprints=[shown.value]).signed
    changed = document.replace(b"sp.example.org/acs", b"evil.example/acs")
    with pytest.raises(Unconfirmed):
        check(changed, confirmed_key_fingerprints=[shown.value])


def test_expired_metadata_is_refused_before_anybody_is_asked():
    document = entity_xml(sp_role_xml(), attributes='validUntil="2026-02-01T00:00:00Z"')
    assert refusal(document, confirmed_key_fingerprints=[fingerprint_of("sp")]) == "metadata.valid_until.future"


def test_a_signature_by_the_confirmed_certificate_counts_as_signed():
    trusted = check(published(sp_entity(), "sp"), confirmed_key_fingerprints=[fingerprint_of("sp")])
    assert trusted.signed


def test_a_signature_by_an_unknown_key_must_be_good_and_then_a_person_is_asked():
    document = resigned(published(sp_entity(), "sp"), "federation")
    with pytest.raises(Unconfirmed) as caught:
        check(document)
    assert [shown.use for shown in caught.value.fingerprints] == [
        "metadata signature",
        "whole document",
        "signing",
        "encryption",
    ]
    assert caught.value.fingerprints[0].value == fingerprint_of("federation")
    confirmed = check(document, confirmed_key_fingerprints=[fingerprint_of("sp"), fingerprint_of("sp-encryption")])
    assert not confirmed.signed
    assert check(document, confirmed_key_fingerprints=[fingerprint_of("federation")]).signed


@pytest.mark.parametrize("name", ["shibboleth-sp.xml", "mellon-sp.xml", "shibboleth-sp-handler.xml"])
@pytest.mark.parametrize("choice", [slice(1), slice(1, None)], ids=["the document", "every key"])
def test_stock_metadata_becomes_usable_when_what_is_shown_is_confirmed(name, choice):
    document = (SAMPLES / name).read_bytes()
    with pytest.raises(Unconfirmed) as caught:
        check(document, allow_http_loopback=True)
    shown = [fingerprint.value for fingerprint in caught.value.fingerprints[choice]]
    trusted = check(document, allow_http_loopback=True, confirmed_key_fingerprints=shown)
    assert {"metadata.unsigned", "metadata.valid_until.missing", "metadata.requested_attribute.missing"} <= {
        miss.rule for miss in trusted.misses
    }


# Misuse


@pytest.mark.parametrize("options", [{"role": "both"}, {"exceptions": ["no-signature"]}])
def test_there_is_no_switch_for_verification(options):
    with pytest.raises(ConfigurationError):
        check(entity_xml(sp_role_xml()), **options)


def test_an_idp_is_checked_as_one():
    trusted = check(published(idp_entity(), "idp"), role="idp", signer_fingerprints=[fingerprint_of("idp")])
    assert trusted.entity.entity_id == IDP_ID
    assert replace(trusted.entity, valid_until=None, cache_duration=None) == idp_entity()


def test_changing_anything_after_signing_is_noticed():
    document = published(sp_entity(), "sp")
    for changed in (
        document.replace(b"https://sp.example.org/saml/acs", b"https://evil.example/saml/acs"),
        set_attributes(document, {"validUntil": "2026-12-01T00:00:00Z"}),
        set_attributes(document, {"entityID": "https://victim.example.org"}),
    ):
        assert refusal(changed, signer_fingerprints=[fingerprint_of("sp")]) == "signature.content"
        assert refusal(changed) == "signature.content"


def test_the_limit_of_the_size_is_the_caller_s():
    with pytest.raises(Malformed, match="size"):
        check(entity_xml(sp_role_xml()), max_bytes=100)
