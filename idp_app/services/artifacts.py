"""HTTP-Artifact: our messages wait here for the partner they are for, and a partner's wait at the partner's server.

fetch      a request, at the resolution service of the partner whose artifact the browser brought
hold       keep a response, sealed; the browser carries a reference to it
hand_out   the partner fetches it, once: a signed question by SOAP, a signed answer (SAML Profiles 5)
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete
from sqlalchemy.orm import Session

from federation.errors import Malformed
from federation.saml.bindings import artifact as binding
from federation.saml.bindings import soap
from federation.saml.bindings.artifact import Artifact
from federation.saml.checks import Check, Seen, rule, run
from federation.saml.identifiers import new_id
from federation.saml.messages import Received
from federation.saml.profiles import artifact
from federation.saml.profiles.artifact_rules import ArtifactExpectations
from idp_app.installation import Installation
from idp_app.models import HeldMessage
from idp_app.services import audit
from idp_app.services.act import Act
from idp_app.services.live import LiveConnection

INDEX: Final = 0
"""The index of our one ArtifactResolutionService."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A request that came from a partner's own server. `sender` is that partner: nobody else may have issued it."""

    received: Received
    sender: LiveConnection
    checks: tuple[Check, ...]


def fetch(
    session: Session, installation: Installation, reference: Artifact, relay_state: str | None, now: datetime
) -> Fetched:
    """The message behind a partner's artifact, from its own server and signed by it; nothing else about it verified.

    Raises `Refused` with every check made, `Malformed`, and `OutgoingError` where the partner's server does not answer.
    """
    settings = installation.settings
    sender = installation.partners.by_source_id(session, reference.source_id)
    checks = run((partner_is_connected,), (), sender, "an artifact")
    assert sender is not None
    endpoint, found = artifact.service_of(reference, sender.entity, sender.sp)
    request_id = new_id()
    question = artifact.resolve(
        id=request_id,
        issuer=settings.own_entity_id,
        destination=endpoint.location,
        artifact=reference,
        now=now,
        key=sender.signing_key(installation.keys),
    )
    answer = soap.decode(installation.back_channel.exchange(endpoint.location, question))
    resolved = artifact.accept_response(
        answer,
        ArtifactExpectations(
            partner=sender.entity, role=sender.sp, now=now, request_id=request_id, skew=settings.clock_skew
        ),
        relay_state=relay_state,
        algorithms=sender.algorithms,
    )
    return Fetched(resolved.received, sender, (*checks, *found, *resolved.checks))


def hold(
    session: Session, installation: Installation, partner: LiveConnection, message: bytes, now: datetime
) -> Artifact:
    """Keep a message for one partner, for as long as an assertion in it could be presented; answer its artifact."""
    settings = installation.settings
    made = binding.create(settings.own_entity_id, endpoint_index=INDEX)
    key = _key(made)
    session.add(
        HeldMessage(
            key=key,
            connection_id=partner.id,
            message=installation.secret_box.encrypt(message.decode(), context=_context(key)),
            expires=now + settings.assertion_lifetime,
        )
    )
    return made


@rule("artifact.partner", "SAML Profiles 5.4.1; SDP-MD01")
def partner_is_connected(partner: LiveConnection | None, issuer: str) -> Seen:
    """The issuer is one of our connections, which was not ended."""
    connected = partner is not None and not partner.state.over
    return connected, "an entityID that is connected", issuer


def hand_out(session: Session, received: Received, installation: Installation, act: Act) -> bytes:
    """The envelope that answers a partner's ArtifactResolve. Raises `Malformed`, or `Refused` with every check made.

    An artifact that is unknown, used, expired, or another partner's brings the same answer: success, and no message.
    """
    issuer = artifact.issuer_of(received)
    partner = installation.partners.by_entity_id(session, issuer)
    checks = run((partner_is_connected,), (), partner, issuer)
    assert partner is not None
    settings = installation.settings
    accepted = artifact.accept_resolve(
        received,
        ArtifactExpectations(
            partner=partner.entity,
            role=partner.sp,
            now=act.now,
            destination=settings.artifact_url,
            skew=settings.clock_skew,
        ),
        algorithms=partner.algorithms,
    )
    message = _take(session, installation, partner, accepted.request.artifact, act.now)
    audit.record(
        session,
        "artifact.resolved" if message is not None else "artifact.nothing",
        act,
        entity_id=partner.entity_id,
        request_id=accepted.request.id,
        checks=(*checks, *accepted.checks),
    )
    return artifact.hand_out(
        id=new_id(),
        issuer=settings.own_entity_id,
        in_response_to=accepted.request.id,
        message=message,
        now=act.now,
        key=partner.signing_key(installation.keys),
    )


def _take(
    session: Session, installation: Installation, partner: LiveConnection, text: str, now: datetime
) -> bytes | None:
    """The message for an artifact, gone from here with the same statement: of two who ask at once, one gets it."""
    try:
        key = _key(binding.parse(text))
    except Malformed:
        return None
    mine = delete(HeldMessage).where(
        HeldMessage.key == key, HeldMessage.connection_id == partner.id, HeldMessage.expires > now
    )
    sealed = session.execute(mine.returning(HeldMessage.message)).scalar_one_or_none()
    return None if sealed is None else installation.secret_box.decrypt(sealed, context=_context(key)).encode()


def _key(made: Artifact) -> str:
    return hashlib.sha256(made.text.encode()).hexdigest()


def _context(key: str) -> str:
    return f"held_message:{key}"
