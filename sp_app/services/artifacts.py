"""HTTP-Artifact: responses are fetched at the identity provider, and our requests wait here to be fetched (Profiles 5).

fetch      a response, at the resolution service of the identity provider whose artifact the browser brought
hold       keep a request; the browser carries a reference to it
hand_out   the identity provider fetches it, once: a signed question by SOAP, a signed answer
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from federation.errors import Malformed
from federation.http import BackChannel
from federation.saml.bindings import artifact as binding
from federation.saml.bindings import soap
from federation.saml.bindings.artifact import Artifact
from federation.saml.checks import Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import Received
from federation.saml.metadata.entity import IdPRole
from federation.saml.profiles import artifact
from federation.saml.profiles.artifact_rules import ArtifactExpectations
from federation.saml.signature import SigningKey
from sp_app.models import HeldRequest, IdPConnection
from sp_app.services import connections
from sp_app.services.partners import Partner, Partners

INDEX: Final = 0
"""The index of our one ArtifactResolutionService."""
LIFETIME: Final = timedelta(minutes=5)
"""How long a request waits to be fetched: the browser is on its way there."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a browser brings in place of a message."""

    artifact: Artifact
    relay_state: str | None


def source(session: Session, reference: Artifact) -> IdPConnection | None:
    """The connection whose identity provider made an artifact: its SourceID is the hash of an entityID of ours."""
    return next(
        (each for each in connections.every(session) if binding.source_id(each.entity_id) == reference.source_id), None
    )


def fetch(
    reference: Reference,
    partner: Partner,
    channel: BackChannel,
    *,
    issuer: str,
    key: SigningKey,
    skew: timedelta,
    now: datetime,
) -> Received:
    """The message behind an artifact, from that partner's own server and signed by it; nothing else about it verified.

    Raises `Refused` for an artifact of somebody else, before anybody is asked, and for an answer that breaks a rule;
    `Malformed`; `Unreachable` and `Forbidden` where the partner's server does not answer.
    """
    role = _role(partner)
    endpoint, _ = artifact.service_of(reference.artifact, partner.entity, role)
    request_id = new_id()
    question = artifact.resolve(
        id=request_id,
        issuer=issuer,
        destination=endpoint.location,
        artifact=reference.artifact,
        now=now,
        key=partner.signing_key(key),
    )
    answer = soap.decode(channel.exchange(endpoint.location, question))
    expected = ArtifactExpectations(partner=partner.entity, role=role, now=now, request_id=request_id, skew=skew)
    resolved = artifact.accept_response(
        answer, expected, relay_state=reference.relay_state, algorithms=partner.algorithms
    )
    return resolved.received


def hold(session: Session, partner: Partner, message: bytes, *, issuer: str, now: datetime) -> Artifact:
    """Keep a request for one identity provider; answer its artifact."""
    made = binding.create(issuer, endpoint_index=INDEX)
    session.add(
        HeldRequest(key=_key(made), connection_id=partner.connection_id, message=message, expires_at=now + LIFETIME)
    )
    return made


@rule("artifact.partner", "SAML Profiles 5.4.1; SDP-MD01")
def partner_is_connected(partner: Partner | None, issuer: str) -> Seen:
    """The issuer is one of our identity providers."""
    return partner is not None, "an entityID that is connected", issuer


def hand_out(
    session: Session,
    received: Received,
    partners: Partners,
    *,
    issuer: str,
    url: str,
    key: SigningKey,
    skew: timedelta,
    now: datetime,
) -> bytes:
    """The envelope that answers an ArtifactResolve, which arrived at our `url`.

    An artifact that is unknown, used, expired, or somebody else's brings the same answer: success, and no message.
    Raises `Malformed`, `Refused`, and `PolicyRefusal` where the connection may not be used now.
    """
    asking = artifact.issuer_of(received)
    partner = partners.usable_by(session, asking, now)
    run((partner_is_connected,), (), partner, asking)
    assert partner is not None
    expected = ArtifactExpectations(partner=partner.entity, role=_role(partner), now=now, destination=url, skew=skew)
    request = artifact.accept_resolve(received, expected, algorithms=partner.algorithms).request
    return artifact.hand_out(
        id=new_id(),
        issuer=issuer,
        in_response_to=request.id,
        message=_take(session, partner, request.artifact, now),
        now=now,
        key=partner.signing_key(key),
    )


def _take(session: Session, partner: Partner, text: str, now: datetime) -> bytes | None:
    """The request for an artifact, gone from here with the same statement: of two who ask at once, one gets it."""
    try:
        key = _key(binding.parse(text))
    except Malformed:
        return None
    mine = delete(HeldRequest).where(
        HeldRequest.key == key, HeldRequest.connection_id == partner.connection_id, HeldRequest.expires_at > now
    )
    return session.execute(mine.returning(HeldRequest.message)).scalar_one_or_none()


def _role(partner: Partner) -> IdPRole:
    assert partner.entity.idp is not None, "metadata without the role does not become live"
    return partner.entity.idp


def _key(made: Artifact) -> str:
    return hashlib.sha256(made.text.encode()).hexdigest()
