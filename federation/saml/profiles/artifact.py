"""Artifact Resolution (SAML Profiles 5; SAML Core 3.5): ask for the message behind an artifact, and hand it out.

The message that comes back is `Received` like one by any other binding and goes the same way: what it proves is decided
by its own profile. That an artifact is resolved once, and only by the partner it was made for, is the caller's to hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast

from lxml import etree

from federation.errors import Malformed
from federation.saml import signature, xml
from federation.saml.algorithms import DEFAULT_ALGORITHMS, Algorithms
from federation.saml.bindings import soap
from federation.saml.bindings.artifact import Artifact
from federation.saml.bindings.parameters import REQUEST, RESPONSE
from federation.saml.checks import Check, attempt, run
from federation.saml.codec import artifact as codec
from federation.saml.codec.common import ISSUER, read_issuer
from federation.saml.messages import ArtifactResolve, ArtifactResponse, Received, Status
from federation.saml.metadata.entity import Endpoint, Entity, Role
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import artifact_rules as rules
from federation.saml.profiles.arrival import document_of, open_message
from federation.saml.profiles.artifact_rules import ArtifactExpectations
from federation.saml.signature import SigningKey

# Where to ask ---------------------------------------------------------------------------------------------------------


def service_of(artifact: Artifact, partner: Entity, role: Role) -> tuple[Endpoint, tuple[Check, ...]]:
    """The partner's resolution service that the artifact names, and the checks that led there. Raises `Refused`."""
    checks = run(rules.ARRIVED, (), artifact, partner, role)
    fitting = (each for each in rules.services(role) if each.index == artifact.endpoint_index)
    return next(fitting), checks


# Building -------------------------------------------------------------------------------------------------------------


def resolve(
    *,
    id: str,  # noqa: A002 - the attribute's own name
    issuer: str,
    destination: str,
    artifact: Artifact,
    now: datetime,
    key: SigningKey,
) -> bytes:
    """The SOAP envelope that asks the partner's resolution service at `destination` for a message."""
    message = ArtifactResolve(id=id, issuer=issuer, issue_instant=now, artifact=artifact.text, destination=destination)
    return soap.encode(signature.signed(codec.write_resolve(message), key=key))


def hand_out(
    *,
    id: str,  # noqa: A002 - the attribute's own name
    issuer: str,
    in_response_to: str,
    message: bytes | None,
    now: datetime,
    key: SigningKey,
) -> bytes:
    """The SOAP envelope that answers: with the message, or, where there is none to hand out, empty.

    Unknown, used, expired and somebody else's artifact all get the same answer: success, and nothing (SAML Core 3.5.3).
    """
    answer = ArtifactResponse(
        id=id, issuer=issuer, issue_instant=now, status=Status(StatusCode.SUCCESS), in_response_to=in_response_to
    )
    element = xml.lift(codec.write_response(answer))
    if message is not None:
        element.append(xml.reparse(message))
    signature.sign(element, key=key)
    return soap.encode(xml.serialise(element))


# Accepting ------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AcceptedResolve:
    """A request for a message that passed every check; whether there is one for this partner, the caller knows."""

    request: ArtifactResolve
    checks: tuple[Check, ...]


@dataclass(frozen=True, slots=True)
class Resolved:
    """The message that came back: verified is its way here, and that the partner who was asked signed around it."""

    received: Received
    checks: tuple[Check, ...]


def issuer_of(received: Received) -> str:
    """The Issuer that a request claims: unverified, and good only for looking the partner up. Raises `Malformed`."""
    issuer = xml.expect(document_of(received).root, codec.ARTIFACT_RESOLVE).find(ISSUER)
    if issuer is None:
        raise Malformed("artifact.issuer", "the request names no Issuer")
    return read_issuer(issuer)


def accept_resolve(
    received: Received, expected: ArtifactExpectations, *, algorithms: Algorithms = DEFAULT_ALGORITHMS
) -> AcceptedResolve:
    """Accept an ArtifactResolve at our resolution service, or raise `Refused` with every check made."""
    opened = open_message(
        received,
        transport=rules.TRANSPORT,
        document=rules.RESOLVE_DOCUMENT,
        signed=rules.SIGNATURE,
        demanded=True,
        form=rules.FORM,
        keys=expected.role.signing_keys,
        algorithms=algorithms,
    )
    request = attempt(opened.checks, rules.FORM, codec.read_resolve, opened.element)
    checks = run(rules.RESOLVE, opened.checks, rules.Context(request, opened.element, expected))
    return AcceptedResolve(request, checks)


def accept_response(
    received: Received,
    expected: ArtifactExpectations,
    *,
    relay_state: str | None = None,
    algorithms: Algorithms = DEFAULT_ALGORITHMS,
) -> Resolved:
    """Accept an ArtifactResponse to our own request and take the message out, or raise `Refused`.

    `relay_state` is what came beside the artifact: it goes on with the message.
    """
    opened = open_message(
        received,
        transport=rules.TRANSPORT,
        document=rules.RESPONSE_DOCUMENT,
        signed=rules.SIGNATURE,
        demanded=True,
        form=rules.FORM,
        keys=expected.role.signing_keys,
        algorithms=algorithms,
    )
    answer, content = attempt(opened.checks, rules.FORM, codec.read_response, opened.element)
    checks = run(rules.RESPONSE, opened.checks, rules.Context(answer, opened.element, expected))
    checks = run(rules.CONTENT, checks, content)
    message = xml.lift(cast("etree._Element", content))
    return Resolved(
        Received(
            binding=Binding.ARTIFACT,
            parameter=RESPONSE if xml.local_name(message).endswith("Response") else REQUEST,
            xml=xml.serialise(message),
            relay_state=relay_state,
            covered_by=expected.partner.entity_id,
        ),
        checks,
    )
