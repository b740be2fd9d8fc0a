"""Signing keys hide their private half; public keys are strong enough or no keys at all; two verifiers agree."""

from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from federation.errors import ConfigurationError
from federation.saml.names import Algorithm
from federation.saml.signature_keys import METHODS, SigningKey, load_public_key
from tests import factories


def pem(
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey | dsa.DSAPrivateKey,
) -> bytes:
    return private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def spki(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> bytes:
    return private.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


WEAK_RSA = rsa.generate_private_key(65537, 1024)
WEAK_EC = ec.generate_private_key(ec.SECP224R1())
OTHER_KIND = ed25519.Ed25519PrivateKey.generate()


def test_a_key_knows_its_certificate_and_its_algorithm() -> None:
    key = factories.signing_key()
    assert key.certificate is not None
    assert key.algorithm == Algorithm.RSA_SHA256
    assert factories.ec_signing_key().algorithm == Algorithm.ECDSA_SHA256


def test_a_key_never_shows_itself() -> None:
    assert repr(factories.signing_key()) == "SigningKey(RSA)"


@pytest.mark.parametrize("private", [pem(WEAK_RSA), pem(WEAK_EC), pem(OTHER_KIND), b"junk", b""])
def test_an_unfit_private_key_is_our_own_mistake(private: bytes) -> None:
    with pytest.raises(ConfigurationError):
        SigningKey.from_pem(private)


def test_an_encrypted_private_key_is_our_own_mistake() -> None:
    encrypted = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"x")
    )
    with pytest.raises(ConfigurationError):
        SigningKey.from_pem(encrypted)


def test_a_certificate_of_another_key_is_our_own_mistake() -> None:
    with pytest.raises(ConfigurationError):
        SigningKey.from_pem(factories.key_pair("idp")[0], factories.key_pair("other")[1])
    with pytest.raises(ConfigurationError):
        SigningKey.from_pem(factories.key_pair("idp")[0], b"junk")


def test_a_key_that_lives_elsewhere_only_signs() -> None:
    inside = factories.signing_key()
    outside = SigningKey(public_key=inside.public_key, sign_octets=inside.sign)
    assert outside.sign(b"octets") == inside.sign(b"octets")


@pytest.mark.parametrize(
    "key",
    [spki(WEAK_RSA), spki(WEAK_EC), spki(OTHER_KIND), b"junk", b""],
    ids=["short RSA", "short EC", "another kind", "junk", "empty"],
)
def test_a_weak_or_strange_public_key_is_none(key: bytes) -> None:
    assert load_public_key(key) is None


def test_a_public_key_verifies_with_algorithms_of_its_kind_only() -> None:
    for signer in (factories.signing_key(), factories.ec_signing_key()):
        key = load_public_key(signer.public_key)
        assert key is not None
        value = signer.sign(b"octets")
        for verifies in (key.verifies, key.verifies_octets):
            assert verifies(b"octets", value, signer.algorithm)
            assert not any(verifies(b"octets", value, other) for other in METHODS if other != signer.algorithm)


@pytest.mark.parametrize("value", [b"\0" * 64, b"\0" * 63 + b"\1", b"\1" + b"\0" * 63, b"\xff" * 64])
def test_ecdsa_values_out_of_range_verify_nothing(value: bytes) -> None:
    key = load_public_key(factories.ec_signing_key().public_key)
    assert key is not None
    assert not key.verifies(b"octets", value, Algorithm.ECDSA_SHA256)
    assert not key.verifies_octets(b"octets", value, Algorithm.ECDSA_SHA256)


# Two verifiers, one answer --------------------------------------------------------------------------------------------

OCTETS = b"SAMLRequest=fZBNa8Mw&SigAlg=x"
CURVES = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1(), ec.SECP256K1(), ec.BrainpoolP384R1())
PRIVATE = [rsa.generate_private_key(65537, 2048), rsa.generate_private_key(3, 3072)]
PRIVATE += [ec.generate_private_key(curve) for curve in CURVES]


def name_of(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return f"RSA {private.key_size}" if isinstance(private, rsa.RSAPrivateKey) else private.curve.name


def variants(value: bytes) -> Iterator[bytes]:
    """A signature value, and everything near it that another reading of its length or its halves might let through."""
    half = len(value) // 2
    yield value
    yield bytes([value[0] ^ 1]) + value[1:]
    yield value[:-1] + bytes([value[-1] ^ 1])
    yield from (value[:length] for length in (0, 1, 2, half, half + 1, len(value) - 2, len(value) - 1))
    yield from (added + value for added in (b"\0", b"\0\0"))
    yield from (value + added for added in (b"\0", b"\0\0", value))
    yield from (added + value[:half] + added + value[half:] for added in (b"\0", b"\0" * 7, b"\0" * 400, b"\1"))
    yield value[1:half] + value[half + 1 :]
    yield value[half:] + value[:half]
    yield bytes(len(value))
    yield b"\xff" * len(value)
    if len(value) < 256:
        yield encode_dss_signature(int.from_bytes(value[:half], "big"), int.from_bytes(value[half:], "big"))


@pytest.mark.parametrize("private", PRIVATE, ids=name_of)
def test_both_verifiers_answer_alike(private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> None:
    signer = SigningKey.from_pem(pem(private))
    key = load_public_key(signer.public_key)
    assert key is not None
    verified = 0
    for algorithm, method in METHODS.items():
        if method.kind != signer.kind:
            assert not key.verifies_octets(OCTETS, bytes(64), algorithm)
            continue
        for octets in (OCTETS, OCTETS[:-1], OCTETS + b"&"):
            for value in variants(signer.sign(OCTETS, algorithm)):
                answer = key.verifies(octets, value, algorithm)
                assert key.verifies_octets(octets, value, algorithm) is answer, (algorithm, value.hex())
                assert not (answer and octets != OCTETS)
                verified += answer
    assert verified >= 4


def test_both_verifiers_take_an_ecdsa_value_without_its_leading_zeros() -> None:
    signer = factories.ec_signing_key(521)
    key = load_public_key(signer.public_key)
    assert key is not None
    values = (signer.sign(OCTETS, Algorithm.ECDSA_SHA512) for _ in range(1000))
    short = next(value[1:66] + value[67:] for value in values if not value[0] and not value[66])  # every fourth
    assert key.verifies(OCTETS, short, Algorithm.ECDSA_SHA512)
    assert key.verifies_octets(OCTETS, short, Algorithm.ECDSA_SHA512)
