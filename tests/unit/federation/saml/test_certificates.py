"""Certificates hold keys; fingerprints are what people compare."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from federation.errors import Malformed
from federation.saml import certificates
from tests import factories


def test_a_new_certificate_holds_its_key_for_ten_years() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    private_pem, certificate_pem = certificates.generate("idp.example.org", now=now, bits=2048)
    private = serialization.load_pem_private_key(private_pem, password=None)
    certificate = x509.load_pem_x509_certificate(certificate_pem)
    assert certificate.public_key() == private.public_key()  # type: ignore[comparison-overlap]
    assert certificate.subject.rfc4514_string() == "CN=idp.example.org"
    assert certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc > now + timedelta(days=3600)


def test_a_name_too_long_for_a_certificate_is_cut() -> None:
    _, pem = certificates.generate("x" * 100, now=factories.NOW, bits=2048)
    assert x509.load_pem_x509_certificate(pem).subject.rfc4514_string() == "CN=" + "x" * 64


def test_a_certificate_is_read_as_pem_or_der() -> None:
    pem = factories.key_pair()[1]
    der = certificates.load_certificate(pem)
    assert certificates.load_certificate(der) == der
    assert certificates.public_key_of(der) == factories.signing_key().public_key


@pytest.mark.parametrize("octets", [b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
def test_what_is_no_certificate_is_malformed(octets: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        certificates.load_certificate(octets)
    assert caught.value.rule == "certificates.certificate"


def test_what_holds_no_key_is_malformed() -> None:
    with pytest.raises(Malformed):
        certificates.public_key_of(b"junk")


def test_a_fingerprint_is_pairs_of_upper_case_digits() -> None:
    fingerprint = certificates.fingerprint(b"certificate")
    assert fingerprint.count(":") == 31
    assert fingerprint == fingerprint.upper()


def test_people_may_type_a_fingerprint_as_they_like() -> None:
    fingerprint = certificates.fingerprint(b"certificate")
    for typed in (fingerprint, fingerprint.lower(), fingerprint.replace(":", ""), f" {fingerprint.replace(':', ' ')} "):
        assert certificates.normalise_fingerprint(typed) == fingerprint


@pytest.mark.parametrize("text", ["", "AB:CD", "G" * 64, "A" * 63, "A" * 65, "A" * 40])
def test_what_is_no_sha_256_fingerprint_is_malformed(text: str) -> None:
    with pytest.raises(Malformed):
        certificates.normalise_fingerprint(text)


@pytest.mark.parametrize("years", [10, 40])
def test_a_certificate_says_until_when_it_is_meant_to_be_used(years: int) -> None:
    _, pem = certificates.generate("x", now=factories.NOW, bits=2048, years=years)
    container = certificates.container_of(certificates.load_certificate(pem))
    assert container.not_after == x509.load_pem_x509_certificate(pem).not_valid_after_utc
    assert not container.weakly_signed


@pytest.mark.parametrize("octets", [b"", b"0", b"0\x00", b"0\x02\x30\x00", b"junk"])
def test_what_is_oddly_made_says_nothing(octets: bytes) -> None:
    with pytest.raises(Malformed) as caught:
        certificates.container_of(octets)
    assert caught.value.rule == "certificates.container"


def test_a_certificate_of_a_version_that_does_not_exist_is_malformed() -> None:
    der = certificates.load_certificate(factories.key_pair()[1])
    version = der.index(b"\xa0\x03\x02\x01\x02") + 4
    with pytest.raises(Malformed) as caught:
        certificates.load_certificate(der[:version] + b"\x05" + der[version + 1 :])
    assert caught.value.rule == "certificates.certificate"
