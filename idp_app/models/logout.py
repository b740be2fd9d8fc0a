"""Single logout: the replay guard, and each logout that other sites have to be told of, step by step."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from idp_app.models.base import Base


class ReceivedLogout(Base):
    """One accepted LogoutRequest, by the hash of its issuer and ID. At `expires` a copy is too old to be accepted."""

    __tablename__ = "received_logout"
    __table_args__ = (Index(None, "expires"),)

    key: Mapped[str] = mapped_column(primary_key=True)
    expires: Mapped[datetime]


class LogoutRun(Base):
    """One logout: the sessions here have ended, and the sites that they reached are told one after the other.

    `key` names it in our own addresses. `by_browser`: the person's browser carries the messages, and `browser_hash`
    says which one, as soon as that is known; otherwise the worker tells each site directly. The `requester`, if there
    is one, is answered at the end, unless it wants no answer (`asynchronous`). `contacted` is when the sites were
    first spoken to, `finished` when nothing was left to do.
    """

    __tablename__ = "logout_run"
    __table_args__ = (Index(None, "expires"), Index(None, "browser_hash"))

    key: Mapped[str] = mapped_column(primary_key=True)
    reference: Mapped[str]
    person_id: Mapped[str | None]
    by_browser: Mapped[bool]
    browser_hash: Mapped[bytes | None]
    requester_id: Mapped[str | None]
    request_id: Mapped[str | None]
    relay_state: Mapped[str | None]
    asynchronous: Mapped[bool]
    begun: Mapped[datetime]
    expires: Mapped[datetime]
    contacted: Mapped[datetime | None]
    finished: Mapped[datetime | None]


class StepState(enum.StrEnum):
    """What became of telling one site. Only `ENDED` means that nothing is left there.

    PARTIAL, FAILED and UNKNOWN are its own words: not everywhere, not at all, no such session. REFUSED: its answer did
    not pass a check. UNANSWERED and UNREACHABLE: none came. IMPOSSIBLE: its metadata offers no way to tell it.
    """

    WAITING = "waiting"
    ASKED = "asked"
    ENDED = "ended"
    PARTIAL = "partial"
    FAILED = "failed"
    UNKNOWN = "unknown"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    UNREACHABLE = "unreachable"
    IMPOSSIBLE = "impossible"


class LogoutStep(Base):
    """One site to be told under one name. `id` is the ID of our LogoutRequest, so its answer finds the step.

    `name_id` holds the fields of the NameID as it was issued. `binding` is how the site was asked last, `until` when
    an answer is no longer waited for; `answered` when one was accepted, which happens once.
    """

    __tablename__ = "logout_step"
    __table_args__ = (Index(None, "run_key"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    run_key: Mapped[str] = mapped_column(ForeignKey("logout_run.key", ondelete="CASCADE"))
    position: Mapped[int]
    connection_id: Mapped[str]
    name_id: Mapped[dict[str, Any]]
    session_indexes: Mapped[list[str]]
    state: Mapped[StepState]
    binding: Mapped[str | None]
    until: Mapped[datetime | None]
    answered: Mapped[datetime | None]
