"""Attacks by metadata: whoever can put a document in front of us must not become somebody we trust."""

import base64
import copy

import pytest
from lxml import etree

from federation.errors import FederationError, Malformed, Refused
from federation.saml import signature, xml
from federation.saml.metadata import reading
from federation.saml.metadata.trust import Unconfirmed, verify
from tests.metadata_factories import (
    NAMESPACES,
    NOW,
    SP_ID,
    acs_xml,
    certificate_xml,
    entity_xml,
    fingerprint_of,
    group_xml,
    idp_role_xml,
    key_xml,
    published,
    resigned,
    rsa_key,
    signed,
    sp_entity,
    sp_role_xml,
    sso_xml,
)

DS = "{http://www.w3.org/2000/09/xmldsig#}"
MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
OURS = "https://ours.example.org/saml"
UNTIL = 'validUntil="2026-03-20T00:00:00Z"'
EVIL = "https://evil.example/acs"


def check(document, **options):
    octets = document.encode() if isinstance(document, str) else document
    pins = {"signer_fingerprints": [fingerprint_of("sp")]}
    return verify(octets, **({"now": NOW, "own_entity_id": OURS, "role": "sp"} | pins | options))


def refused(document, **options):
    with pytest.raises((Refused, Malformed)) as caught:
        check(document, **options)
    return caught.value.rule


@pytest.fixture
def genuine():
    return published(sp_entity(), "sp")


@pytest.fixture
def evil():
    """What the attacker wants us to read, with the genuine entity's name."""
    return xml.parse(entity_xml(sp_role_xml(key_xml("attacker", None) + acs_xml(EVIL)), attributes=UNTIL).encode())


def signature_of(root):
    found = root.find(f"{DS}Signature")
    assert found is not None
    return found


# The signature


def test_removing_the_signature_does_not_help(genuine):
    root = xml.parse(genuine)
    root.remove(signature_of(root))
    assert refused(xml.serialise(root)) == "metadata.signature.present"


def test_an_attacker_s_own_signature_does_not_help(evil):
    assert refused(signed(xml.serialise(evil), "attacker")) == "metadata.signature.signer"


def test_the_pinned_certificate_beside_an_attacker_s_signature_does_not_help(evil):
    root = xml.parse(signed(xml.serialise(evil), "attacker"))
    own = signature_of(root)
    pinned = xml.parse(certificate_xml("sp").replace("<ds:KeyInfo>", f"<ds:KeyInfo {NAMESPACES}>").encode())
    for position in (0, 1):
        both = copy.deepcopy(root)
        both.find(f"{DS}Signature/{DS}KeyInfo").insert(position, copy.deepcopy(pinned[0]))
        assert refused(xml.serialise(both)) == "signature.value"
    own.replace(own.find(f"{DS}KeyInfo"), pinned)
    assert refused(xml.serialise(root)) == "signature.value"


def test_the_pinned_certificate_in_the_attacker_s_role_does_not_help():
    document = entity_xml(sp_role_xml(key_xml("sp") + key_xml("attacker") + acs_xml(EVIL)), attributes=UNTIL)
    assert refused(signed(document, "attacker")) == "signature.value"


def test_a_genuine_signature_moved_to_another_document_does_not_help(genuine, evil):
    moved = signature_of(xml.parse(genuine))
    evil.insert(0, moved)
    assert refused(xml.serialise(evil)) == "signature.reference"
    evil.set("ID", "_document")
    assert refused(xml.serialise(evil)) == "signature.content"


@pytest.mark.parametrize("hide", ["Extensions", "Object", "KeyInfo", "after"])
def test_a_genuine_document_wrapped_inside_another_does_not_help(genuine, evil, hide):
    """The reference finds the genuine element; what is read must be that element and no other."""
    original = xml.parse(genuine)
    moved = signature_of(original)
    original.remove(moved)
    evil.set("ID", "_evil")
    evil.insert(0, moved)
    if hide == "Extensions":
        etree.SubElement(evil, f"{MD}Extensions").append(original)
    elif hide == "Object":
        etree.SubElement(moved, f"{DS}Object").append(original)
    elif hide == "KeyInfo":
        moved.find(f"{DS}KeyInfo").append(original)
    else:
        evil.append(original)
    assert refused(xml.serialise(evil)).startswith(("signature.", "xml."))
    evil.set("ID", "_document")
    assert refused(xml.serialise(evil)).startswith(("signature.", "xml."))


def test_a_signed_entity_beside_an_attacker_s_in_an_unsigned_group_does_not_help(genuine, evil):
    group = xml.parse(group_xml(attributes=UNTIL).encode())
    group.append(evil)
    group.append(xml.parse(genuine))
    assert refused(xml.serialise(group)) == "metadata.signature.present"


def test_a_signature_on_an_inner_entity_does_not_sign_the_group(genuine):
    group = xml.parse(group_xml(attributes='validUntil="2026-03-20T00:00:00Z" ID="_group"').encode())
    group.append(xml.parse(genuine))
    assert refused(xml.serialise(group)) == "metadata.signature.present"


def test_two_signatures_are_one_too_many(genuine):
    root = xml.parse(genuine)
    root.insert(1, copy.deepcopy(signature_of(root)))
    assert refused(xml.serialise(root)) == "signature.place"


def test_an_identifier_that_occurs_twice_is_refused(genuine):
    root = xml.parse(genuine)
    root.find(f"{MD}SPSSODescriptor").set("ID", "_document")
    assert refused(xml.serialise(root)) == "xml.ids"


@pytest.mark.parametrize(
    "algorithm",
    [
        "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
        "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
        "http://www.w3.org/2001/04/xmldsig-more#rsa-md5",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
    ],
)
def test_a_weaker_algorithm_is_refused_by_its_name(genuine, algorithm):
    root = xml.parse(genuine)
    signature_of(root).find(f"{DS}SignedInfo/{DS}SignatureMethod").set("Algorithm", algorithm)
    assert refused(xml.serialise(root)) == "signature.algorithm"


@pytest.mark.parametrize("uri", ["", "#", "#_other", "file:///etc/passwd", "https://evil.example/", "#xpointer(/)"])
def test_a_reference_to_anything_but_the_root_is_refused(genuine, uri):
    root = xml.parse(genuine)
    signature_of(root).find(f"{DS}SignedInfo/{DS}Reference").set("URI", uri)
    assert refused(xml.serialise(root)) == "signature.reference"


def test_a_bad_signature_is_refused_even_where_none_is_demanded(genuine):
    root = xml.parse(genuine)
    root.find(f"{MD}SPSSODescriptor/{MD}AssertionConsumerService").set("Location", EVIL)
    confirmed = [fingerprint_of("sp"), fingerprint_of("sp-encryption")]
    pins = {"signer_fingerprints": (), "confirmed_key_fingerprints": confirmed}
    assert refused(xml.serialise(root), **pins) == "signature.content"


def test_a_key_that_has_to_be_fetched_is_never_fetched():
    method = '<ds:RetrievalMethod URI="https://evil.example/key"/><ds:KeyName>x</ds:KeyName>'
    key = f'<md:KeyDescriptor use="signing"><ds:KeyInfo>{method}</ds:KeyInfo></md:KeyDescriptor>'
    (entity,) = reading.read_document(entity_xml(idp_role_xml(key + sso_xml())).encode())
    assert entity.idp.keys == ()


def test_what_a_comment_hides_is_read_as_it_was_signed():
    """`evil.example<!-- -->.org` must not be one scope to the verifier and another one to the reader."""
    scope = "<shibmd:Scope>evil.example<!-- -->.org</shibmd:Scope>"
    document = entity_xml(idp_role_xml(key_xml("idp") + sso_xml(), extensions=scope), attributes=UNTIL)
    pins = [fingerprint_of("idp")]
    trusted = check(signed(document, "idp"), role="idp", signer_fingerprints=pins)
    assert trusted.entity.idp.scopes == ("evil.example.org",)


# Unsigned documents


def test_a_confirmed_key_does_not_vouch_for_an_unknown_one():
    document = entity_xml(sp_role_xml(key_xml("sp", None) + key_xml("attacker", "encryption") + acs_xml()))
    with pytest.raises(Unconfirmed):
        check(document, signer_fingerprints=(), confirmed_key_fingerprints=[fingerprint_of("sp")])


def test_a_certificate_shown_is_the_key_used():
    """A KeyInfo with a known certificate and another bare key is no key at all."""
    value = certificate_xml("sp").replace("</ds:KeyInfo>", der_value("attacker") + "</ds:KeyInfo>")
    document = entity_xml(sp_role_xml(f"<md:KeyDescriptor>{value}</md:KeyDescriptor>" + acs_xml()))
    with pytest.raises(Unconfirmed) as caught:
        check(document, signer_fingerprints=(), confirmed_key_fingerprints=[fingerprint_of("sp")])
    assert caught.value.entity.sp.keys == ()


def der_value(name):
    return (
        f"<dsig11:DEREncodedKeyValue>{base64.b64encode(rsa_key(name).public_key).decode()}</dsig11:DEREncodedKeyValue>"
    )


# Identity


def test_two_entities_of_one_name_are_refused(genuine, evil):
    group = xml.parse(group_xml(attributes=UNTIL).encode())
    group.append(evil)
    group.append(xml.parse(xml.serialise(evil)))
    document = signed(xml.serialise(group), "sp")
    assert refused(document) == "metadata.entity"
    assert refused(document, entity_id=SP_ID) == "metadata.entity"


@pytest.mark.parametrize("entity_id", [OURS, f" {OURS} ", f"&#9;{OURS}&#10;"])
def test_nobody_describes_us(entity_id):
    document = entity_xml(sp_role_xml(), entity_id=entity_id, attributes=UNTIL)
    assert refused(signed(document, "sp")) == "metadata.own_entity_id"


def test_an_answer_for_somebody_else_is_refused(genuine):
    assert refused(genuine, entity_id="https://asked.example.org") == "metadata.entity"


def test_a_signature_of_a_trusted_partner_does_not_vouch_for_another_partner_s_keys(evil):
    """Each pin belongs to one source: the caller pins this partner's signer, not anybody's."""
    document = resigned(published(sp_entity(), "sp"), "other-partner")
    assert refused(document) == "signature.value"


# Documents that attack the parser


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.parametrize(
    "document",
    [
        BOMB + entity_xml(sp_role_xml(), entity_id="urn:&c;"),
        '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + entity_xml(sp_role_xml(), entity_id="urn:&f;"),
        '<!DOCTYPE x SYSTEM "https://evil.example/x.dtd">' + entity_xml(sp_role_xml()),
        "<!DOCTYPE md:EntityDescriptor>" + entity_xml(sp_role_xml()),
        '<?xml-stylesheet href="https://evil.example/x.xsl"?>' + entity_xml(sp_role_xml()),
        entity_xml(sp_role_xml() + "<?php evil ?>"),
        entity_xml(sp_role_xml())[:-40],
        entity_xml(sp_role_xml()) + "<more/>",
        "<html><body>502 Bad Gateway</body></html>",
        "",
    ],
    ids=["bomb", "file", "external", "doctype", "stylesheet", "instruction", "truncated", "trailing", "html", "empty"],
)
def test_a_document_that_attacks_the_parser_is_malformed(document):
    with pytest.raises(Malformed):
        check(document)


@pytest.mark.parametrize("encoding", ["utf-7", "cp037"])
def test_an_encoding_cannot_hide_a_document_type(encoding):
    document = f'<?xml version="1.0" encoding="{encoding}"?><!DOCTYPE x>' + entity_xml(sp_role_xml())
    with pytest.raises(Malformed):
        check(document.encode(encoding))


def test_utf_16_cannot_hide_a_document_type_either():
    with pytest.raises(Malformed, match="doctype"):
        check(("<!DOCTYPE x>" + entity_xml(sp_role_xml())).encode("utf-16"))


def test_an_inclusion_is_not_followed():
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    (entity,) = reading.read_document(entity_xml(sp_role_xml(extensions=include)).encode())
    assert "root:" not in repr(entity)


@pytest.mark.parametrize(
    "document",
    [
        group_xml(*["<md:EntitiesDescriptor>" * 100 + "</md:EntitiesDescriptor>" * 100]),
        entity_xml("<a>" * 5000 + "</a>" * 5000),
        entity_xml("<a/>" * 40_000),
        entity_xml("<a " + " ".join(f'x{n}="1"' for n in range(1000)) + "/>"),
        entity_xml(sp_role_xml(), entity_id="urn:" + "x" * 2_000_000),
    ],
    ids=["groups", "depth", "elements", "attributes", "size"],
)
def test_a_document_out_of_all_proportion_is_malformed(document):
    with pytest.raises(Malformed):
        check(document)


def test_cutting_a_document_anywhere_never_makes_it_acceptable(genuine):
    for length in range(0, len(genuine) - 2, 97):
        with pytest.raises(FederationError):
            check(genuine[:length])


def test_flipping_any_octet_is_never_accepted_as_something_else(genuine):
    """Only what canonicalisation drops (blanks between attributes, the declaration) may change."""
    expected = check(genuine).entity
    for position in range(0, len(genuine), 41):
        changed = bytearray(genuine)
        changed[position] ^= 0x01
        try:
            trusted = check(bytes(changed))
        except FederationError:
            continue
        assert trusted.entity == expected


# Hostile contents


def test_texts_stay_texts():
    name = "&lt;script&gt;alert(1)&lt;/script&gt;"
    info = f'<mdui:UIInfo><mdui:DisplayName xml:lang="en">{name}</mdui:DisplayName></mdui:UIInfo>'
    (entity,) = reading.read_document(entity_xml(sp_role_xml(extensions=info)).encode())
    assert entity.display_name() == "<script>alert(1)</script>"


def test_a_message_never_repeats_a_hostile_text_at_length():
    location = "javascript:" + "x" * 1000 + "&#10;forged log line"
    with pytest.raises(Refused) as caught:
        check(entity_xml(sp_role_xml(acs_xml(location))), signer_fingerprints=())
    assert caught.value.rule == "metadata.endpoints"
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_signing_again_what_was_read_gives_the_same_meaning(genuine):
    """A carriage return in a value must survive, or be dropped by both sides alike."""
    contact = '<md:ContactPerson contactType="technical"><md:GivenName>A&#13;B</md:GivenName></md:ContactPerson>'
    document = entity_xml(sp_role_xml(), attributes=UNTIL, after=contact)
    root = xml.parse(signed(document, "sp"))
    verified = signature.verify(root, keys=[rsa_key("sp").public_key])
    assert reading.read_entity(verified).contacts == reading.read_entity(root).contacts
