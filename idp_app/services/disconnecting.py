"""Ending a connection, with a choice for the accounts at the site.

look        what each choice would do, in numbers
begin       from this moment no assertion; the accounts are kept, or the worker suspends or deletes them by SCIM
complete    nothing is left to be sent: the connection is over, its secrets are gone, its row stays as history

Choosing "keep" while accounts are still being suspended or deleted gives the rest of them up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, delete, exists, func, or_, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.registry import ending as registry
from federation.registry.ending import Ending, counted
from federation.registry.host import Occasion
from federation.registry.work import ACTOR
from federation.web.reference import new_reference
from idp_app.models import (
    AccountLink,
    Change,
    Connection,
    ConnectionState,
    GroupLink,
    MemberLink,
    Participation,
    Pending,
)
from idp_app.services import connections, metadata, switch
from idp_app.services.act import Act
from idp_app.services.provisioning import fanout, lease

_STILL_IN: Final = or_(AccountLink.active, AccountLink.intended.is_not(None))
"""Whose account works, or may work for all we know."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is at stake: accounts that we know of at the site, those that work, groups, and who signed in lately.

    `changeable`: accounts there can be suspended and deleted from here. `first` is how many accounts there were when
    the connection began to end, where it has.
    """

    name: str
    accounts: int
    active: int
    groups: int
    people: int
    changeable: bool
    ending: Ending | None = None
    first: int = 0

    @property
    def choices(self) -> Sequence[Ending]:
        """What can be chosen for the accounts."""
        return tuple(Ending) if self.changeable else (Ending.KEEP,)

    @property
    def done(self) -> int:
        """How many of `first` accounts have been suspended or deleted."""
        left = self.accounts if self.ending is Ending.DELETE else self.active
        return max(self.first - left, 0)

    def require(self, ending: Ending) -> None:
        """Raise `PolicyRefusal` for a choice that cannot be made."""
        if ending not in self.choices:
            raise PolicyRefusal(
                "disconnect.accounts",
                f"accounts at {self.name} are not provisioned from here: {ending.value} them there, and choose keep",
            )

    def sentence(self, ending: Ending) -> str:
        """What a choice would do, in numbers."""
        match ending:
            case Ending.SUSPEND:
                return f"{counted(self.active, 'account')} at {self.name} will be suspended"
            case Ending.DELETE:
                groups = f" and {counted(self.groups, 'group')}" if self.groups else ""
                return f"{counted(self.accounts, 'account')}{groups} at {self.name} will be deleted"
            case _:
                left = self.accounts if self.ending is None else self.first - self.done
                stay = "stays as it is" if left == 1 else "stay as they are"
                return f"{counted(left, 'account')} at {self.name} {stay}"


def look(session: Session, connection: Connection, now: datetime) -> Outlook:
    """Count what an end of the connection would concern."""
    accounts, active = session.execute(
        select(func.count(), func.count().filter(_STILL_IN)).where(AccountLink.connection_id == connection.id)
    ).one()
    groups = select(func.count()).where(GroupLink.connection_id == connection.id)
    people = metadata.signed_in_lately(session, [connection.entity_id], now)
    begun = connection.state is ConnectionState.DISCONNECTING
    return Outlook(
        name=connection.name,
        accounts=accounts,
        active=active,
        groups=session.scalar(groups) or 0,
        people=people.get(connection.entity_id, 0),
        changeable=connection.provisioning_url is not None,
        ending=connection.ending if begun else None,
        first=(connection.ending_accounts or 0) if begun else 0,
    )


def begin(session: Session, connection: Connection, ending: Ending, act: Act) -> Outlook:
    """End the connection; answers what there was.

    No assertion is issued from now on. With KEEP it is over at once. Otherwise the worker does at the site what was
    chosen, as long as it takes, and then it is over.

    Raises `PolicyRefusal` when it is over already, or when accounts there cannot be changed from here.
    """
    lease.hold(session, connection.id)  # first: whoever works for the connection takes the two in this order
    session.refresh(connection, with_for_update=True)
    outlook = look(session, connection, act.now)
    if connection.state is ConnectionState.DISCONNECTED:
        raise PolicyRefusal("connection.disconnected", f"{connection.name} was disconnected before")
    outlook.require(ending)
    told: dict[str, Any] = {"accounts": ending.value, "there": outlook.accounts, "active": outlook.active}
    connection.ending = ending
    connection.ending_accounts = outlook.active if ending is Ending.SUSPEND else outlook.accounts
    if ending is Ending.KEEP:
        if outlook.ending is not None:
            told["given_up"] = outlook.ending.value
        _end(session, connection, act, told)
        return outlook
    connection.state, connection.audiences = ConnectionState.DISCONNECTING, []
    _withdraw(session, connection, act)
    connections.changed(session, connection, act, "connection.disconnecting", **told)
    return outlook


def complete(session: Session, connection_id: str, now: datetime) -> bool:
    """End a connection for which nothing is left to be sent; whether it is over now.

    Who was overlooked (an account that was being made while the connection began to end) is looked at again.
    """
    lease.hold(session, connection_id)
    connection = session.get(Connection, connection_id, with_for_update=True, populate_existing=True)
    if connection is None or connection.state is not ConnectionState.DISCONNECTING or not switch.is_on(session):
        return False
    if _waits(session, connection_id):
        return False
    erase = connection.ending is Ending.DELETE
    mine: list[ColumnElement[bool]] = [AccountLink.connection_id == connection_id]
    left = session.scalars(select(AccountLink.person_id).where(*mine, *([] if erase else [_STILL_IN]))).all()
    if left:
        fanout.person(session, connection_id, left, now)
        return False
    if erase and session.scalar(select(exists().where(GroupLink.connection_id == connection_id))):
        return False
    # Whoever had a session there has none any more: nobody needs to be told of their logout.
    session.execute(delete(Participation).where(Participation.connection_id == connection_id))
    told = {"accounts": str(connection.ending), "changed": connection.ending_accounts or 0}
    _end(session, connection, Act(now, ACTOR, new_reference()), told)
    return True


def complete_all(session: Session, now: datetime) -> None:
    """End every connection for which nothing is left to be sent."""
    ending = select(Connection.id).where(Connection.state == ConnectionState.DISCONNECTING)
    for connection_id in session.scalars(ending).all():
        complete(session, connection_id, now)


def _end(session: Session, connection: Connection, act: Act, told: dict[str, Any]) -> None:
    """Over: no way to the site, no secret, nothing waits. The row and its history stay.

    So the same site, connected again, gets the same identifiers for people. What it holds by then nobody knows: each
    account is looked for by its identifier before anything is said about it.
    """
    connection.state, connection.audiences = ConnectionState.DISCONNECTED, []
    connection.provisioning_url = connection.provisioning_token = connection.provisioning_token_url = None
    _withdraw(session, connection, act)
    session.execute(delete(Pending).where(Pending.connection_id == connection.id))
    unknown: dict[str, Any] = {"remote_id": None, "version": None, "document": {}, "intended": {}}
    session.execute(
        update(AccountLink).where(AccountLink.connection_id == connection.id).values(**unknown, active=False)
    )
    session.execute(
        update(GroupLink)
        .where(GroupLink.connection_id == connection.id)
        .values(**unknown, deleting=False, not_before=None)
    )
    session.execute(update(MemberLink).where(MemberLink.connection_id == connection.id).values(confirmed=False))
    connections.changed(session, connection, act, "connection.disconnected", **told)


def _withdraw(session: Session, connection: Connection, act: Act) -> None:
    occasion = Occasion(act.now, act.actor, act.reference)
    registry.withdraw(session, metadata.HOST, connection.entity_id, occasion)


def _waits(session: Session, connection_id: str) -> bool:
    """Whether somebody has still to be looked at, or a change has still to be worked off."""
    waiting = exists().where(Pending.connection_id == connection_id)
    recorded = exists().where(or_(Change.connection_id == connection_id, Change.connection_id.is_(None)))
    return bool(session.scalar(select(or_(waiting, recorded))))
