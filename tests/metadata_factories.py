"""Metadata for tests: keys made once per run, entities as values, and documents as text that a test can spoil."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from federation.attributes.catalogue import requested_attribute
from federation.saml import certificates, signature, xml
from federation.saml.metadata import publishing
from federation.saml.metadata.entity import Contact, Entity, Logo
from federation.saml.signature import SigningKey

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
IDP_ID = "https://idp.example.org/idp"
SP_ID = "https://sp.example.org/sp"
SAMPLES = Path(__file__).parent.parent / "metadata" / "samples"
NAMESPACES = (
    'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" '
    'xmlns:dsig11="http://www.w3.org/2009/xmldsig11#" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" '
    'xmlns:mdui="urn:oasis:names:tc:SAML:metadata:ui" xmlns:shibmd="urn:mace:shibboleth:metadata:1.0" '
    'xmlns:mdattr="urn:oasis:names:tc:SAML:metadata:attribute" xmlns:mdrpi="urn:oasis:names:tc:SAML:metadata:rpi" '
    'xmlns:alg="urn:oasis:names:tc:SAML:metadata:algsupport" xmlns:remd="http://refeds.org/metadata" '
    'xmlns:idpdisc="urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol"'
)
SAML2 = "urn:oasis:names:tc:SAML:2.0:protocol"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"


@cache
def rsa_key(name: str) -> SigningKey:
    """An RSA key with a certificate, the same one for a name during the whole run."""
    return SigningKey.from_pem(*certificates.generate(name, now=NOW, bits=2048))


@cache
def ec_key(_name: str) -> SigningKey:
    """An EC key without a certificate."""
    private = ec.generate_private_key(ec.SECP256R1())
    return SigningKey.from_pem(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@cache
def ec_certificate() -> bytes:
    """A certificate (DER) that holds an EC key and names nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = x509.CertificateBuilder(x509.Name([]), x509.Name([]), key.public_key(), 1)
    builder = builder.not_valid_before(NOW).not_valid_after(NOW + timedelta(days=1))
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def certificate_of(name: str) -> bytes:
    """The certificate (DER) of a named RSA key."""
    certificate = rsa_key(name).certificate
    assert certificate is not None
    return certificate


def fingerprint_of(name: str) -> str:
    """The fingerprint of that certificate."""
    return certificates.fingerprint(certificate_of(name))


def certificate_xml(name: str) -> str:
    """A ds:KeyInfo with the certificate of a named key."""
    text = base64.b64encode(certificate_of(name)).decode()
    return f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{text}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"


def key_xml(name: str, use: str | None = "signing", more: str = "") -> str:
    """An md:KeyDescriptor around it."""
    attribute = "" if use is None else f' use="{use}"'
    return f"<md:KeyDescriptor{attribute}>{certificate_xml(name)}{more}</md:KeyDescriptor>"


def acs_xml(location: str = "https://sp.example.org/acs", attributes: str = 'index="1"', binding: str = POST) -> str:
    """An md:AssertionConsumerService."""
    return f'<md:AssertionConsumerService Binding="{binding}" Location="{location}" {attributes}/>'


def sso_xml(location: str = "https://idp.example.org/sso", binding: str = REDIRECT) -> str:
    """An md:SingleSignOnService."""
    return f'<md:SingleSignOnService Binding="{binding}" Location="{location}"/>'


def sp_role_xml(inner: str | None = None, *, extensions: str = "", attributes: str = "", protocols: str = SAML2) -> str:
    """An md:SPSSODescriptor; without `inner` one key and one endpoint."""
    inner = key_xml("sp", None) + acs_xml() if inner is None else inner
    extensions = f"<md:Extensions>{extensions}</md:Extensions>" if extensions else ""
    return (
        f'<md:SPSSODescriptor protocolSupportEnumeration="{protocols}" {attributes}>{extensions}{inner}'
        "</md:SPSSODescriptor>"
    )


def idp_role_xml(inner: str | None = None, *, extensions: str = "", attributes: str = "") -> str:
    """An md:IDPSSODescriptor; without `inner` one key and one endpoint."""
    inner = key_xml("idp") + sso_xml() if inner is None else inner
    extensions = f"<md:Extensions>{extensions}</md:Extensions>" if extensions else ""
    return (
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAML2}" {attributes}>{extensions}{inner}'
        "</md:IDPSSODescriptor>"
    )


def entity_xml(
    roles: str, *, entity_id: str = SP_ID, attributes: str = "", extensions: str = "", after: str = ""
) -> str:
    """An md:EntityDescriptor with every namespace declared."""
    extensions = f"<md:Extensions>{extensions}</md:Extensions>" if extensions else ""
    return (
        f'<md:EntityDescriptor {NAMESPACES} entityID="{entity_id}" {attributes}>{extensions}{roles}{after}'
        "</md:EntityDescriptor>"
    )


def group_xml(*entities: str, attributes: str = "", extensions: str = "") -> str:
    """An md:EntitiesDescriptor around entities or other groups."""
    extensions = f"<md:Extensions>{extensions}</md:Extensions>" if extensions else ""
    return f"<md:EntitiesDescriptor {NAMESPACES} {attributes}>{extensions}{''.join(entities)}</md:EntitiesDescriptor>"


def signed(document: str | bytes, name: str, *, document_id: str = "_document") -> bytes:
    """A document with an enveloped signature of its root by a named RSA key."""
    root = xml.parse(document.encode() if isinstance(document, str) else document)
    root.set("ID", document_id)
    signature.sign(root, key=rsa_key(name))
    return xml.serialise(root)


def resigned(document: bytes, name: str) -> bytes:
    """The same document with another key's signature in place of its own."""
    root = xml.parse(document)
    own = root.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert own is not None
    root.remove(own)
    signature.sign(root, key=rsa_key(name))
    return xml.serialise(root)


def set_attributes(document: bytes, attributes: Mapping[str, str | None]) -> bytes:
    """The document with attributes of its root set or removed; a signature is not renewed."""
    root = etree.fromstring(document)
    for name, value in attributes.items():
        if value is None:
            root.attrib.pop(name, None)
        else:
            root.set(name, value)
    return etree.tostring(root)


CONTACTS = (
    Contact("technical", given_name="Tina", emails=("tech@example.org",)),
    Contact(
        "other", given_name="Sam", emails=("security@example.org",),
        remd_type="http://refeds.org/metadata/contactType/security",
    ),
)  # fmt: skip


def presentation(display_name: str) -> publishing.Presentation:
    """A complete presentation."""
    return publishing.Presentation(
        display_name=display_name,
        description="For tests & nothing else",
        information_url="https://example.org/about",
        privacy_statement_url="https://example.org/privacy",
        logos=(Logo("https://example.org/logo.png", 60, 80),),
        contacts=CONTACTS,
    )


def idp_entity(**changes: object) -> Entity:
    """A complete IdP as we publish it; `changes` replace fields of the entity."""
    entity = publishing.idp_entity(
        entity_id=IDP_ID,
        presentation=presentation("Example IdP"),
        sso_url="https://idp.example.org/saml/sso",
        signing_certificates=[certificate_of("idp")],
        scopes=["example.org"],
        error_url="https://idp.example.org/error",
    )
    return replace(entity, **changes)  # type: ignore[arg-type]


def sp_entity(**changes: object) -> Entity:
    """A complete SP as we publish it; `changes` replace fields of the entity."""
    entity = publishing.sp_entity(
        entity_id=SP_ID,
        presentation=presentation("Example SP"),
        acs_url="https://sp.example.org/saml/acs",
        signing_certificates=[certificate_of("sp")],
        encryption_certificates=[certificate_of("sp-encryption")],
        requested=[requested_attribute("display_name"), requested_attribute("mail", required=True)],
    )
    return replace(entity, **changes)  # type: ignore[arg-type]


def published(entity: Entity, name: str, *, validity: timedelta = timedelta(days=21)) -> bytes:
    """An entity's metadata, signed by a named key."""
    return publishing.publish(entity, signing_key=rsa_key(name), document_id="_document", now=NOW, validity=validity)
