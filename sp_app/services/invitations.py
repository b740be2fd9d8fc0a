"""Connect by invitation: taking up the link that an identity provider's administrator sent.

begin    fetch its metadata, signed by the key that the link names; propose ourselves: both sides have something to see
agree    our administrator has seen its name and key
check    has theirs? With both, the connection is made; before, there is none

Each says so to the identity provider's server, within our policy on addresses.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import FederationError, Malformed, PolicyRefusal, ProtocolError
from federation.http import Answer, Client, OutgoingError, Policy
from federation.registry.invitation import Link, Proposal, Standing, agreement
from federation.saml.metadata import trust
from federation.saml.metadata.reading import MAX_DOCUMENT
from sp_app.models import AcceptedInvitation, IdPConnection
from sp_app.services import audit, connections

if TYPE_CHECKING:
    from sp_app.provider import Provider

_TIMEOUT: Final = 15.0
_FORM: Final = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
_JSON: Final = {"Accept": "application/json"}
_SHOWN: Final = 300


class InvitationFailed(FederationError):
    """An invitation could not be taken up. `rule` says at what, the text is a plain sentence; nothing was made."""

    def __init__(self, rule: str, sentence: str) -> None:
        super().__init__(rule, sentence)
        self.rule = rule
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


def every(session: Session) -> Sequence[AcceptedInvitation]:
    """Those that wait for somebody, the newest first."""
    return session.scalars(select(AcceptedInvitation).order_by(AcceptedInvitation.begun_at.desc())).all()


def begin(
    session: Session, provider: Provider, text: str, *, actor: str, now: datetime, reference: str = ""
) -> AcceptedInvitation:
    """Take up the link that somebody pasted; the same link again goes on where it was. Raises `InvitationFailed`."""
    try:
        link = Link.read(text, allow_http_loopback=provider.settings.allow_http_loopback)
    except Malformed as error:
        raise InvitationFailed(error.rule, _sentence(error.reason)) from None
    known = session.scalars(select(AcceptedInvitation).where(AcceptedInvitation.address == link.address)).one_or_none()
    if known is not None and known.fingerprint == link.fingerprint:
        return known
    document = _ask(provider, "GET", link.metadata_url).content
    trusted = _verified(provider, document, link.fingerprint, now)
    if connections.by_entity_id(session, trusted.entity.entity_id) is not None:
        raise InvitationFailed("invitation.connected", "This identity provider is connected here already.")
    proposal = Proposal(provider.metadata(now), provider.scim_url, provider.token_url)
    _tell(provider, link.exchange_url, proposal.signed(link.address, provider.keys.signing).to_form())
    invitation = AcceptedInvitation(
        id=str(uuid.uuid4()),
        address=link.address,
        fingerprint=link.fingerprint,
        entity_id=trusted.entity.entity_id,
        name=trusted.entity.display_name()[:256],
        document=document,
        begun_at=now,
        begun_by=actor,
    )
    session.add(invitation)
    _record(session, invitation, f"{actor} took up the invitation of {invitation.name}", now, reference)
    return invitation


def agree(
    session: Session,
    provider: Provider,
    invitation: AcceptedInvitation,
    *,
    actor: str,
    now: datetime,
    reference: str = "",
) -> IdPConnection | None:
    """Confirm: this is the identity provider that was meant. Answers the connection if the other side has confirmed.

    Raises `InvitationFailed`; nothing is confirmed here then.
    """
    said = agreement(invitation.address, provider.entity_id, provider.keys.signing)
    standing = _tell(provider, Link(invitation.address, invitation.fingerprint).exchange_url, said)
    if invitation.agreed_at is None:
        invitation.agreed_at, invitation.agreed_by = now, actor
        _record(session, invitation, f"{actor} confirmed the invitation of {invitation.name}", now, reference)
    return _connect(session, provider, invitation, now, reference) if standing.connected else None


def check(
    session: Session, provider: Provider, invitation: AcceptedInvitation, *, now: datetime, reference: str = ""
) -> IdPConnection | None:
    """Ask whether the other side has confirmed; answers the connection when both have. Raises `InvitationFailed`."""
    answer = _ask(provider, "GET", Link(invitation.address, invitation.fingerprint).exchange_url)
    both = _standing(answer).connected and invitation.agreed_at is not None
    return _connect(session, provider, invitation, now, reference) if both else None


def check_all(session: Session, provider: Provider, *, now: datetime) -> Sequence[str]:
    """Ask about every invitation that we have confirmed; answers a sentence about each that has led somewhere."""
    said = []
    for invitation in every(session):
        if invitation.agreed_at is not None:
            try:
                connection = check(session, provider, invitation, now=now)
            except InvitationFailed as failed:
                said.append(f"Invitation of {invitation.name}: {failed.sentence}")
            else:
                said += [] if connection is None else [f"{connection.name} is connected by its invitation."]
    return said


def forget(session: Session, invitation: AcceptedInvitation, *, actor: str, now: datetime, reference: str = "") -> None:
    """Leave an invitation alone: nothing comes of it."""
    _record(session, invitation, f"{actor} dropped the invitation of {invitation.name}", now, reference)
    session.delete(invitation)


def _connect(
    session: Session, provider: Provider, invitation: AcceptedInvitation, now: datetime, reference: str
) -> IdPConnection:
    """Both have confirmed. The metadata is asked for again: the one that was shown may have expired meanwhile."""
    document = invitation.document
    try:
        _verified(provider, document, invitation.fingerprint, now)
    except InvitationFailed:
        document = _ask(provider, "GET", Link(invitation.address, invitation.fingerprint).metadata_url).content
        _verified(provider, document, invitation.fingerprint, now)
    own = provider.settings
    try:
        connection, _ = connections.connect(
            session,
            document,
            name=invitation.name,
            fingerprints=[invitation.fingerprint],
            own_entity_id=provider.entity_id,
            allow_http_loopback=own.allow_http_loopback,
            max_validity=own.partner_metadata_validity,
            trusted_by=f"{invitation.agreed_by} (invitation)",
            now=now,
            signing_key=provider.keys.signing,
            banned=own.banned_algorithms,
            reference=reference,
        )
    except (ProtocolError, PolicyRefusal) as error:
        raise InvitationFailed(error.rule, f"The connection cannot be made: {error.message}.") from None
    session.delete(invitation)
    _record(session, invitation, f"{invitation.name} is connected: both sides have confirmed", now, reference)
    return connection


def _verified(provider: Provider, document: bytes, fingerprint: str, now: datetime) -> trust.TrustedMetadata:
    own = provider.settings
    try:
        return trust.verify(
            document,
            now=now,
            own_entity_id=provider.entity_id,
            role="idp",
            signer_fingerprints=[fingerprint],
            max_validity=own.partner_metadata_validity,
            skew=own.clock_skew,
            allow_http_loopback=own.allow_http_loopback,
        )
    except ProtocolError as error:
        if error.rule.startswith("signature") or "sign" in error.rule:
            raise InvitationFailed(
                "invitation.fingerprint",
                "What answers at this address is not signed by the key that the link names. Do not go on: ask the "
                "person who sent it for a new link.",
            ) from None
        raise InvitationFailed(
            "invitation.metadata", f"The identity provider's metadata cannot be used: {error.message}."
        ) from None


def _tell(provider: Provider, url: str, form: Mapping[str, str]) -> Standing:
    return _standing(_ask(provider, "POST", url, urlencode(form).encode()))


def _standing(answer: Answer) -> Standing:
    try:
        return Standing.from_json(answer.content)
    except Malformed as error:
        raise InvitationFailed(error.rule, _sentence(error.reason)) from None


def _ask(provider: Provider, method: str, url: str, content: bytes | None = None) -> Answer:
    own = provider.settings
    policy = Policy(allow_loopback=own.allow_http_loopback, networks=own.private_networks)
    try:
        with Client(policy, timeout=_TIMEOUT, max_bytes=MAX_DOCUMENT) as client:
            answer = client.request(method, url, headers=_JSON if content is None else _FORM, content=content)
    except OutgoingError as error:
        raise InvitationFailed(error.rule, f"The identity provider cannot be reached: {error.message}.") from None
    if answer.status != 200:
        raise _told(answer)
    return answer


def _told(answer: Answer) -> InvitationFailed:
    """The identity provider's own sentence, and the reference number under which its administrator finds more."""
    try:
        told = json.loads(answer.content)
        detail, reference = str(told["detail"])[:_SHOWN], str(told.get("reference", ""))[:40]
    except (ValueError, KeyError, TypeError, RecursionError):
        return InvitationFailed(
            "invitation.answer", f"The identity provider answers with HTTP status {answer.status}: is the link whole?"
        )
    where = f" (its reference number: {reference})" if reference.isprintable() and reference else ""
    return InvitationFailed("invitation.answer", f"The identity provider says: {_sentence(detail)}{where}")


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _record(session: Session, invitation: AcceptedInvitation, detail: str, now: datetime, reference: str) -> None:
    audit.record(
        session,
        kind=audit.ADMINISTERED,
        reference=reference,
        at=now,
        rule="invitation",
        detail=detail,
        idp_entity_id=invitation.entity_id,
    )
