"""The ways of signing in that this site has, and what a session that used them amounts to.

There are two: a password, and beside it a second factor. A session remembers each with its instant, so that a request
that needs more than was done asks for what is missing and for nothing else.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from federation.saml.messages import RequestedAuthnContext
from federation.saml.profiles import authn_context
from federation.saml.profiles.authn_context import MULTI_FACTOR, Table
from idp_app.services.sessions import SignedIn


class Missing(enum.Enum):
    """What a person has to do next."""

    PASSWORD = "password"  # noqa: S105 - the name of a method
    SECOND_FACTOR = "second factor"


@dataclass(frozen=True, slots=True)
class Methods:
    """The levels that the methods reach, as positions in the table that orders them: a password alone, and both."""

    table: Table
    password: int
    both: int

    @classmethod
    def of(cls, table: Table, password_level: str) -> Methods:
        """`password_level` is the level of a password alone."""
        return cls(table, table.position(password_level), table.position(MULTI_FACTOR))

    def needed(self, requested: RequestedAuthnContext | None) -> int | None:
        """The weaker of our two levels with which a request can be answered, or None: nobody can meet it here."""
        if authn_context.answer(requested, reached=self.password, table=self.table) is not None:
            return self.password
        return None if authn_context.answer(requested, reached=self.both, table=self.table) is None else self.both

    def missing(
        self, needed: int | None, signed_in: SignedIn | None, *, since: datetime | None = None
    ) -> Missing | None:
        """What is missing for a request that needs this level, or None.

        With `since` (ForceAuthn) a method counts only when it was used after that instant: what the request needs is
        asked for again, all of it (SAML Core 3.4.1; SDP-IDP07).
        """
        if signed_in is None or (since is not None and signed_in.authn_instant < since):
            return Missing.PASSWORD
        enough = needed is not None and needed <= self.password
        return None if enough or _has_second_factor(signed_in, since) else Missing.SECOND_FACTOR

    def stated(
        self, requested: RequestedAuthnContext | None, signed_in: SignedIn, *, since: datetime | None = None
    ) -> tuple[str, SignedIn] | None:
        """The class to state for a session, and the session with the instant to state; None: NoAuthnContext.

        A statement is as old as the oldest method that it rests on: it never claims more freshness than there is.
        """
        both = _has_second_factor(signed_in, since)
        class_ref = authn_context.answer(requested, reached=self.both if both else self.password, table=self.table)
        if class_ref is None:
            return None
        if signed_in.second_instant is not None and not self.table.is_true_of(class_ref, self.password):
            signed_in = signed_in._replace(authn_instant=min(signed_in.authn_instant, signed_in.second_instant))
        return class_ref, signed_in


def _has_second_factor(signed_in: SignedIn, since: datetime | None) -> bool:
    used = signed_in.second_instant
    return used is not None and (since is None or used >= since)
