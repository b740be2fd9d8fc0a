"""One valid message of every kind, as octets on the wire, and how each is read: where properties start from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache

from lxml import etree

from federation.saml import encryption, signature, xml
from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import post, redirect, soap
from federation.saml.bindings.post import PostForm
from federation.saml.codec import assertion as assertion_codec
from federation.saml.messages import LogoutRequest, LogoutResponse, NameID, Received
from federation.saml.metadata import trust
from federation.saml.metadata.entity import Entity, Role
from federation.saml.names import SAML, Binding, NameIDFormat
from federation.saml.profiles import artifact, logout, sso_request, sso_response
from federation.saml.profiles.artifact import ArtifactExpectations
from federation.saml.profiles.logout import LogoutExpectations
from tests import factories, metadata_factories, trees
from tests.factories import IDP, NOW, REQUEST_ID, SP, signing_key

SLO_URL = "https://idp.example.org/saml/slo"
ARTIFACT_URL = "https://idp.example.org/saml/artifact"
LATER = NOW + timedelta(seconds=10)
A = f"{{{SAML}}}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message as it arrives.

    `octets` is a document, or a raw query where `is_query`. `read` accepts octets and answers what was read from the
    part that is signed, as a value that can be compared; it raises whatever the toolkit raises.
    """

    name: str
    octets: bytes
    read: Callable[[bytes], object]
    is_query: bool = False


# Responses ------------------------------------------------------------------------------------------------------------


def encrypted_to_sp(element: etree._Element, tag: str) -> etree._Element:
    """The element encrypted to the SP, in a wrapper of this name."""
    wrapper = trees.new(f"{A}{tag}", {"saml": SAML})
    key = factories.descriptor(factories.decryption_key(), "encryption")
    wrapper.append(xml.lift(encryption.encrypt(element, key=key)))
    return wrapper


def with_encrypted_parts(element: etree._Element) -> None:
    """Encrypt the identifier and an attribute of an assertion."""
    for path, tag in ((f"{A}Subject/{A}NameID", "EncryptedID"), (f".//{A}Attribute", "EncryptedAttribute")):
        found = element.find(path)
        assert found is not None
        parent = found.getparent()
        assert parent is not None
        parent.replace(found, encrypted_to_sp(xml.lift(found), tag))


def _encrypted_and_signed(sign: str) -> bytes:
    element = xml.lift(assertion_codec.write(factories.assertion()))
    if sign in ("assertion", "both"):
        signature.sign(element, key=signing_key("idp"))
    root = trees.response(factories.envelope(), encrypted_to_sp(element, "EncryptedAssertion"))
    if sign in ("response", "both"):
        signature.sign(root, key=signing_key("idp"))
    return xml.serialise(root)


def read_response(octets: bytes, *, whole: bool, idp: Entity | None = None) -> object:
    """The assertion that is accepted, and where the envelope's is the only signature (`whole`), that too.

    Of two signatures the outer one may be taken away: what is left is a genuine assertion in an unsigned envelope.
    """
    accepted = factories.accept_response(octets, idp=idp or factories.idp_entity())
    return (accepted.assertion, accepted.response if whole else None, accepted.replay_key)


def _responses() -> Sequence[Delivery]:
    ec_idp = factories.idp_entity(factories.ec_signing_key())

    def one(name: str, octets: bytes, *, whole: bool, idp: Entity | None = None) -> Delivery:
        return Delivery(f"response: {name}", octets, lambda data: read_response(data, whole=whole, idp=idp))

    return (
        one("signed", factories.signed_response(), whole=True),
        one("signed with EC", factories.signed_response(key=factories.ec_signing_key()), whole=True, idp=ec_idp),
        one("assertion signed", factories.signed_response(sign="assertion"), whole=False),
        one("both signed", factories.signed_response(sign="both"), whole=False),
        one("encrypted parts", factories.signed_response(change_assertion=with_encrypted_parts), whole=True),
        one("signed, encrypted", _encrypted_and_signed("response"), whole=True),
        one("assertion signed, encrypted", _encrypted_and_signed("assertion"), whole=False),
        one("both signed, encrypted", _encrypted_and_signed("both"), whole=False),
    )


# Requests -------------------------------------------------------------------------------------------------------------


def read_request(received: Received) -> object:
    """The request that is accepted, and the RelayState where the query's signature covers it."""
    accepted = factories.accept_request(received)
    return accepted.request, received.relay_state if received.query_signature is not None else None


def query_of(carrier: str | PostForm) -> bytes:
    """The query of an address to redirect to."""
    assert isinstance(carrier, str)
    return carrier.partition("?")[2].encode()


def document_of(carrier: str | PostForm) -> bytes:
    """The document in a form to submit."""
    assert isinstance(carrier, PostForm)
    return post.decode(carrier.fields).xml


def _requests() -> Sequence[Delivery]:
    request, key = factories.request(force_authn=True), signing_key("sp")
    by_redirect = sso_request.send(request, binding=Binding.REDIRECT, key=key, relay_state="a state")
    by_post = sso_request.send(request, binding=Binding.POST, key=key)
    return (
        Delivery("request: Redirect", query_of(by_redirect), lambda data: read_request(redirect.decode(data)), True),
        Delivery(
            "request: POST", document_of(by_post), lambda data: read_request(factories.posted(data, "SAMLRequest"))
        ),
    )


# Logout ---------------------------------------------------------------------------------------------------------------


def logout_request() -> LogoutRequest:
    """A request of the SP to end a session."""
    return logout.build_request(
        id=REQUEST_ID,
        issuer=SP,
        destination=SLO_URL,
        name_id=NameID("_f81d", NameIDFormat.TRANSIENT, IDP, SP),
        session_indexes=["_s1", "_s2"],
        now=NOW,
    )


def logout_response() -> LogoutResponse:
    """The SP's answer to such a request of ours."""
    return logout.build_response(
        id="_" + "d" * 32, issuer=SP, destination=SLO_URL, in_response_to=REQUEST_ID, status=logout.SUCCESS, now=NOW
    )


def sp_role() -> Role:
    """The SP's role, for what is sent to the IdP."""
    role = factories.sp_entity().sp
    assert role is not None
    return role


def at_slo(**more: object) -> LogoutExpectations:
    """What the IdP expects of logout messages of the SP."""
    usual = LogoutExpectations(
        destination=SLO_URL, partner=factories.sp_entity(), role=sp_role(), now=LATER, request_id=REQUEST_ID
    )
    return replace(usual, **more)  # type: ignore[arg-type]


def read_logout(received: Received) -> object:
    """The logout message that is accepted."""
    if received.parameter == "SAMLRequest":
        keys = (factories.decryption_key(),)
        return logout.accept_request(received, at_slo(), decryption_keys=keys).request
    return logout.accept_response(received, at_slo()).response


def _logouts() -> Sequence[Delivery]:
    key = signing_key("sp")
    found = []
    for message, parameter in ((logout_request(), "SAMLRequest"), (logout_response(), "SAMLResponse")):
        kind = type(message).__name__
        query = query_of(logout.send(message, binding=Binding.REDIRECT, key=key, relay_state="state"))
        document = document_of(logout.send(message, binding=Binding.POST, key=key))
        found += [
            Delivery(f"{kind}: Redirect", query, lambda data: read_logout(redirect.decode(data)), True),
            Delivery(
                f"{kind}: POST",
                document,
                lambda data, parameter=parameter: read_logout(factories.posted(data, parameter)),  # type: ignore[misc]
            ),
            Delivery(f"{kind}: SOAP", logout.envelope(message, key=key), lambda data: read_logout(soap.decode(data))),
        ]
    return found


# Artifacts ------------------------------------------------------------------------------------------------------------


def at_resolver() -> ArtifactExpectations:
    """What the IdP's resolution service expects of the SP."""
    return ArtifactExpectations(partner=factories.sp_entity(), role=sp_role(), now=LATER, destination=ARTIFACT_URL)


def at_requester() -> ArtifactExpectations:
    """What the SP expects of the IdP's answer."""
    idp = factories.idp_entity()
    assert idp.idp is not None
    return ArtifactExpectations(partner=idp, role=idp.idp, now=LATER, request_id=REQUEST_ID)


def read_resolve(octets: bytes) -> object:
    """The request for a message that is accepted."""
    return artifact.accept_resolve(soap.decode(octets), at_resolver()).request


def read_resolved(octets: bytes) -> object:
    """The message that came back, and what its own profile reads in it."""
    received = artifact.accept_response(soap.decode(octets), at_requester()).received
    accepted = sso_response.accept(received, factories.expectations())
    return accepted.assertion, accepted.response


def _artifacts() -> Sequence[Delivery]:
    made = artifact_binding.create(IDP, endpoint_index=0, random=lambda size: b"h" * size)
    question = artifact.resolve(
        id=REQUEST_ID, issuer=SP, destination=ARTIFACT_URL, artifact=made, now=NOW, key=signing_key("sp")
    )
    answer = artifact.hand_out(
        id="_" + "e" * 32,
        issuer=IDP,
        in_response_to=REQUEST_ID,
        message=factories.signed_response(sign="both"),
        now=NOW,
        key=signing_key("idp"),
    )
    return (
        Delivery("ArtifactResolve", question, read_resolve),
        Delivery("ArtifactResponse", answer, read_resolved),
    )


# Metadata -------------------------------------------------------------------------------------------------------------


def read_metadata(octets: bytes) -> object:
    """The entity that is trusted by its pinned signature."""
    return trust.verify(
        octets,
        now=metadata_factories.NOW,
        own_entity_id="https://own.example.org",
        role="sp",
        signer_fingerprints=(metadata_factories.fingerprint_of("signer"),),
    ).entity


def metadata_document() -> bytes:
    """A signed document about an SP."""
    role = metadata_factories.sp_role_xml()
    document = metadata_factories.entity_xml(role, attributes='validUntil="2026-03-10T00:00:00Z"')
    return metadata_factories.signed(document, "signer")


@cache
def all_deliveries() -> tuple[Delivery, ...]:
    """Every kind of message, valid."""
    metadata = Delivery("metadata: signed", metadata_document(), read_metadata)
    return (*_responses(), *_requests(), *_logouts(), *_artifacts(), metadata)


def named(name: str) -> Delivery:
    """The delivery of this name."""
    return next(delivery for delivery in all_deliveries() if delivery.name == name)
