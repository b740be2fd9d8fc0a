"""Signature wrapping around everything but responses (see `test_wrapping` for those): requests, logouts, artifacts.

The attacker holds a genuine signed message, or something else that the same key has signed, and wants another message
to be read. Every arrangement is refused for being what it is; the genuine message alone is accepted.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import product

import pytest
from lxml import etree

from federation.errors import FederationError
from federation.saml import signature, xml
from federation.saml.bindings import artifact as artifact_binding
from federation.saml.bindings import soap
from federation.saml.codec import artifact as artifact_codec
from federation.saml.codec import authn_request as request_codec
from federation.saml.codec import logout as logout_codec
from federation.saml.codec import response as response_codec
from federation.saml.messages import ArtifactResolve, ArtifactResponse, NameID, Status
from federation.saml.names import StatusCode
from federation.saml.profiles import artifact, logout
from tests import factories, metadata_factories, trees
from tests.attacks import deliveries
from tests.attacks.forging import (
    MALLORY,
    D,
    P,
    assertion_in,
    copied,
    evil_assertion,
    evil_response,
    genuine,
    signature_in,
    without_signature,
)
from tests.factories import IDP, NOW, REQUEST_ID, SP, signing_key

FORGED_ID = "_" + "9" * 32
EVIL = "https://evil.example/acs"


@dataclass(frozen=True)
class Kind:
    """One kind of message: the prefix of its rules, the genuine and the forged one unsigned, and how it is judged."""

    name: str
    rules: str
    key: str
    genuine: Callable[[], etree._Element]
    forged: Callable[[], etree._Element]
    judge: Callable[[bytes], object]

    def signed(self) -> etree._Element:
        """The genuine message, as captured."""
        element = self.genuine()
        signature.sign(element, key=signing_key(self.key))
        return xml.reparse(xml.serialise(element))


def resolve(text: str, identifier: str) -> etree._Element:
    return xml.lift(artifact_codec.write_resolve(ArtifactResolve(identifier, SP, NOW, text, deliveries.ARTIFACT_URL)))


def resolved(message: etree._Element, identifier: str) -> etree._Element:
    answer = ArtifactResponse(identifier, IDP, NOW, Status(StatusCode.SUCCESS), REQUEST_ID)
    return trees.artifact_response(answer, message)


def made(handle: bytes) -> str:
    return artifact_binding.create(IDP, endpoint_index=0, random=lambda size: handle * size).text


def by_soap(octets: bytes) -> bytes:
    return soap.encode(octets)


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "AuthnRequest",
            "request",
            "sp",
            lambda: xml.lift(request_codec.write(factories.request())),
            lambda: xml.lift(
                request_codec.write(factories.request()._replace(id=FORGED_ID, assertion_consumer_service_url=EVIL))
            ),
            lambda octets: factories.accept_request(factories.posted(octets, "SAMLRequest")),
        ),
        Kind(
            "LogoutRequest",
            "logout",
            "sp",
            lambda: xml.lift(logout_codec.write_request(deliveries.logout_request())),
            lambda: xml.lift(
                logout_codec.write_request(
                    replace(deliveries.logout_request(), id=FORGED_ID, name_id=NameID(MALLORY), session_indexes=())
                )
            ),
            lambda octets: logout.accept_request(factories.posted(octets, "SAMLRequest"), deliveries.at_slo()),
        ),
        Kind(
            "LogoutResponse",
            "logout",
            "sp",
            lambda: xml.lift(logout_codec.write_response(deliveries.logout_response())),
            lambda: xml.lift(
                logout_codec.write_response(
                    replace(deliveries.logout_response(), id=FORGED_ID, status=Status(StatusCode.RESPONDER))
                )
            ),
            lambda octets: logout.accept_response(factories.posted(octets, "SAMLResponse"), deliveries.at_slo()),
        ),
        Kind(
            "LogoutRequest by SOAP",
            "logout",
            "sp",
            lambda: xml.lift(logout_codec.write_request(deliveries.logout_request())),
            lambda: xml.lift(
                logout_codec.write_request(
                    replace(deliveries.logout_request(), id=FORGED_ID, name_id=NameID(MALLORY), session_indexes=())
                )
            ),
            lambda octets: logout.accept_request(soap.decode(by_soap(octets)), deliveries.at_slo()),
        ),
        Kind(
            "ArtifactResolve",
            "artifact",
            "sp",
            lambda: resolve(made(b"h"), REQUEST_ID),
            lambda: resolve(made(b"x"), FORGED_ID),
            lambda octets: artifact.accept_resolve(soap.decode(by_soap(octets)), deliveries.at_resolver()),
        ),
        Kind(
            "ArtifactResponse",
            "artifact",
            "idp",
            lambda: resolved(xml.parse(factories.signed_response(sign="both")), "_" + "8" * 32),
            lambda: resolved(evil_response(evil_assertion()), FORGED_ID),
            lambda octets: artifact.accept_response(soap.decode(by_soap(octets)), deliveries.at_requester()),
        ),
    )
}


def in_extensions(message: etree._Element, *inside: etree._Element, position: int) -> etree._Element:
    extensions = etree.Element(f"{P}Extensions")
    extensions.extend(inside)
    message.insert(position, extensions)
    return message


# The arrangements: from a kind of message to a document


def xsw1(kind: Kind) -> etree._Element:
    """Forged message; the moved signature contains the original."""
    original, forged = kind.signed(), kind.forged()
    block = copied(signature_in(original))
    block.append(without_signature(original))
    forged.insert(1, block)
    return forged


def xsw2(kind: Kind) -> etree._Element:
    """Forged message; original and signature are siblings inside it."""
    original, forged = kind.signed(), kind.forged()
    forged.insert(1, copied(signature_in(original)))
    forged.insert(1, without_signature(original))
    return forged


def in_object(kind: Kind) -> etree._Element:
    """The original in an Object of the signature that the forged one shows."""
    original, forged = kind.signed(), kind.forged()
    block = copied(signature_in(original))
    etree.SubElement(block, f"{D}Object").append(original)
    forged.insert(1, block)
    return forged


def in_key_info(kind: Kind) -> etree._Element:
    """The original in the KeyInfo of the signature that the forged one shows."""
    original, forged = kind.signed(), kind.forged()
    block = copied(signature_in(original))
    next(block.iter(f"{D}KeyInfo")).append(without_signature(original))
    forged.insert(1, block)
    return forged


def parked(kind: Kind) -> etree._Element:
    """The original in extensions of the forged one, which shows the same signature."""
    original, forged = kind.signed(), kind.forged()
    forged.insert(1, copied(signature_in(original)))
    return in_extensions(forged, original, position=2)


def parked_bare(kind: Kind) -> etree._Element:
    """The original without its signature in extensions of the forged one, which shows it."""
    original, forged = kind.signed(), kind.forged()
    forged.insert(1, copied(signature_in(original)))
    return in_extensions(forged, without_signature(original), position=2)


def same_id(kind: Kind) -> etree._Element:
    """Likewise, and both have one ID."""
    original, forged = kind.signed(), kind.forged()
    forged.set("ID", str(original.get("ID")))
    forged.insert(1, copied(signature_in(original)))
    return in_extensions(forged, without_signature(original), position=2)


def borrowed(kind: Kind) -> etree._Element:
    """The signature of the original, and nothing else of it."""
    forged = kind.forged()
    forged.insert(1, copied(signature_in(kind.signed())))
    return forged


def borrowed_with_id(kind: Kind) -> etree._Element:
    """The signature and the ID of the original."""
    original, forged = kind.signed(), kind.forged()
    forged.set("ID", str(original.get("ID")))
    forged.insert(1, copied(signature_in(original)))
    return forged


def smuggled_in_object(kind: Kind) -> etree._Element:
    """The original carries the forged one where its signature does not reach: in an Object."""
    original = kind.signed()
    etree.SubElement(signature_in(original), f"{D}Object").append(kind.forged())
    return original


def smuggled_in_key_info(kind: Kind) -> etree._Element:
    """The same in the certificate's element."""
    original = kind.signed()
    next(original.iter(f"{D}X509Data")).append(kind.forged())
    return original


def appended(kind: Kind) -> etree._Element:
    """The forged one as the last child of the original."""
    original = kind.signed()
    original.append(kind.forged())
    return original


def foreign_root(kind: Kind) -> etree._Element:
    """Another element as the document, both inside."""
    root = etree.Element(f"{P}Messages")
    root.append(kind.forged())
    root.append(kind.signed())
    return root


def two_signatures(kind: Kind) -> etree._Element:
    """The original, its signature twice."""
    original = kind.signed()
    original.insert(1, copied(signature_in(original)))
    return original


ARRANGEMENTS: dict[Callable[[Kind], etree._Element], str] = {
    xsw1: "signature.shape",
    xsw2: "signature.place",
    in_object: "{}.signatures",
    in_key_info: "signature.reference",
    parked: "{}.signatures",
    parked_bare: "signature.reference",
    same_id: "xml.ids",
    borrowed: "signature.reference",
    borrowed_with_id: "signature.content",
    smuggled_in_object: "signature.shape",
    smuggled_in_key_info: "signature.key_info",
    appended: "signature.content",
    foreign_root: "{}.root",
    two_signatures: "signature.place",
}


OF_A_CARRIER = {in_object: "signature.shape", parked: "signature.reference"}
"""An ArtifactResponse carries a message with signatures of its own: others than its own are no surprise there."""


def rule_of(kind: Kind, document: etree._Element) -> str:
    with pytest.raises(FederationError) as caught:
        kind.judge(xml.serialise(document))
    return caught.value.rule


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_genuine_message_is_accepted(kind: Kind) -> None:
    kind.judge(xml.serialise(kind.signed()))


@pytest.mark.parametrize(
    ("kind", "arrange"),
    list(product(KINDS.values(), ARRANGEMENTS)),
    ids=lambda value: value.name if isinstance(value, Kind) else value.__name__,
)
def test_a_captured_message_lends_its_signature_to_no_other(
    kind: Kind, arrange: Callable[[Kind], etree._Element]
) -> None:
    special = OF_A_CARRIER.get(arrange) if kind.name == "ArtifactResponse" else None
    assert rule_of(kind, arrange(kind)) == (special or ARRANGEMENTS[arrange].format(kind.rules))


# What else the same key has signed


def response_of_errors() -> etree._Element:
    """A signed error response, as anybody can get one."""
    return xml.lift(response_codec.write(factories.envelope(status=Status(StatusCode.RESPONDER))))


def other_messages(kind: Kind) -> dict[str, etree._Element]:
    """Everything else that the same partner may have signed."""
    found = {other.name: other.genuine() for other in KINDS.values() if other.genuine().tag != kind.genuine().tag}
    found["Response"] = response_of_errors()
    found["Assertion"] = xml.lift(without_signature(assertion_in(genuine())))
    found["EntityDescriptor"] = xml.parse(
        metadata_factories.entity_xml(metadata_factories.sp_role_xml(), attributes='ID="_m"').encode()
    )
    for element in found.values():
        signature.sign(element, key=signing_key(kind.key))
    return {name: xml.reparse(xml.serialise(element)) for name, element in found.items()}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_the_key_signed_for_another_purpose_is_no_message(kind: Kind) -> None:
    for name, other in other_messages(kind).items():
        with pytest.raises(FederationError) as caught:
            kind.judge(xml.serialise(other))
        assert caught.value.rule in (f"{kind.rules}.root", f"{kind.rules}.binding", "soap.body"), name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_the_key_signed_for_another_purpose_signs_no_message(kind: Kind) -> None:
    """Signed metadata, a signed error, an assertion: parked in the forged message, or its signature moved there."""
    for name, other in other_messages(kind).items():
        moved = kind.forged()
        moved.insert(1, copied(signature_in(other)))
        same_id = other.get("ID") == moved.get("ID")
        assert rule_of(kind, moved) == ("signature.content" if same_id else "signature.reference"), name
        carried = in_extensions(kind.forged(), copied(other), position=1)
        stray = "signed" if kind.name == "ArtifactResponse" else "signatures"
        assert rule_of(kind, carried) == f"{kind.rules}.{stray}", name
        both = kind.forged()
        both.insert(1, copied(signature_in(other)))
        in_extensions(both, without_signature(other), position=2)
        inside = "signatures" if next(other.iterdescendants(f"{P}Response"), None) is not None else "assertions"
        assert rule_of(kind, both) in ("signature.reference", f"{kind.rules}.{inside}"), name


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_key_of_another_partner_signs_nothing_in_this_one_s_name(kind: Kind) -> None:
    element = kind.genuine()
    signature.sign(element, key=signing_key("mallory"))
    assert rule_of(kind, element) == "signature.value"
