"""Artifact Resolution: its rules, one clause each (SAML Profiles 5; SAML Core 3.5; SAML Bindings 3.6)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from lxml import etree

from federation.saml import xml
from federation.saml.bindings.artifact import Artifact, source_id
from federation.saml.checks import Seen, rule
from federation.saml.codec.artifact import ARTIFACT_RESOLVE, ARTIFACT_RESPONSE
from federation.saml.messages import ArtifactResolve, ArtifactResponse, Received
from federation.saml.metadata.entity import Endpoint, Entity, Role
from federation.saml.names import Binding, StatusCode
from federation.saml.profiles import common

FORM: Final = "SAML Core 3.5; SAML 2.0 protocol schema"


@dataclass(frozen=True, slots=True, kw_only=True)
class ArtifactExpectations:
    """Everything a message of this profile is held against. None of it comes from the message.

    `destination` is our endpoint where a request arrived, None for an answer, which comes back on our own connection.
    `partner` is the other side, `role` its role. `request_id` is the ID of our own request, for an answer.
    """

    partner: Entity
    role: Role
    now: datetime
    destination: str | None = None
    request_id: str | None = None
    skew: timedelta = common.SKEW
    max_age: timedelta = common.MAX_AGE


@dataclass(frozen=True, slots=True)
class Context:
    """What the rules look at: a message and its element as they were signed, and what we expect."""

    message: ArtifactResolve | ArtifactResponse
    element: etree._Element
    expected: ArtifactExpectations


# Before anybody is asked ----------------------------------------------------------------------------------------------


@rule("artifact.source_id", "SAML Bindings 3.6.4.2")
def source(artifact: Artifact, partner: Entity, role: Role) -> Seen:
    """The artifact is of the partner that we hold it to be of: its SourceID is the hash of that entityID."""
    ok = artifact.source_id == source_id(partner.entity_id)
    return ok, f"an artifact of {partner.entity_id}", "as expected" if ok else "an artifact of somebody else"


@rule("artifact.endpoint", "SAML Bindings 3.6.4.1; SAML Metadata 2.4.2")
def endpoint(artifact: Artifact, partner: Entity, role: Role) -> Seen:
    """The partner's metadata has an artifact resolution service of the index that the artifact names, by SOAP."""
    known = ", ".join(str(each.index) for each in services(role))
    found = any(each.index == artifact.endpoint_index for each in services(role))
    return found, f"one of the indexes {known}" if known else "no artifact", str(artifact.endpoint_index)


def services(role: Role) -> tuple[Endpoint, ...]:
    """Where a partner resolves artifacts: only SOAP will do (SAML Profiles 5.3)."""
    return tuple(each for each in role.artifact_resolution if each.binding == Binding.SOAP)


# How it came ----------------------------------------------------------------------------------------------------------


@rule("artifact.binding", "SAML Profiles 5.3; SAML Bindings 3.6.2")
def binding(received: Received) -> Seen:
    """Artifacts are resolved over SOAP, from server to server."""
    return received.binding == Binding.SOAP, "SOAP", received.binding


@rule("artifact.root", "SAML Core 3.5.1")
def resolve_root(element: etree._Element) -> Seen:
    """The message is an ArtifactResolve."""
    return element.tag == ARTIFACT_RESOLVE, "ArtifactResolve", xml.local_name(element)


@rule("artifact.root", "SAML Core 3.5.2")
def response_root(element: etree._Element) -> Seen:
    """The message is an ArtifactResponse."""
    return element.tag == ARTIFACT_RESPONSE, "ArtifactResponse", xml.local_name(element)


@rule("artifact.signatures", "SAML Core 5.4.2")
def signatures(element: etree._Element) -> Seen:
    """A request holds no signature but its own."""
    return common.signatures_in_place(element)


@rule("artifact.signed", "SAML Profiles 5.4, 5.5; eGov 2.0 (070)")
def signed(received: Received, itself: bool, demanded: bool) -> Seen:
    """Both messages are signed: the signature authenticates the partner, whatever the transport does."""
    return itself, "a signature", "a signature" if itself else "none"


# Who, when, where -----------------------------------------------------------------------------------------------------


@rule("artifact.issuer", "SAML Profiles 5.4.1, 5.4.2")
def issuer(context: Context) -> Seen:
    """Its Issuer is the partner whose keys were used."""
    return common.same(context.expected.partner.entity_id, context.message.issuer)


@rule("artifact.partner_metadata", "SAML Metadata 2.3.2, 2.4.1")
def partner_metadata(context: Context) -> Seen:
    """What we know about the partner is still valid."""
    return common.metadata_valid(context.expected.partner, context.expected.role, now=context.expected.now)


@rule("artifact.version", "SAML Core 4.1")
def version(context: Context) -> Seen:
    """It is SAML 2.0."""
    return common.version(context.element)


@rule("artifact.destination", "SAML Core 3.2.1")
def destination(context: Context) -> Seen:
    """A request that names a Destination names the endpoint where it arrived."""
    message, expected = context.message, context.expected.destination
    received = message.destination if isinstance(message, ArtifactResolve) else None
    return received in (None, expected), f"{expected}, or none", received or "none"


@rule("artifact.issue_instant", "SAML Core 3.2.1, 3.2.2")
def issue_instant(context: Context) -> Seen:
    """It was issued just now, as clocks go."""
    expected = context.expected
    instant = context.message.issue_instant
    return common.issued_in_window(instant, now=expected.now, skew=expected.skew, max_age=expected.max_age)


@rule("artifact.in_response_to", "SAML Core 3.2.2, 3.5.2")
def in_response_to(context: Context) -> Seen:
    """An answer is the answer to our request."""
    message = context.message
    received = message.in_response_to if isinstance(message, ArtifactResponse) else None
    expected = context.expected.request_id
    return expected is not None and received == expected, expected or "a request of ours", received or "none"


@rule("artifact.status", "SAML Core 3.2.2.2, 3.5.2")
def status(context: Context) -> Seen:
    """The partner handed the message out."""
    message = context.message
    code = message.status.code if isinstance(message, ArtifactResponse) else ""
    return code == StatusCode.SUCCESS, StatusCode.SUCCESS, code


@rule("artifact.message", "SAML Core 3.5.3")
def message(content: etree._Element | None) -> Seen:
    """There is a message in it. None comes back for an artifact that is unknown, used or not ours."""
    return content is not None, "a message", "none" if content is None else xml.local_name(content)


ARRIVED: Final = (source, endpoint)
TRANSPORT: Final = (binding,)
RESOLVE_DOCUMENT: Final = (resolve_root, signatures)
RESPONSE_DOCUMENT: Final = (response_root,)
SIGNATURE: Final = (signed,)
RESOLVE: Final = (issuer, partner_metadata, version, destination, issue_instant)
RESPONSE: Final = (issuer, partner_metadata, version, issue_instant, in_response_to, status)
CONTENT: Final = (message,)
