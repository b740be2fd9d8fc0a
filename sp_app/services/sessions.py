"""Federated sessions: opened by an accepted assertion, ended by the person, by provisioning or by time."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, bindparam, insert, select, true, update
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from federation.saml.messages import Attribute
from federation.saml.profiles.sso_response import AcceptedResponse
from federation.storage.base import table_of
from sp_app.models import FederatedSession, subject_key

# What every sign-in does goes by rows: an object of the ORM costs several times the statement.
_TABLE: Final = table_of(FederatedSession)
_INSERT: Final = insert(_TABLE)
_END: Final = (
    update(_TABLE)
    .where(_TABLE.c.handle_hash == bindparam("handle"), _TABLE.c.ended_at.is_(None))
    .values(ended_at=bindparam("now"), attributes=[])
    .returning(_TABLE.c.account_id, _TABLE.c.idp_entity_id)
)
_LIVING: Final = select(FederatedSession).where(
    FederatedSession.handle_hash == bindparam("handle"),
    FederatedSession.ended_at.is_(None),
    FederatedSession.expires_at > bindparam("now"),
)


def digest(handle: str) -> str:
    """What is stored of a handle that a browser holds: its SHA-256 in hex. Handles are random, so no salt is needed."""
    return hashlib.sha256(handle.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A session that has just begun. `handle` goes into the cookie and exists nowhere else."""

    handle: str
    account_id: str
    expires_at: datetime

    @property
    def id(self) -> str:
        """What names the session towards the application, and opens nothing."""
        return digest(self.handle)


@dataclass(frozen=True, slots=True)
class EndedSession:
    """A session that has just ended. `id` names it towards the application."""

    id: str
    account_id: str
    idp_entity_id: str


def open_session(
    session: Session,
    *,
    account_id: str,
    idp_entity_id: str,
    accepted: AcceptedResponse,
    now: datetime,
    lifetime: timedelta,
) -> OpenedSession:
    """Begin a session with a fresh handle; it ends after `lifetime` or at SessionNotOnOrAfter, whichever is earlier."""
    handle = secrets.token_urlsafe(32)
    expires_at = now + lifetime
    if accepted.session_not_on_or_after is not None:
        expires_at = min(expires_at, accepted.session_not_on_or_after)
    statement = accepted.authn
    name_id = accepted.name_id
    row = {
        "handle_hash": digest(handle),
        "account_id": account_id,
        "idp_entity_id": idp_entity_id,
        "subject_key": subject_key(idp_entity_id, name_id.value) if name_id else None,
        "name_id": name_id.value if name_id else None,
        "name_id_format": name_id.format if name_id else None,
        "name_qualifier": name_id.name_qualifier if name_id else None,
        "sp_name_qualifier": name_id.sp_name_qualifier if name_id else None,
        "sp_provided_id": name_id.sp_provided_id if name_id else None,
        "session_index": accepted.session_index,
        "authn_instant": statement.authn_instant,
        "authn_context_class_ref": statement.authn_context_class_ref,
        "attributes": _as_json(accepted.attributes),
        "created_at": now,
        "expires_at": expires_at,
    }
    session.execute(_INSERT, row)
    return OpenedSession(handle=handle, account_id=account_id, expires_at=expires_at)


def living(session: Session, handle: str, now: datetime) -> FederatedSession | None:
    """The session that this cookie value names, unless it has ended or expired."""
    return session.scalars(_LIVING, {"handle": digest(handle), "now": now}).one_or_none()


def known(session: Session, handle: str) -> FederatedSession | None:
    """The session that this cookie value names, whether it lives or not."""
    return session.get(FederatedSession, digest(handle))


def end(session: Session, handle: str, now: datetime) -> EndedSession | None:
    """End the session that this cookie value names, if there is one."""
    ended = digest(handle)
    session.flush()
    row = session.execute(_END, {"handle": ended, "now": now}).one_or_none()
    if row is None:
        return None
    held = session.identity_map.get(session.identity_key(FederatedSession, ended))
    if held is not None:
        set_committed_value(held, "ended_at", now)
        set_committed_value(held, "attributes", [])
    return EndedSession(ended, row.account_id, row.idp_entity_id)


def end_these(session: Session, ids: Sequence[str], now: datetime) -> tuple[EndedSession, ...]:
    """End sessions by their ids; answers those that had not ended before."""
    return _end_where(session, FederatedSession.handle_hash.in_(ids), now=now) if ids else ()


def end_all_of(session: Session, account_id: str, now: datetime) -> int:
    """End every session of an account, in every browser; answers how many ended."""
    return len(_end_where(session, FederatedSession.account_id == account_id, now=now))


def end_all_of_these(session: Session, account_ids: Sequence[str], now: datetime) -> tuple[EndedSession, ...]:
    """End every session of several accounts; answers those that had not ended before."""
    return _end_where(session, FederatedSession.account_id.in_(account_ids), now=now)


def end_all_by(session: Session, idp_entity_id: str, now: datetime) -> tuple[EndedSession, ...]:
    """End every session that one identity provider began; answers those that had not ended before."""
    return _end_where(session, FederatedSession.idp_entity_id == idp_entity_id, now=now)


def end_all(session: Session, now: datetime) -> int:
    """End every session there is; answers how many ended."""
    return len(_end_where(session, true(), now=now))


def _end_where(session: Session, condition: ColumnElement[bool], *, now: datetime) -> tuple[EndedSession, ...]:
    ended = session.execute(
        update(FederatedSession)
        .where(condition, FederatedSession.ended_at.is_(None))
        # What the assertion told is of no more use: only what a later logout message may name is kept until the purge.
        .values(ended_at=now, attributes=[])
        .returning(FederatedSession.handle_hash, FederatedSession.account_id, FederatedSession.idp_entity_id)
        .execution_options(synchronize_session="fetch")
    )
    return tuple(EndedSession(*row) for row in ended)


def _as_json(attributes: Sequence[Attribute]) -> list[dict[str, object]]:
    return [
        {"name": attribute.name, "friendly_name": attribute.friendly_name, "values": list(attribute.values)}
        for attribute in attributes
    ]
