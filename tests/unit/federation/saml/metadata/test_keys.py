import base64
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from federation.saml import certificates, xml
from federation.saml.metadata import keys
from federation.saml.metadata.entity import EncryptionMethod
from federation.saml.metadata.findings import Findings
from tests.metadata_factories import NAMESPACES, NOW, SAMPLES, certificate_of, certificate_xml, key_xml, rsa_key


def read(text):
    findings = Findings("https://sp.example.org")
    element = xml.parse(text.replace("<md:KeyDescriptor", f"<md:KeyDescriptor {NAMESPACES}", 1).encode())
    return keys.read_key(element, findings), findings.all()


def key_descriptor(inner, use="signing"):
    return f'<md:KeyDescriptor use="{use}"><ds:KeyInfo>{inner}</ds:KeyInfo></md:KeyDescriptor>'


def b64(octets):
    return base64.b64encode(octets).decode()


def number(value):
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def rsa_value(numbers):
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{number(numbers.n)}</ds:Modulus>"
        f"<ds:Exponent>{number(numbers.e)}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )


def ec_value(key, curve="urn:oid:1.2.840.10045.3.1.7"):
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return (
        f'<ds:KeyValue><dsig11:ECKeyValue><dsig11:NamedCurve URI="{curve}"/>'
        f"<dsig11:PublicKey>{b64(point)}</dsig11:PublicKey></dsig11:ECKeyValue></ds:KeyValue>"
    )


def der_value(octets):
    return f"<dsig11:DEREncodedKeyValue>{b64(octets)}</dsig11:DEREncodedKeyValue>"


def spki(key):
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture(scope="module")
def rsa_public():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()


@pytest.fixture(scope="module")
def ec_public():
    return ec.generate_private_key(ec.SECP256R1()).public_key()


def certificate(key, *, serial=1, subject="cn", days=1, digest=None):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)] if subject else [])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=4000))
        .not_valid_after(NOW - timedelta(days=4000) + timedelta(days=days))
    )
    return builder.sign(key, digest or hashes.SHA256()).public_bytes(Encoding.DER)


def x509_data(der):
    return f"<ds:X509Data><ds:X509Certificate>{b64(der)}</ds:X509Certificate></ds:X509Data>"


# What counts


@pytest.mark.conformance("IIP-MD11")
@pytest.mark.parametrize("use", ["signing", "encryption", None])
def test_a_certificate_gives_its_key_for_the_use_it_says_or_for_both(use):
    key, findings = read(key_xml("sp", use))
    assert key.use == use
    assert key.certificate == certificate_of("sp")
    assert key.public_key == rsa_key("sp").public_key
    assert findings == ()


@pytest.mark.parametrize("use", ["", "Signing", "sign", "signing encryption", "both"])
def test_a_use_that_does_not_exist_gives_nothing(use):
    key, findings = read(key_xml("sp", use))
    assert key is None
    assert [finding.rule for finding in findings] == ["metadata.key.use"]


def test_a_bare_rsa_key_is_a_key(rsa_public):
    key, _ = read(key_descriptor(rsa_value(rsa_public.public_numbers())))
    assert key.certificate is None
    assert key.public_key == spki(rsa_public)


def test_a_bare_ec_key_is_a_key(ec_public):
    key, _ = read(key_descriptor(ec_value(ec_public)))
    assert key.public_key == spki(ec_public)


def test_a_der_encoded_key_is_a_key(ec_public):
    key, _ = read(key_descriptor(der_value(spki(ec_public))))
    assert key.public_key == spki(ec_public)


def test_a_certificate_and_the_same_key_beside_it_are_one_key():
    public = rsa_key("sp").public_key
    key, _ = read(key_descriptor(certificate_xml("sp")[12:-13] + der_value(public)))
    assert key.public_key == public


def test_a_certificate_and_another_key_beside_it_are_no_key(rsa_public):
    """Which one a reader shows and which one it verifies with could differ."""
    key, findings = read(key_descriptor(certificate_xml("sp")[12:-13] + rsa_value(rsa_public.public_numbers())))
    assert key is None
    assert "two different keys" in findings[0].message


def test_two_different_bare_keys_are_no_key(rsa_public, ec_public):
    assert read(key_descriptor(der_value(spki(rsa_public)) + ec_value(ec_public)))[0] is None


def test_of_several_certificates_the_first_one_counts():
    both = certificate_xml("sp")[12:-13] + certificate_xml("other")[12:-13]
    key, findings = read(key_descriptor(both))
    assert key.certificate == certificate_of("sp")
    assert [finding.rule for finding in findings] == ["metadata.key.several"]


def test_key_names_and_blanks_and_a_pem_frame_do_no_harm():
    framed = (
        "\n-----BEGIN CERTIFICATE-----\n"
        + base64.encodebytes(certificate_of("sp")).decode()
        + "-----END CERTIFICATE-----\n"
    )
    names = "<ds:KeyName>sp</ds:KeyName>"
    subject = "<ds:X509SubjectName>CN=x</ds:X509SubjectName>"
    encoded = f"<ds:X509Certificate>{framed}</ds:X509Certificate>"
    inner = f"{names}<ds:X509Data>{subject}{encoded}</ds:X509Data>"
    key, findings = read(key_descriptor(inner))
    assert key.certificate == certificate_of("sp")
    assert findings == ()


def test_encryption_methods_are_kept_in_order_each_with_its_digests_and_masks():
    methods = (
        '<md:EncryptionMethod Algorithm="urn:a"/><md:EncryptionMethod Algorithm="urn:b"><ds:DigestMethod '
        'Algorithm="urn:d"/><e:MGF xmlns:e="http://www.w3.org/2009/xmlenc11#" Algorithm="urn:m"/>'
        "</md:EncryptionMethod><md:EncryptionMethod/>"
    )
    key, _ = read(key_xml("sp", "encryption", methods))
    assert key.encryption_methods == (EncryptionMethod("urn:a"), EncryptionMethod("urn:b", ("urn:d",), ("urn:m",)))


# Certificates only hold keys (IIP-MD12)


@pytest.mark.conformance("IIP-MD12")
def test_an_expired_certificate_is_fine():
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key, findings = read(key_descriptor(x509_data(certificate(private))))
    assert key.public_key == spki(private.public_key())
    assert findings == ()


@pytest.mark.conformance("IIP-MD12")
def test_a_certificate_without_a_subject_is_fine():
    private = ec.generate_private_key(ec.SECP384R1())
    key, _ = read(key_descriptor(x509_data(certificate(private, subject=""))))
    assert key.public_key == spki(private.public_key())


@pytest.mark.conformance("IIP-MD12")
def test_a_version_1_certificate_is_fine():
    """The generator of mod_auth_mellon makes such ones."""
    root = xml.parse((SAMPLES / "mellon-sp.xml").read_bytes())
    (first, _) = root.iter("{urn:oasis:names:tc:SAML:2.0:metadata}KeyDescriptor")
    assert keys.read_key(first, Findings("x")) is not None


@pytest.mark.conformance("IIP-MD12")
@pytest.mark.parametrize("serial", [b"\x00", b"\xff", b"\x80\x01"])
def test_a_serial_number_that_is_zero_or_negative_is_fine(serial):
    private = ec.generate_private_key(ec.SECP256R1())
    der = certificate(private, serial=0x7F if len(serial) == 1 else 0x7F01)
    old = b"\x02" + bytes([len(serial)]) + (b"\x7f" if len(serial) == 1 else b"\x7f\x01")
    position = der.index(old)
    key, _ = read(
        key_descriptor(x509_data(der[:position] + b"\x02" + bytes([len(serial)]) + serial + der[position + len(old) :]))
    )
    assert key is not None
    assert key.public_key == spki(private.public_key())


@pytest.mark.conformance("IIP-MD12")
def test_a_certificate_whose_own_signature_is_wrong_is_fine():
    der = bytearray(certificate_of("sp"))
    der[-1] ^= 1
    key, _ = read(key_descriptor(x509_data(bytes(der))))
    assert key.public_key == rsa_key("sp").public_key


# What does not count


@pytest.mark.parametrize(
    "inner",
    [
        "",
        "<ds:KeyName>only a name</ds:KeyName>",
        "<ds:X509Data/>",
        "<ds:X509Data><ds:X509Certificate/></ds:X509Data>",
        "<ds:X509Data><ds:X509Certificate>%%%</ds:X509Certificate></ds:X509Data>",
        "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>",
        "<ds:KeyValue/>",
        "<ds:KeyValue><ds:DSAKeyValue/></ds:KeyValue>",
        "<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>",
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AAAA</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
        "<ds:KeyValue><dsig11:ECKeyValue/></ds:KeyValue>",
        "<dsig11:DEREncodedKeyValue>AAAA</dsig11:DEREncodedKeyValue>",
        '<ds:RetrievalMethod URI="https://evil.example/key"/>',
    ],
)
def test_what_cannot_be_read_is_skipped_with_a_reason(inner):
    key, findings = read(key_descriptor(inner))
    assert key is None
    assert [finding.rule for finding in findings] == ["metadata.key.unreadable"]


def test_a_descriptor_without_key_info_is_skipped():
    key, findings = read('<md:KeyDescriptor use="signing"/>')
    assert key is None
    assert findings


def test_a_point_that_is_not_on_its_curve_is_skipped(ec_public):
    point = bytearray(ec_public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
    point[-1] ^= 1
    inner = ec_value(ec_public).replace(
        b64(ec_public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)), b64(bytes(point))
    )
    assert read(key_descriptor(inner))[0] is None


def test_a_curve_we_do_not_know_is_skipped(ec_public):
    assert read(key_descriptor(ec_value(ec_public, "urn:oid:1.3.132.0.10")))[0] is None


@pytest.mark.conformance("SDP-MD06", "SDP-MD07")
def test_weak_keys_are_skipped():
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key()
    tiny = ec.generate_private_key(ec.SECP192R1()).public_key()
    for weak in (small, tiny):
        key, findings = read(key_descriptor(der_value(spki(weak))))
        assert key is None
        assert "not of" in findings[0].message


def test_an_exponent_that_protects_nothing_is_skipped(rsa_public):
    for exponent in (1, 2, 65536):
        numbers = rsa.RSAPublicNumbers(exponent, rsa_public.public_numbers().n)
        assert read(key_descriptor(rsa_value(numbers)))[0] is None


def test_a_modulus_that_would_take_for_ever_is_skipped():
    numbers = rsa.RSAPublicNumbers(65537, (1 << 20000) + 1)
    for inner in (rsa_value(numbers), der_value(spki(numbers.public_key()))):
        key, findings = read(key_descriptor(inner))
        assert key is None
        assert "16384" in findings[0].message


def test_other_kinds_of_keys_are_skipped():
    for public in (ed25519.Ed25519PrivateKey.generate().public_key(), dsa.generate_private_key(2048).public_key()):
        assert read(key_descriptor(der_value(spki(public))))[0] is None


# Looking for a signer


def test_everything_readable_in_a_key_info_can_be_looked_at(rsa_public):
    text = certificate_xml("sp").replace("<ds:KeyInfo>", f"<ds:KeyInfo {NAMESPACES}>")
    text = text.replace("</ds:KeyInfo>", rsa_value(rsa_public.public_numbers()) + "<ds:KeyValue/></ds:KeyInfo>")
    found = keys.keys_in(xml.parse(text.encode()))
    assert [key.certificate is not None for key in found] == [True, False]
    assert certificates.fingerprint(found[0].certificate) == certificates.fingerprint(certificate_of("sp"))
    assert keys.keys_in(None) == ()
