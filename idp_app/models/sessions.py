"""Signed-in sessions, the sites they reached, and what slows down guessing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base, new_uuid


class SignInSession(Base):
    """One person signed in in one browser.

    The browser holds a random token, we its SHA-256: whoever reads this table can take over nothing. `id` stays the
    same when the person authenticates again, the token does not. `method` is how the person authenticated first, at
    `authn_instant`; `second_method` and `second_instant` tell the same of a second factor, where one was used.
    """

    __tablename__ = "sign_in_session"
    __table_args__ = (Index(None, "person_id"), Index(None, "expires"))

    id: Mapped[str] = mapped_column(primary_key=True, default=new_uuid)
    token_hash: Mapped[bytes] = mapped_column(unique=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    method: Mapped[str]
    authn_instant: Mapped[datetime]
    second_method: Mapped[str | None]
    second_instant: Mapped[datetime | None]
    last_seen: Mapped[datetime]
    expires: Mapped[datetime]
    ended: Mapped[datetime | None]


class Participation(Base):
    """A site that a session reached, and a name we used there, exactly as it was issued (SAML Profiles 4.4; SDP-IDP27).

    A site may know one session by several names. A NameID without a Format has the empty one. `connection_id` is no
    foreign key: the site may be an entity of a federation's source (`LiveConnection.id`).
    """

    __tablename__ = "participation"
    __table_args__ = (Index(None, "name_id"),)

    session_id: Mapped[str] = mapped_column(ForeignKey("sign_in_session.id", ondelete="CASCADE"), primary_key=True)
    connection_id: Mapped[str] = mapped_column(primary_key=True)
    name_id_format: Mapped[str] = mapped_column(primary_key=True)
    name_id: Mapped[str] = mapped_column(primary_key=True)
    name_qualifier: Mapped[str | None]
    sp_name_qualifier: Mapped[str | None]
    sp_provided_id: Mapped[str | None]
    session_index: Mapped[str]
    first_issued: Mapped[datetime]


class SignInThrottle(Base):
    """Failed sign-ins under one key: an account name, an address, or a known browser, each as a keyed hash."""

    __tablename__ = "sign_in_throttle"
    __table_args__ = (Index(None, "last_failure"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    failures: Mapped[int]
    last_failure: Mapped[datetime]
    blocked_until: Mapped[datetime]


class KnownBrowser(Base):
    """A browser in which a person has signed in before: strangers guessing at the account do not delay it."""

    __tablename__ = "known_browser"
    __table_args__ = (Index(None, "last_used"),)

    person_id: Mapped[str] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    browser_hash: Mapped[bytes] = mapped_column(primary_key=True)
    last_used: Mapped[datetime]
