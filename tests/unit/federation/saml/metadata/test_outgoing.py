"""A message is signed with what the partner lists, our key does and nothing here forbids."""

import pytest

from federation.saml.algorithms import allowed
from federation.saml.metadata.entity import SigningMethod, SPRole
from federation.saml.metadata.outgoing import NothingInCommon, signing_key
from federation.saml.names import Algorithm
from tests import factories

RSA, EC = factories.signing_key(), factories.ec_signing_key()


def listing(*algorithms: str | SigningMethod, digests: tuple[str, ...] = ()) -> SPRole:
    methods = tuple(each if isinstance(each, SigningMethod) else SigningMethod(each) for each in algorithms)
    return SPRole(signing_methods=methods, digest_algorithms=digests)


def test_who_lists_nothing_gets_sha_256_by_the_key_that_we_have() -> None:
    for key, algorithm in ((RSA, Algorithm.RSA_SHA256), (EC, Algorithm.ECDSA_SHA256)):
        for role in (None, listing()):
            chosen = signing_key(key, role, allowed())
            assert (chosen.algorithm, chosen.digest) == (algorithm, Algorithm.SHA256)


@pytest.mark.conformance("IIP-MD10")
def test_the_first_of_the_partner_s_list_that_our_key_does_is_used() -> None:
    role = listing(
        Algorithm.ECDSA_SHA512,
        Algorithm.RSA_SHA512,
        Algorithm.RSA_SHA256,
        "urn:unknown",
        digests=("urn:unknown", Algorithm.SHA384, Algorithm.SHA256),
    )
    chosen = signing_key(RSA, role, allowed())
    assert (chosen.algorithm, chosen.digest) == (Algorithm.RSA_SHA512, Algorithm.SHA384)
    assert signing_key(EC, role, allowed()).algorithm == Algorithm.ECDSA_SHA512


@pytest.mark.conformance("IIP-MD10")
def test_bounds_on_the_size_of_keys_are_obeyed() -> None:
    too_long = SigningMethod(Algorithm.RSA_SHA512, min_key_size=RSA.bits + 1)
    too_short = SigningMethod(Algorithm.RSA_SHA384, max_key_size=RSA.bits - 1)
    fits = SigningMethod(Algorithm.RSA_SHA256, min_key_size=RSA.bits, max_key_size=RSA.bits)
    assert signing_key(RSA, listing(too_long, too_short, fits), allowed()).algorithm == Algorithm.RSA_SHA256
    with pytest.raises(NothingInCommon):
        signing_key(RSA, listing(too_long, too_short), allowed())


@pytest.mark.conformance("IIP-MD10", "IIP-ALG08")
def test_a_ban_here_wins_over_the_partner_s_list() -> None:
    role = listing(Algorithm.RSA_SHA512, Algorithm.RSA_SHA256, digests=(Algorithm.SHA512, Algorithm.SHA256))
    chosen = signing_key(RSA, role, allowed((), frozenset({Algorithm.RSA_SHA512, Algorithm.SHA512})))
    assert (chosen.algorithm, chosen.digest) == (Algorithm.RSA_SHA256, Algorithm.SHA256)
    with pytest.raises(NothingInCommon) as caught:
        signing_key(RSA, listing(Algorithm.RSA_SHA512), allowed((), frozenset({Algorithm.RSA_SHA512})))
    assert "rsa-sha512" in caught.value.message


def test_what_is_banned_is_not_used_for_a_silent_partner_either() -> None:
    banned = frozenset({Algorithm.RSA_SHA256, Algorithm.SHA256, Algorithm.SHA384})
    chosen = signing_key(RSA, None, allowed((), banned))
    assert (chosen.algorithm, chosen.digest) == (Algorithm.RSA_SHA384, Algorithm.SHA512)


@pytest.mark.parametrize(
    "role",
    [
        listing(Algorithm.RSA_SHA1),
        listing(Algorithm.ECDSA_SHA256),
        listing(Algorithm.RSA_SHA256, digests=(Algorithm.SHA1,)),
    ],
    ids=["SHA-1 alone", "another kind of key", "a SHA-1 digest"],
)
def test_who_leaves_nothing_gets_nothing(role: SPRole) -> None:
    with pytest.raises(NothingInCommon):
        signing_key(RSA, role, allowed())


def test_a_legacy_preset_is_used_where_nothing_better_is_listed() -> None:
    legacy = allowed(("legacy-sha1",))
    weak = signing_key(RSA, listing(Algorithm.RSA_SHA1, digests=(Algorithm.SHA1,)), legacy)
    assert (weak.algorithm, weak.digest) == (Algorithm.RSA_SHA1, Algorithm.SHA1)
    assert signing_key(RSA, listing(), legacy).algorithm == Algorithm.RSA_SHA1
    assert signing_key(RSA, listing(Algorithm.RSA_SHA1, Algorithm.RSA_SHA256), legacy).algorithm == Algorithm.RSA_SHA256


def test_the_key_itself_is_left_as_it_was() -> None:
    assert signing_key(RSA, listing(Algorithm.RSA_SHA512), allowed()) is not RSA
    assert (RSA.algorithm, RSA.digest) == (Algorithm.RSA_SHA256, None)


def test_a_key_is_set_to_the_same_algorithms_once() -> None:
    chosen = signing_key(RSA, listing(Algorithm.RSA_SHA512), allowed())
    assert signing_key(chosen, listing(Algorithm.RSA_SHA512), allowed()) is chosen
    assert signing_key(RSA, listing(Algorithm.RSA_SHA384), allowed()).algorithm == Algorithm.RSA_SHA384
