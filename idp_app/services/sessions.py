"""Sessions on the server. The browser holds a random token of 256 bits; the table holds its hash."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from idp_app.models import Person, SignInSession
from idp_app.models.people import full_name
from idp_app.settings import IdPSettings

TOUCH_EVERY: Final = timedelta(minutes=1)
"""The time of last use is written at most this often: a session in use costs no write per request."""


class SignedIn(NamedTuple):
    """The live session of a request and the person behind it, as read in one statement."""

    session_id: str
    method: str
    authn_instant: datetime
    second_instant: datetime | None
    expires: datetime
    last_seen: datetime
    person_id: str
    username: str
    display_name: str
    given_name: str
    family_name: str
    mail: str
    department: str
    administrator: bool
    guest: bool

    @property
    def name(self) -> str:
        """The name to show."""
        return full_name(self)


def new_token() -> str:
    """A fresh session token."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored for a token. A random token of 256 bits needs no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


_SESSION: Final = table_of(SignInSession)
_PERSON: Final = table_of(Person)
_FIND: Final = Prepared(
    select(  # in the order of SignedIn
        _SESSION.c.id,
        _SESSION.c.method,
        _SESSION.c.authn_instant,
        _SESSION.c.second_instant,
        _SESSION.c.expires,
        _SESSION.c.last_seen,
        _PERSON.c.id,
        _PERSON.c.username,
        _PERSON.c.display_name,
        _PERSON.c.given_name,
        _PERSON.c.family_name,
        _PERSON.c.mail,
        _PERSON.c.department,
        _PERSON.c.administrator,
        _PERSON.c.guest,
    )
    .join_from(_SESSION, _PERSON)
    .where(
        _SESSION.c.token_hash == bindparam("sought"),
        _SESSION.c.ended.is_(None),
        _PERSON.c.suspended.is_(False),
    )
)


def find(session: Session, token: str, *, now: datetime, settings: IdPSettings) -> SignedIn | None:
    """The live session of a token: neither ended, idle for too long, expired, nor its person suspended."""
    found = _FIND.rows(session, {"sought": hash_token(token)})
    if not found:
        return None
    signed_in = SignedIn._make(found[0])
    return None if signed_in.expires <= now or signed_in.last_seen + settings.session_idle <= now else signed_in


def touch(session: Session, signed_in: SignedIn, now: datetime) -> None:
    """Note that the session is in use."""
    if now - signed_in.last_seen >= TOUCH_EVERY:
        session.execute(update(SignInSession).where(SignInSession.id == signed_in.session_id).values(last_seen=now))


def start(
    session: Session,
    person_id: str,
    *,
    method: str,
    now: datetime,
    settings: IdPSettings,
    previous: SignedIn | None = None,
) -> str:
    """Begin a session after an authentication and answer its token, which is always new (no session fixation).

    The same person authenticating again keeps the session's id, so the sites it reached stay known. Somebody else's
    session in this browser ends.
    """
    token = new_token()
    times = {"authn_instant": now, "last_seen": now, "expires": now + settings.session_lifetime}
    if previous is not None and previous.person_id == person_id:
        session.execute(
            update(SignInSession)
            .where(SignInSession.id == previous.session_id)
            .values(token_hash=hash_token(token), method=method, **times)
        )
        return token
    if previous is not None:
        end(session, previous.session_id, now)
    session.add(SignInSession(token_hash=hash_token(token), person_id=person_id, method=method, **times))
    return token


def add_second_factor(session: Session, signed_in: SignedIn, *, method: str, now: datetime) -> str:
    """Note that a second factor was used, and answer the session's new token: what it opens has grown."""
    token = new_token()
    session.execute(
        update(SignInSession)
        .where(SignInSession.id == signed_in.session_id)
        .values(token_hash=hash_token(token), second_method=method, second_instant=now, last_seen=now)
    )
    return token


def forget_second_factor(session: Session, person_id: str) -> None:
    """No session of the person counts as one with a second factor any more."""
    gone = update(SignInSession).where(SignInSession.person_id == person_id)
    session.execute(gone.values(second_method=None, second_instant=None))


def end(session: Session, session_id: str, now: datetime) -> None:
    """End one session."""
    end_these(session, (session_id,), now)


def end_these(session: Session, session_ids: Collection[str], now: datetime) -> dict[str, str]:
    """End these sessions; answers those that were live, each with its person's id."""
    if not session_ids:
        return {}
    live = update(SignInSession).where(SignInSession.id.in_(session_ids), SignInSession.ended.is_(None))
    ended = live.values(ended=now).returning(SignInSession.id, SignInSession.person_id)
    return {row.id: row.person_id for row in session.execute(ended)}


def of_person(session: Session, person_id: str, *, now: datetime, settings: IdPSettings) -> Sequence[SignInSession]:
    """The live sessions of a person, the one used last first."""
    return session.scalars(
        select(SignInSession)
        .where(
            SignInSession.person_id == person_id,
            SignInSession.ended.is_(None),
            SignInSession.expires > now,
            SignInSession.last_seen > now - settings.session_idle,
        )
        .order_by(SignInSession.last_seen.desc())
    ).all()
