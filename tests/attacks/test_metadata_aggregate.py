"""Attacks by aggregates: one bad document, or one bad entity among thousands, is refused whole with its rule and place.

Every class of bad input goes through `judge`, the one way by which files and sources are taken in.
"""

import copy

import pytest

from federation.errors import FederationError, Malformed, Refused
from federation.saml import xml
from federation.saml.metadata import aggregate
from federation.saml.metadata.findings import Level
from federation.saml.metadata.judgement import judge
from federation.saml.metadata.origin import Pins
from federation.saml.metadata.query import wanted
from tests.metadata_factories import (
    IDP_ID,
    NAMESPACES,
    NOW,
    SP_ID,
    acs_xml,
    certificate_of,
    entity_xml,
    fingerprint_of,
    group_xml,
    idp_role_xml,
    key_xml,
    signed,
    sp_role_xml,
    sso_xml,
)

MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS = "{http://www.w3.org/2000/09/xmldsig#}"
OURS = "https://ours.example.org/saml"
UNTIL = 'validUntil="2026-03-20T00:00:00Z"'
PINS = Pins.of(certificates_der=[certificate_of("federation")])


def entities(count=3):
    return [
        entity_xml(sp_role_xml(), entity_id=f"https://sp{number}.example.org/saml") for number in range(1, count + 1)
    ]


def federation(*more, attributes=UNTIL, extensions=""):
    return signed(group_xml(*entities(), *more, attributes=attributes, extensions=extensions), "federation")


def verdict(document, **options):
    octets = document.encode() if isinstance(document, str) else document
    return judge(octets, **({"now": NOW, "pins": PINS, "own_entity_id": OURS} | options))


def refused(document, **options):
    """The rule and the place of the refusal."""
    result = verdict(document, **options)
    assert not result.accepted
    assert result.entities == ()
    first = result.findings[0]
    assert first.level is Level.ERROR
    assert first.rule == result.error.rule
    assert first.place
    return first.rule, first.place


@pytest.fixture(scope="module")
def genuine():
    return federation()


def test_the_genuine_one_is_accepted(genuine):
    result = verdict(genuine)
    assert result.accepted
    assert len(result.entities) == 3


# Where it comes from


def test_an_unsigned_aggregate_is_refused_where_a_signer_is_pinned():
    assert refused(group_xml(*entities(), attributes=UNTIL)) == ("metadata.signature.present", "document")


def test_removing_the_signature_does_not_help(genuine):
    root = xml.parse(genuine)
    root.remove(root.find(f"{DS}Signature"))
    assert refused(xml.serialise(root))[0] == "metadata.signature.present"


@pytest.mark.parametrize("pins", [PINS, Pins.of(fingerprints=[fingerprint_of("federation")])])
def test_another_signer_is_refused(pins):
    document = signed(group_xml(*entities(), attributes=UNTIL), "attacker")
    assert refused(document, pins=pins)[0] in ("signature.value", "metadata.signature.signer")


def test_a_member_s_key_does_not_sign_for_the_federation():
    member = entity_xml(sp_role_xml(key_xml("federation", None) + acs_xml()), entity_id="https://evil.example")
    document = signed(group_xml(member, attributes=UNTIL), "attacker")
    pins = Pins.of(fingerprints=[fingerprint_of("federation")])
    assert refused(document, pins=pins)[0] == "metadata.signature.signer"


def test_a_signature_inside_does_not_sign_the_whole():
    inner = group_xml(*entities(), attributes='validUntil="2026-03-20T00:00:00Z" ID="_inner"')
    outer = xml.parse(group_xml(attributes=UNTIL).encode())
    outer.append(xml.parse(signed(inner, "federation", document_id="_inner")))
    assert refused(xml.serialise(outer))[0] == "metadata.signature.present"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text.replace(b"https://sp2.example.org/saml", b"https://evil.example.org/sam"),
        lambda text: text.replace(b"2026-03-20", b"2026-03-21"),
        lambda text: text.replace(b"</md:EntityDescriptor>", b"</md:EntityDescriptor>x", 1),
    ],
    ids=["entityID", "validUntil", "text"],
)
def test_a_tampered_aggregate_is_refused(genuine, spoil):
    assert refused(spoil(genuine))[0] == "signature.content"


def test_dropping_or_repeating_a_signed_member_is_tampering_too(genuine):
    root = xml.parse(genuine)
    member = root.find(f"{MD}EntityDescriptor")
    fewer, more = copy.deepcopy(root), copy.deepcopy(root)
    fewer.remove(fewer.find(f"{MD}EntityDescriptor"))
    more.append(copy.deepcopy(member))
    assert refused(xml.serialise(fewer))[0] == "signature.content"
    assert refused(xml.serialise(more))[0] == "signature.content"


@pytest.mark.parametrize("container", ["Extensions", "member", "after"])
def test_the_genuine_aggregate_wrapped_inside_another_does_not_help(genuine, container):
    original = xml.parse(genuine)
    signature = original.find(f"{DS}Signature")
    original.remove(signature)
    evil = entity_xml(sp_role_xml(), entity_id="https://evil.example")
    forged = xml.parse(group_xml(evil, attributes=f'ID="_forged" {UNTIL}').encode())
    if container == "Extensions":
        forged.insert(0, xml.parse(f"<md:Extensions {NAMESPACES}/>".encode()))
        forged[0].append(original)
    elif container == "member":
        forged[0].append(original)
    else:
        forged.append(original)
    forged.insert(0, signature)
    assert refused(xml.serialise(forged))[0].startswith(("signature.", "xml."))


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    ],
)
def test_a_transform_that_could_shrink_or_burn_is_refused(genuine, algorithm):
    root = xml.parse(genuine)
    root.findall(f".//{DS}Transform")[1].set("Algorithm", algorithm)
    assert refused(xml.serialise(root))[0] == "signature.transforms"


# How long it holds


@pytest.mark.parametrize(
    ("attributes", "rule"),
    [
        ("", "metadata.valid_until.present"),
        ('validUntil="2026-02-28T00:00:00Z"', "metadata.valid_until.future"),
        ('validUntil="2126-03-01T00:00:00Z"', "metadata.valid_until.limit"),
        ('validUntil="never"', "times.instant"),
        ('validUntil=""', "times.instant"),
    ],
)
@pytest.mark.parametrize("pins", [PINS, None], ids=["signed", "unpinned"])
def test_a_validity_that_is_missing_past_too_far_or_unreadable_is_refused(attributes, rule, pins):
    assert refused(federation(attributes=attributes), pins=pins) == (rule, "document")


def test_an_expired_group_inside_keeps_its_members_out_of_use():
    inner = group_xml(entity_xml(sp_role_xml(), entity_id=SP_ID), attributes='validUntil="2026-02-28T00:00:00Z"')
    result = verdict(federation(inner))
    assert result.accepted
    (finding,) = [each for each in result.findings if each.level is Level.ERROR]
    assert (finding.rule, finding.place) == ("metadata.valid_until.future", SP_ID)


@pytest.mark.parametrize(
    "document",
    [
        entity_xml(sp_role_xml(attributes='validUntil="2026-02-28T00:00:00Z"'), attributes=UNTIL),
        group_xml(entity_xml(sp_role_xml(attributes='validUntil="x"')), attributes=UNTIL),
    ],
)
def test_an_expired_or_unreadable_role_is_noticed(document):
    assert refused(document, pins=None)[0] in ("metadata.valid_until.future", "times.instant")


# Who is in it


def test_an_entity_that_comes_twice_refuses_the_whole_and_is_named():
    again = entity_xml(sp_role_xml(), entity_id="https://sp2.example.org/saml")
    rule, place = refused(federation(group_xml(again)))
    assert rule == "metadata.entity_id.unique"
    assert place == "entity 4, 'https://sp2.example.org/saml'"


@pytest.mark.parametrize("entity_id", [OURS, f" {OURS}", f"{OURS}&#9;"])
def test_nobody_describes_us(entity_id):
    rule, place = refused(federation(entity_xml(sp_role_xml(), entity_id=entity_id)))
    assert rule == "metadata.own_entity_id"
    assert "entity 4" in place


@pytest.mark.parametrize("entity_id", ["relative", "urn:" + "x" * 260, "javascript alert"])
def test_an_entity_id_that_is_no_absolute_uri_refuses_the_whole(entity_id):
    assert refused(federation(entity_xml(sp_role_xml(), entity_id=entity_id)))[0] == "metadata.entity_id"


def test_an_entity_without_a_name_is_counted_out():
    result = verdict(federation(entity_xml(sp_role_xml(), entity_id="")))
    assert result.error.rule == "metadata.entity_id"
    assert "entity 4" in result.error.message


@pytest.mark.parametrize("hide", ["Extensions", "role", "entity"])
def test_an_entity_that_hides_where_no_member_stands_is_none(hide):
    evil = entity_xml(sp_role_xml(), entity_id="https://evil.example")
    decoy = group_xml(evil)
    if hide == "Extensions":
        document = federation(extensions=decoy + evil)
    elif hide == "role":
        document = federation(entity_xml(sp_role_xml(extensions=decoy), entity_id=SP_ID))
    else:
        document = federation(entity_xml(sp_role_xml() + evil + decoy, entity_id=SP_ID))
    assert "https://evil.example" not in {each.entity_id for each in verdict(document).entities}


def test_what_a_group_says_after_its_members_is_refused():
    """A reader that streams has used the members already: both readings must not differ."""
    root = xml.parse(group_xml(*entities(), attributes=UNTIL).encode())
    root.append(xml.parse(f"<md:Extensions {NAMESPACES}/>".encode()))
    assert refused(signed(xml.serialise(root), "federation"))[0] == "metadata.group"


def test_an_answer_for_somebody_else_is_not_what_was_asked_for():
    (answer,) = aggregate.members(xml.canonical(xml.parse(entity_xml(sp_role_xml()).encode())))
    for identifier in (IDP_ID, "{sha1}" + "0" * 40):
        assert not wanted(identifier).means(answer.entity.entity_id)


# Where it sends people


@pytest.mark.parametrize(
    "location",
    [
        "http://sp.example.org/acs",
        "http://localhost/acs",
        "javascript:alert(1)",
        "data:text/html,x",
        "/relative",
        "//sp.example.org/acs",
        "https://user:secret@sp.example.org/acs",
        "https://sp.example.org/acs#fragment",
        "https://sp.example.org/a&#13;&#10;Location: https://evil.example",
        "https://sp.example.org\\@evil.example/",
        "",
    ],
)
def test_one_endpoint_that_nobody_may_be_sent_to_refuses_the_whole(location):
    bad = entity_xml(sp_role_xml(key_xml("sp") + acs_xml(location)), entity_id=SP_ID)
    rule, place = refused(federation(bad))
    assert rule == "metadata.endpoints"
    assert SP_ID in place


def test_a_response_location_counts_too():
    bad = entity_xml(sp_role_xml(acs_xml(attributes='index="1" ResponseLocation="http://x.example/"')), entity_id=SP_ID)
    assert refused(federation(bad))[0] == "metadata.endpoints"


def test_an_endpoint_that_a_member_has_twice_is_only_noted():
    twice = entity_xml(sp_role_xml(key_xml("sp", None) + acs_xml() + acs_xml()), entity_id=SP_ID)
    assert "metadata.index.duplicate" in {each.rule for each in verdict(federation(twice)).findings}


# Keys


def key_with(inner):
    return f'<md:KeyDescriptor use="signing"><ds:KeyInfo>{inner}</ds:KeyInfo></md:KeyDescriptor>'


@pytest.mark.parametrize(
    "key",
    [
        "",
        key_xml("idp", "encryption"),
        key_xml("idp").replace('use="signing"', 'use="anything"'),
        key_with('<ds:RetrievalMethod URI="https://evil.example/"/>'),
        key_with("<ds:X509Data><ds:X509Certificate>junk</ds:X509Certificate></ds:X509Data>"),
    ],
    ids=["none", "encryption", "unknown use", "fetched", "garbage"],
)
def test_an_idp_without_a_usable_key_is_refused_alone_and_out_of_use_among_others(key):
    idp = entity_xml(idp_role_xml(key + sso_xml()), entity_id=IDP_ID, attributes=UNTIL)
    assert refused(idp, pins=None) == ("metadata.keys", "document")
    result = verdict(federation(idp))
    assert result.accepted
    assert ("metadata.keys", Level.ERROR, IDP_ID) in {(each.rule, each.level, each.place) for each in result.findings}


# What it is made of


def test_a_document_type_is_refused(genuine):
    body = genuine.partition(b"?>")[2] if genuine.startswith(b"<?xml") else genuine
    for doctype in (b"<!DOCTYPE x>", b'<!DOCTYPE x [<!ENTITY a "b">]>', b'<!DOCTYPE x SYSTEM "file:///etc/passwd">'):
        assert refused(doctype + body) == ("xml.doctype", "document")


def test_a_bomb_is_refused_before_it_grows():
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE x [<!ENTITY e0 "boom">{levels}]>' + group_xml(entity_xml(sp_role_xml(), entity_id="urn:&e11;"))
    assert refused(bomb)[0] in ("xml.doctype", "xml.well_formed")


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (b"", "xml.well_formed"),
        (b"<html><body>502 Bad Gateway</body></html>", "metadata.root"),
        (f"<md:SPSSODescriptor {NAMESPACES}/>".encode(), "metadata.root"),
        (b"<EntitiesDescriptor/>", "metadata.root"),
        (b'{"entities": []}', "xml.well_formed"),
        (b"\x1f\x8b\x08\x00", "xml.well_formed"),
    ],
    ids=["empty", "html", "role", "no namespace", "json", "gzip"],
)
def test_what_is_no_metadata_is_refused(document, rule):
    assert refused(document) == (rule, "document")


def test_a_document_larger_than_the_limit_is_refused_unread(genuine):
    assert refused(genuine, max_bytes=len(genuine) - 1) == ("xml.size", "document")
    assert verdict(genuine, max_bytes=len(genuine) + 100_000).accepted


def test_groups_deeper_than_the_limit_are_refused():
    deep = group_xml("<md:EntitiesDescriptor>" * 100 + "</md:EntitiesDescriptor>" * 100, attributes=UNTIL)
    assert refused(deep)[0] in ("xml.depth", "xml.well_formed")


def test_half_a_download_is_refused_with_the_place_where_it_ends():
    document = federation().replace(b"><", b">\n<")
    for share in (0.1, 0.5, 0.9, 0.999):
        half = document[: int(len(document) * share)]
        result = verdict(half)
        assert result.error.rule == "xml.well_formed"
        assert f"line {half.count(bytes([10])) + 1}," in result.error.message


def test_cutting_between_two_members_and_closing_the_group_is_refused(genuine):
    start = genuine.rindex(b"<md:EntityDescriptor")
    assert refused(genuine[:start] + b"</md:EntitiesDescriptor>")[0] == "signature.content"


def test_flipping_any_octet_is_never_accepted_as_something_else(genuine):
    """Only what canonicalisation drops may change."""
    expected = [member.entity for member in aggregate.members(aggregate.verify(genuine, now=NOW, pins=PINS).octets)]
    for position in range(0, len(genuine), 67):
        changed = bytearray(genuine)
        changed[position] ^= 0x01
        try:
            verified = aggregate.verify(bytes(changed), now=NOW, pins=PINS)
        except FederationError:
            continue
        assert [member.entity for member in aggregate.members(verified.octets)] == expected


def test_nothing_is_told_of_a_hostile_text_at_length():
    bad = entity_xml(sp_role_xml(acs_xml("javascript:" + "x" * 3000 + "&#10;forged")), entity_id="urn:" + "y" * 250)
    result = verdict(federation(bad))
    assert "\n" not in result.error.message
    assert len(result.error.message) < 900


def test_a_refusal_comes_after_some_members_were_read_and_says_so_by_raising():
    """A store writes in one transaction: the stream raises at the bad member, whatever it gave before."""
    octets = xml.canonical(xml.parse(group_xml(*entities(), entity_xml(sp_role_xml(), entity_id=OURS)).encode()))
    stream = aggregate.members(octets, own_entity_id=OURS)
    assert [next(stream).entity.entity_id for _ in range(3)]
    with pytest.raises(Refused) as caught:
        next(stream)
    assert caught.value.place.startswith("entity 4")


def test_octets_that_are_not_ours_are_malformed():
    with pytest.raises(Malformed):
        list(aggregate.members(b"<md:broken"))
