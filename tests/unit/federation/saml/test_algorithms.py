"""Which algorithms may be used: strict without a preset, a preset allows what it names, and a ban wins over both."""

import base64

import pytest

from federation.errors import ConfigurationError, Refused
from federation.saml import algorithms, encryption, signature, xml
from federation.saml.algorithms import CBC, DEFAULT_ALGORITHMS, PRESETS, Algorithms, allowed
from federation.saml.names import SAML, Algorithm
from tests import factories, trees

EVERY_LEGACY = {uri for preset in PRESETS.values() for uri in preset.allows}


def every(of: Algorithms) -> frozenset[str]:
    return of.signature | of.digest | of.data | of.key_transport


@pytest.mark.conformance("IIP-ALG08")
def test_without_a_preset_nothing_weak_is_allowed() -> None:
    assert allowed() == DEFAULT_ALGORITHMS
    assert not [uri for uri in every(allowed()) if uri.endswith(("sha1", "md5", "-cbc", "rsa-1_5"))]


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_allows_exactly_what_it_names(name: str) -> None:
    assert every(allowed((name,))) - every(DEFAULT_ALGORITHMS) == set(PRESETS[name].allows)
    assert every(DEFAULT_ALGORITHMS) <= every(allowed((name,)))
    assert PRESETS[name].weakness


def test_no_preset_brings_md5_triple_des_or_a_symmetric_signature() -> None:
    assert not [uri for uri in EVERY_LEGACY if "md5" in uri or "tripledes" in uri or "hmac" in uri]


@pytest.mark.conformance("IIP-ALG08")
@pytest.mark.parametrize("uri", sorted({Algorithm.RSA_SHA256, Algorithm.AES128_GCM, *EVERY_LEGACY}))
def test_a_ban_wins_over_the_default_and_over_every_preset(uri: str) -> None:
    assert uri not in every(allowed(tuple(PRESETS), frozenset({uri})))


@pytest.mark.conformance("IIP-ALG08")
def test_any_use_of_a_banned_algorithm_fails() -> None:
    banned = allowed((), frozenset({Algorithm.RSA_SHA256, Algorithm.AES256_GCM}))
    for document, rule in (
        (factories.signed_response(), "signature.algorithm"),
        (factories.response_xml(signing_key=factories.signing_key().using(Algorithm.RSA_SHA512)), "encryption.method"),
    ):
        with pytest.raises(Refused) as caught:
            factories.accept_response(document, algorithms=banned)
        assert caught.value.rule == rule
    assert not encryption.suits(
        factories.descriptor(factories.decryption_key(), "encryption"), Algorithms(data=frozenset())
    )


def test_presets_are_kept_in_order_and_once() -> None:
    assert algorithms.presets_named(["plain", "legacy-cbc", "plain"]) == ("legacy-cbc", "plain")
    assert algorithms.presets_named(["default"]) == algorithms.presets_named([]) == ()


@pytest.mark.parametrize("names", [["modern"], ["default", "plain"]])
def test_a_preset_that_does_not_exist_or_contradicts_is_said(names: list[str]) -> None:
    with pytest.raises(ConfigurationError):
        algorithms.presets_named(names)


def test_a_site_cannot_ban_everything_of_a_kind() -> None:
    algorithms.require_some(DEFAULT_ALGORITHMS)
    with pytest.raises(ConfigurationError) as caught:
        algorithms.require_some(DEFAULT_ALGORITHMS.without(DEFAULT_ALGORITHMS.data | DEFAULT_ALGORITHMS.digest))
    assert len(caught.value.problems) == 2


# Legacy, where a connection allows it


@pytest.mark.conformance("IIP-ALG05")
@pytest.mark.parametrize("method", CBC)
def test_cbc_is_read_and_written_under_its_preset_inside_what_is_signed(method: str) -> None:
    only = Algorithms(data=frozenset({method}))
    document = factories.response_xml(algorithms=only)
    assert method.encode() in document
    assert factories.accept_response(document, algorithms=allowed(("legacy-cbc",))).name_id is not None
    with pytest.raises(Refused) as caught:
        factories.accept_response(document)
    assert caught.value.rule == "encryption.method"


def test_pkcs1_key_transport_is_read_and_written_under_its_preset() -> None:
    legacy = allowed(("legacy-rsa15",))
    document = factories.response_xml(algorithms=legacy)
    assert Algorithm.RSA_1_5.encode() in document
    assert factories.accept_response(document, algorithms=legacy).name_id is not None
    with pytest.raises(Refused) as caught:
        factories.accept_response(document)
    assert caught.value.rule == "encryption.key_transport"


@pytest.mark.parametrize("key", [factories.signing_key(), factories.ec_signing_key()], ids=["RSA", "EC"])
def test_sha1_signatures_are_read_and_written_under_their_preset(key: signature.SigningKey) -> None:
    weak = key.using(Algorithm.RSA_SHA1 if key.kind == "RSA" else Algorithm.ECDSA_SHA1)
    document = factories.signed_response(key=weak)
    idp = factories.idp_entity(key)
    assert Algorithm.SHA1.encode() in document
    assert factories.accept_response(document, algorithms=allowed(("legacy-sha1",)), idp=idp)
    with pytest.raises(Refused) as caught:
        factories.accept_response(document, idp=idp)
    assert caught.value.rule == "signature.algorithm"


@pytest.mark.parametrize("damage", ["last block", "one octet more", "an octet", "only a vector"])
@pytest.mark.parametrize("content", [b"x" * 31, b"x" * 32, b""], ids=["padded", "whole blocks", "empty"])
def test_every_way_in_which_cbc_fails_looks_the_same(damage: str, content: bytes) -> None:
    legacy = allowed(("legacy-cbc",))
    wrapper = trees.new(f"{{{SAML}}}EncryptedAssertion", {"saml": SAML})
    key = factories.descriptor(factories.decryption_key(), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(f"<a>{content.decode()}</a>".encode(), key=key, algorithms=legacy)))
    opened, _ = encryption.examine(wrapper, [factories.decryption_key()], algorithms=legacy, covered=True)
    assert (opened.text or "").encode() == content
    value = list(wrapper.iter("{*}CipherValue"))[1]
    octets = bytearray(base64.b64decode(value.text or ""))
    match damage:
        case "last block":
            del octets[-16:]
        case "one octet more":
            octets.append(0)
        case "an octet":
            octets[17] ^= 1
        case _:
            del octets[16:]
    value.text = base64.b64encode(bytes(octets)).decode()
    with pytest.raises(Refused) as caught:
        encryption.examine(wrapper, [factories.decryption_key()], algorithms=legacy, covered=True)
    failed = caught.value.failed
    assert (failed.rule, failed.received) == ("encryption.opens", "not that")


def test_with_cbc_a_wrong_key_that_makes_something_of_it_does_not_stop_the_right_one() -> None:
    legacy = allowed(("legacy-cbc",))
    others = [factories.decryption_key("other"), factories.decryption_key("old")]
    for _ in range(40):
        document = factories.response_xml(algorithms=legacy)
        keys = (*others, factories.decryption_key())
        assert factories.accept_response(document, algorithms=legacy, decryption_keys=keys)
