"""Ending a connection to an identity provider, with a choice for the accounts of its people.

Its sessions, tokens and sign-ins are over with the transaction, in every process. An account that another connected
identity provider vouches for, too, stays as it is. Links stay unless accounts are deleted: the same identity provider,
connected again, finds its people by them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Select, delete, exists, func, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.registry import ending as registry
from federation.registry.ending import Ending, counted
from federation.registry.host import Occasion
from sp_app.accounts import AccountStore, LocalAccount
from sp_app.models import Account, FederatedSession, IdPConnection, Link, ScimToken
from sp_app.models.scim import ScimGroup, ScimUser
from sp_app.services import audit, connections, sessions
from sp_app.services.metadata import HOST
from sp_app.services.sessions import EndedSession

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is at stake: accounts that only this identity provider vouches for, those of them that work, those that
    administer this site; accounts that another one vouches for, too; open sessions; tokens that work.
    """

    accounts: int
    active: int
    administrators: int
    shared: int
    sessions: int
    tokens: int

    def sentence(self, ending: Ending) -> str:
        """What a choice would do, in numbers."""
        match ending:
            case Ending.SUSPEND:
                return f"{counted(self.active, 'account')} will be suspended"
            case Ending.DELETE:
                return f"{counted(self.accounts, 'account')} will be deleted"
            case _:
                stay = "stays as it is" if self.accounts == 1 else "stay as they are"
                return f"{counted(self.accounts, 'account')} {stay}"


def look(session: Session, accounts: AccountStore, connection: IdPConnection, now: datetime) -> Outlook:
    """Count what an end of the connection would concern."""
    return _counts(session, connection, _alone(session, accounts, connection), now)


def _counts(session: Session, connection: IdPConnection, alone: Sequence[LocalAccount], now: datetime) -> Outlook:
    mine = select(Link.account_id).where(Link.idp_entity_id == connection.entity_id, Link.account_id.is_not(None))
    shared = mine.where(Link.account_id.in_(_vouched_for_elsewhere(connection))).distinct().subquery()
    administrators = select(func.count()).where(
        Account.administrator, Account.id.in_(mine), Account.id.not_in(_vouched_for_elsewhere(connection))
    )
    open_sessions = select(func.count()).where(
        FederatedSession.idp_entity_id == connection.entity_id,
        FederatedSession.ended_at.is_(None),
        FederatedSession.expires_at > now,
    )
    tokens = select(func.count()).where(
        ScimToken.connection_id == connection.id, ScimToken.revoked_at.is_(None), ScimToken.expires_at.is_(None)
    )
    return Outlook(
        accounts=len(alone),
        active=sum(account.active for account in alone),
        administrators=session.scalar(administrators) or 0,
        shared=session.scalar(select(func.count()).select_from(shared)) or 0,
        sessions=session.scalar(open_sessions) or 0,
        tokens=session.scalar(tokens) or 0,
    )


def disconnect(
    session: Session, accounts: AccountStore, connection: IdPConnection, ending: Ending, occasion: Occasion
) -> tuple[Outlook, tuple[EndedSession, ...]]:
    """End the connection; answers what there was, and the sessions that have just ended.

    Whoever signs in or provisions at this moment is waited for, and then dealt with like everybody else
    (`connections.hold`). Raises `PolicyRefusal` when it was ended before.
    """
    now = occasion.now
    session.refresh(connection, with_for_update=True)
    if connection.state == connections.DISCONNECTED:
        raise PolicyRefusal("connection.disconnected", f"{connection.name} was disconnected before")
    alone = _alone(session, accounts, connection)
    outlook = _counts(session, connection, alone, now)
    connection.state = connections.DISCONNECTED
    connection.revision += 1
    connection.modified_at = now
    _stop_tokens(session, connection, now)
    ended = sessions.end_all_by(session, connection.entity_id, now)
    if ending is Ending.SUSPEND:
        ended += _suspend(session, accounts, connection, [each.id for each in alone if each.active], now)
    elif ending is Ending.DELETE:
        ended += _delete(session, accounts, connection, [each.id for each in alone], now)
    registry.withdraw(session, HOST, connection.entity_id, occasion)
    audit.record(
        session,
        kind=audit.ADMINISTERED,
        reference=occasion.reference,
        at=now,
        rule="connection.disconnected",
        detail=f"{occasion.actor} ended the connection: {outlook.sentence(ending)}; "
        f"{counted(outlook.shared, 'shared account')} kept, {counted(outlook.sessions, 'session')} ended",
        idp_entity_id=connection.entity_id,
    )
    return outlook, ended


def _suspend(
    session: Session, accounts: AccountStore, connection: IdPConnection, ids: Sequence[str], now: datetime
) -> tuple[EndedSession, ...]:
    """Nobody gets in by these accounts until their identity provider is connected again and vouches for the person."""
    ended: tuple[EndedSession, ...] = ()
    for account_id in ids:
        accounts.set_active(account_id, False)
        accounts.end_sessions(account_id)
    for chunk in _chunks(ids):
        ended += sessions.end_all_of_these(session, chunk, now)
        session.execute(update(Link).where(Link.account_id.in_(chunk)).values(suspended_at=now))
        session.execute(
            update(ScimUser)
            .where(ScimUser.connection_id == connection.id, ScimUser.id.in_(chunk))
            .values(active=False, version=ScimUser.version + 1, modified_at=now)
        )
    return ended


def _delete(
    session: Session, accounts: AccountStore, connection: IdPConnection, ids: Sequence[str], now: datetime
) -> tuple[EndedSession, ...]:
    """The accounts go, and with them everything that was known of the identity provider's people and groups."""
    ended: tuple[EndedSession, ...] = ()
    for account_id in ids:
        accounts.end_sessions(account_id)
        accounts.delete(account_id)
    for chunk in _chunks(ids):
        ended += sessions.end_all_of_these(session, chunk, now)
        session.execute(delete(Link).where(Link.account_id.in_(chunk)))
    session.execute(delete(Link).where(Link.idp_entity_id == connection.entity_id))
    session.execute(delete(ScimGroup).where(ScimGroup.connection_id == connection.id))
    session.execute(delete(ScimUser).where(ScimUser.connection_id == connection.id))
    return ended


def _stop_tokens(session: Session, connection: IdPConnection, now: datetime) -> None:
    mine = ScimToken.connection_id == connection.id
    session.execute(delete(ScimToken).where(mine, ScimToken.expires_at.is_not(None)))
    session.execute(update(ScimToken).where(mine, ScimToken.revoked_at.is_(None)).values(revoked_at=now))


def _alone(session: Session, accounts: AccountStore, connection: IdPConnection) -> list[LocalAccount]:
    """The accounts for which only this identity provider vouches, as far as they are there."""
    ids = session.scalars(
        select(Link.account_id)
        .where(
            Link.idp_entity_id == connection.entity_id,
            Link.account_id.is_not(None),
            Link.account_id.not_in(_vouched_for_elsewhere(connection)),
        )
        .distinct()
        .order_by(Link.account_id)
    ).all()
    found = (accounts.get(account_id) for account_id in ids if account_id is not None)
    return [account for account in found if account is not None]


def _vouched_for_elsewhere(connection: IdPConnection) -> Select[str | None]:
    """The accounts with a link of another identity provider, unless the connection to that one was ended, too."""
    over = exists().where(
        IdPConnection.entity_id == Link.idp_entity_id, IdPConnection.state == connections.DISCONNECTED
    )
    return select(Link.account_id).where(
        Link.idp_entity_id != connection.entity_id, Link.account_id.is_not(None), ~over
    )


def _chunks(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK)]
