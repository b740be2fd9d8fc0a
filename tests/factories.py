"""Messages, keys and entities for tests: an IdP, an SP, and everything that travels between them.

Keys are made once for a run. Everything else is made anew by functions whose arguments name what a test is about.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from lxml import etree

from federation.saml import certificates, signature, xml
from federation.saml.codec import assertion as assertion_codec
from federation.saml.encryption import DecryptionKey
from federation.saml.messages import (
    Assertion,
    Attribute,
    AuthnRequest,
    AuthnStatement,
    Conditions,
    NameID,
    Received,
    Response,
    Status,
    SubjectConfirmation,
)
from federation.saml.metadata.entity import Endpoint, Entity, IdPRole, KeyDescriptor, SPRole
from federation.saml.names import (
    AuthnContextClass,
    Binding,
    ConfirmationMethod,
    NameFormat,
    NameIDFormat,
    StatusCode,
)
from federation.saml.profiles import sso_request, sso_response
from federation.saml.profiles.outline_text import Outlined
from federation.saml.signature import SigningKey
from tests import trees

NOW = datetime(2026, 3, 4, 10, 0, 0, tzinfo=UTC)
IDP = "https://idp.example.org/saml/metadata"
SP = "https://sp.example.com/saml/metadata"
OTHER_SP = "https://other.example.net/saml/metadata"
SSO_URL = "https://idp.example.org/saml/sso"
ACS_URL = "https://sp.example.com/saml/acs"
REQUEST_ID = "_" + "a" * 32
RESPONSE_ID = "_" + "b" * 32
ASSERTION_ID = "_" + "c" * 32


@cache
def _made_key_pair(name: str) -> tuple[bytes, bytes]:
    return certificates.generate(name, now=NOW, bits=2048)


def key_pair(name: str = "idp") -> tuple[bytes, bytes]:
    """A private key and its certificate, both PEM: RSA of 2048 bits, the same for the same name."""
    return _made_key_pair(name)


@cache
def _made_signing_key(name: str) -> SigningKey:
    return SigningKey.from_pem(*key_pair(name))


def signing_key(name: str = "idp") -> SigningKey:
    """The RSA signing key of this name, with its certificate."""
    return _made_signing_key(name)


@cache
def ec_signing_key(bits: int = 256) -> SigningKey:
    """An EC signing key without a certificate."""
    curve = {256: ec.SECP256R1(), 384: ec.SECP384R1(), 521: ec.SECP521R1()}[bits]
    private = ec.generate_private_key(curve)
    return SigningKey.from_pem(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@cache
def _made_decryption_key(name: str) -> DecryptionKey:
    return DecryptionKey.from_pem(key_pair(name)[0])


def decryption_key(name: str = "sp-encryption") -> DecryptionKey:
    """The RSA decryption key of this name."""
    return _made_decryption_key(name)


def descriptor(key: SigningKey | DecryptionKey, use: str | None = None, **more: Any) -> KeyDescriptor:
    """A key as metadata has it."""
    return KeyDescriptor(use=use, public_key=key.public_key, **more)


def idp_entity(*keys: SigningKey, **more: Any) -> Entity:
    """The IdP as the SP knows it."""
    descriptors = tuple(descriptor(key, "signing") for key in keys or (signing_key("idp"),))
    role = IdPRole(
        keys=descriptors, single_sign_on=(Endpoint(Binding.REDIRECT, SSO_URL), Endpoint(Binding.POST, SSO_URL))
    )
    return Entity(entity_id=IDP, idp=replace(role, **more))


def sp_entity(**more: Any) -> Entity:
    """The SP as the IdP knows it."""
    role = SPRole(
        keys=(descriptor(signing_key("sp"), "signing"), descriptor(decryption_key(), "encryption")),
        assertion_consumer=(Endpoint(Binding.POST, ACS_URL, index=0, is_default=True),),
        authn_requests_signed=True,
    )
    return Entity(entity_id=SP, sp=replace(role, **more))


def acs() -> Endpoint:
    """The SP's endpoint."""
    return Endpoint(Binding.POST, ACS_URL, index=0, is_default=True)


ATTRIBUTES = (
    Attribute(
        name="urn:oid:2.16.840.1.113730.3.1.241",
        values=("Alice Archer",),
        name_format=NameFormat.URI,
        friendly_name="displayName",
    ),
    Attribute(
        name="urn:oid:0.9.2342.19200300.100.1.3",
        values=("alice@example.org",),
        name_format=NameFormat.URI,
        friendly_name="mail",
    ),
    Attribute(
        name="urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
        values=("staff", "library"),
        name_format=NameFormat.URI,
        friendly_name="isMemberOf",
    ),
)


def request(**more: Any) -> AuthnRequest:
    """An AuthnRequest of the SP to the IdP."""
    arguments: dict[str, Any] = {
        "id": REQUEST_ID,
        "issuer": SP,
        "destination": SSO_URL,
        "acs_url": ACS_URL,
        "now": NOW,
    }
    return sso_request.build(**(arguments | more))


def response_xml(**more: Any) -> bytes:
    """The default response: signed, its assertion encrypted to the SP."""
    return response(**more).octets


def response(**more: Any) -> Outlined:
    """The default response, with its outline."""
    arguments: dict[str, Any] = {
        "response_id": RESPONSE_ID,
        "assertion_id": ASSERTION_ID,
        "issuer": IDP,
        "acs": acs(),
        "in_response_to": REQUEST_ID,
        "audience": SP,
        "name_id": NameID("_f81d", NameIDFormat.TRANSIENT, IDP, SP),
        "attributes": ATTRIBUTES,
        "authn_instant": NOW - timedelta(minutes=1),
        "session_index": "_session",
        "authn_context_class_ref": AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT,
        "now": NOW,
        "signing_key": signing_key("idp"),
        "encrypt_to": descriptor(decryption_key(), "encryption"),
    }
    return sso_response.build(**(arguments | more))


def assertion(**more: Any) -> Assertion:
    """The assertion of the default response, as a value to change before it is written."""
    whole = Assertion(
        id=ASSERTION_ID,
        issuer=IDP,
        issue_instant=NOW,
        name_id=NameID("_f81d", NameIDFormat.TRANSIENT, IDP, SP),
        subject_confirmations=(confirmation(),),
        conditions=Conditions(NOW, NOW + timedelta(minutes=5), ((SP,),)),
        authn_statements=(authn_statement(),),
        attributes=ATTRIBUTES,
    )
    return replace(whole, **more)


def confirmation(**more: Any) -> SubjectConfirmation:
    """The bearer confirmation of the default response."""
    whole = SubjectConfirmation(
        method=ConfirmationMethod.BEARER,
        recipient=ACS_URL,
        in_response_to=REQUEST_ID,
        not_on_or_after=NOW + timedelta(minutes=5),
    )
    return replace(whole, **more)


def authn_statement(**more: Any) -> AuthnStatement:
    """The authentication statement of the default response."""
    whole = AuthnStatement(
        authn_instant=NOW - timedelta(minutes=1),
        session_index="_session",
        authn_context_class_ref=AuthnContextClass.PASSWORD_PROTECTED_TRANSPORT,
    )
    return replace(whole, **more)


def envelope(**more: Any) -> Response:
    """The envelope of the default response, as a value to change before it is written."""
    whole = Response(
        id=RESPONSE_ID,
        issue_instant=NOW,
        status=Status(StatusCode.SUCCESS),
        issuer=IDP,
        destination=ACS_URL,
        in_response_to=REQUEST_ID,
    )
    return replace(whole, **more)


Change = Callable[[etree._Element], object]


def signed_response(
    of: Assertion | None = None,
    inside: Response | None = None,
    *,
    key: SigningKey | None = None,
    sign: str = "response",
    change_assertion: Change | None = None,
    change: Change | None = None,
) -> bytes:
    """A response with a plain assertion, signed after the changes: whatever is wrong in it, the IdP has signed it.

    `sign` is "response", "assertion", "both" or "nothing". `change_assertion` and `change` get the element before it is
    signed.
    """
    key = key or signing_key("idp")
    element = xml.lift(assertion_codec.write(of or assertion()))
    if change_assertion is not None:
        change_assertion(element)
    if sign in ("assertion", "both"):
        signature.sign(element, key=key)
    root = trees.response(inside or envelope(), element)
    if change is not None:
        change(root)
    if sign in ("response", "both"):
        signature.sign(root, key=key)
    return xml.serialise(root)


def posted(document: bytes | etree._Element, parameter: str = "SAMLResponse") -> Received:
    """A document as HTTP-POST delivers it."""
    data = document if isinstance(document, bytes) else xml.serialise(document)
    return Received(binding=Binding.POST, parameter=parameter, xml=data)


def expectations(**more: Any) -> sso_response.ResponseExpectations:
    """What the SP expects of the default response."""
    arguments: dict[str, Any] = {
        "sp_entity_id": SP,
        "acs_url": ACS_URL,
        "idp": idp_entity(),
        "request_id": REQUEST_ID,
        "now": NOW + timedelta(seconds=10),
        "decryption_keys": (decryption_key(),),
    }
    return sso_response.ResponseExpectations(**(arguments | more))


def accept_response(document: bytes | etree._Element, **more: Any) -> sso_response.AcceptedResponse:
    """The SP's verdict on a posted response."""
    return sso_response.accept(posted(document), expectations(**more))


def accept_request(received: Received, **more: Any) -> sso_request.AcceptedRequest:
    """The IdP's verdict on a request."""
    arguments: dict[str, Any] = {
        "expected_destination": SSO_URL,
        "idp_entity_id": IDP,
        "partner": sp_entity(),
        "now": NOW + timedelta(seconds=10),
    }
    return sso_request.accept(received, **(arguments | more))


def base64_text(octets: bytes) -> str:
    """Octets as base64 text."""
    return base64.b64encode(octets).decode()
