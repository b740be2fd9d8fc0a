"""Connect by invitation: taking up the link that an identity provider's administrator sent.

begin    fetch its metadata, signed by the key that the link names; propose ourselves: both sides have something to see
agree    our administrator has seen its name and key
check    has theirs? With both, the connection is made; before, there is none

Each talks to the identity provider's server (`invitation_calls`) between transactions of its own, never within one.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.errors import NotThere, PolicyRefusal, ProtocolError
from federation.registry.host import Occasion
from federation.registry.invitation import Link, Standing
from sp_app.models import AcceptedInvitation, IdPConnection
from sp_app.services import audit, connections, invitation_calls
from sp_app.services.invitation_calls import InvitationFailed, Met

if TYPE_CHECKING:
    from sp_app.provider import Provider

Units = Callable[[], AbstractContextManager[Session]]
"""Opens one transaction, which is committed at its end."""


def every(session: Session) -> Sequence[AcceptedInvitation]:
    """Those that wait for somebody, the newest first."""
    return session.scalars(select(AcceptedInvitation).order_by(AcceptedInvitation.begun_at.desc())).all()


def get(session: Session, invitation_id: str) -> AcceptedInvitation:
    """The invitation with an id. Raises `NotThere`, also when it has led to a connection."""
    invitation = session.get(AcceptedInvitation, invitation_id)
    if invitation is None:
        raise NotThere("invitation", invitation_id)
    return invitation


@dataclass(frozen=True, slots=True)
class Invitations:
    """The use case, for one occasion. `units` opens a transaction for each step; none is open while others answer."""

    provider: Provider
    units: Units
    occasion: Occasion

    def begin(self, text: str) -> str:
        """Take up the link that somebody pasted; the same link again goes on where it was. Answers the invitation's id.

        Raises `InvitationFailed`.
        """
        link = invitation_calls.read_link(self.provider, text)
        with self.units() as session:
            known = _with_address(session, link)
            if known is not None and known.fingerprint == link.fingerprint:
                return known.id
        met = invitation_calls.meet(self.provider, link, self.occasion.now)
        with self.units() as session:
            _require_stranger(session, met)
        invitation_calls.propose(self.provider, link, self.occasion.now)
        with self.units() as session:
            return self._take_up(session, link, met).id

    def agree(self, invitation_id: str) -> str | None:
        """Confirm: this is the identity provider that was meant.

        Answers the connection's id if the other side has confirmed too. Raises `InvitationFailed`; nothing is confirmed
        here then.
        """
        link = self._link(invitation_id)
        standing = invitation_calls.agree(self.provider, link)
        with self.units() as session:
            invitation = get(session, invitation_id)
            if invitation.agreed_at is None:
                invitation.agreed_at, invitation.agreed_by = self.occasion.now, self.occasion.actor
                self._record(
                    session, invitation, f"{self.occasion.actor} confirmed the invitation of {invitation.name}"
                )
        return self._connect_if_both(invitation_id, link, standing)

    def check(self, invitation_id: str) -> str | None:
        """Ask whether the other side has confirmed; answers the connection's id when both have. As `agree` raises."""
        link = self._link(invitation_id)
        return self._connect_if_both(invitation_id, link, invitation_calls.standing(self.provider, link))

    def check_all(self) -> Sequence[str]:
        """Ask about every invitation that we have confirmed; a sentence about each that has led somewhere."""
        with self.units() as session:
            waiting = [(each.id, each.name) for each in every(session) if each.agreed_at is not None]
        said = []
        for invitation_id, name in waiting:
            try:
                made = self.check(invitation_id)
            except InvitationFailed as failed:
                said.append(f"Invitation of {name}: {failed.sentence}")
            except NotThere:
                continue  # somebody else has just asked, or left it alone
            else:
                said += [] if made is None else [f"{name} is connected by its invitation."]
        return said

    def forget(self, invitation_id: str) -> None:
        """Leave an invitation alone: nothing comes of it."""
        with self.units() as session:
            invitation = get(session, invitation_id)
            self._record(session, invitation, f"{self.occasion.actor} dropped the invitation of {invitation.name}")
            session.delete(invitation)

    def _link(self, invitation_id: str) -> Link:
        with self.units() as session:
            invitation = get(session, invitation_id)
            return Link(invitation.address, invitation.fingerprint)

    def _take_up(self, session: Session, link: Link, met: Met) -> AcceptedInvitation:
        known = _with_address(session, link)  # the same link twice at once
        if known is not None:
            return known
        invitation = AcceptedInvitation(
            id=str(uuid.uuid4()),
            address=link.address,
            fingerprint=link.fingerprint,
            entity_id=met.entity.entity_id,
            name=met.entity.display_name()[:256],
            document=met.document,
            begun_at=self.occasion.now,
            begun_by=self.occasion.actor,
        )
        session.add(invitation)
        self._record(session, invitation, f"{self.occasion.actor} took up the invitation of {invitation.name}")
        return invitation

    def _connect_if_both(self, invitation_id: str, link: Link, standing: Standing) -> str | None:
        with self.units() as session:
            invitation = get(session, invitation_id)
            if not standing.connected or invitation.agreed_at is None:
                return None
            shown = invitation.document
        met = invitation_calls.still_good(self.provider, link, shown, self.occasion.now)
        with self.units() as session:
            return self._connect(session, invitation_id, met).id

    def _connect(self, session: Session, invitation_id: str, met: Met) -> IdPConnection:
        invitation = session.get(AcceptedInvitation, invitation_id, with_for_update=True)
        if invitation is None:
            raise NotThere("invitation", invitation_id)
        own = self.provider.settings
        try:
            connection, _ = connections.connect(
                session,
                met.document,
                name=invitation.name,
                fingerprints=[invitation.fingerprint],
                own_entity_id=self.provider.entity_id,
                allow_http_loopback=own.allow_http_loopback,
                max_validity=own.partner_metadata_validity,
                trusted_by=f"{invitation.agreed_by} (invitation)",
                now=self.occasion.now,
                signing_key=self.provider.keys.signing,
                banned=own.banned_algorithms,
                reference=self.occasion.reference,
            )
        except (ProtocolError, PolicyRefusal) as error:
            raise InvitationFailed(error.rule, f"The connection cannot be made: {error.message}.") from None
        session.delete(invitation)
        self._record(session, invitation, f"{invitation.name} is connected: both sides have confirmed")
        return connection

    def _record(self, session: Session, invitation: AcceptedInvitation, detail: str) -> None:
        audit.record(
            session,
            kind=audit.ADMINISTERED,
            reference=self.occasion.reference,
            at=self.occasion.now,
            rule="invitation",
            detail=detail,
            idp_entity_id=invitation.entity_id,
        )


def _with_address(session: Session, link: Link) -> AcceptedInvitation | None:
    return session.scalars(select(AcceptedInvitation).where(AcceptedInvitation.address == link.address)).one_or_none()


def _require_stranger(session: Session, met: Met) -> None:
    """An invitation makes a connection and never changes one."""
    if connections.by_entity_id(session, met.entity.entity_id) is not None:
        raise InvitationFailed("invitation.connected", "This identity provider is connected here already.")
