"""What both halves of single logout share: whoever sends a message is one of ours, and the message is meant for us."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from federation.saml.checks import Check, Seen, rule, run
from federation.saml.profiles.logout_rules import LogoutExpectations
from sp_app.services.ourselves import Self
from sp_app.services.partners import Partner, Partners


@rule("logout.partner", "SAML Profiles 4.4.4.1, 4.4.4.2; SDP-MD01")
def is_connected(partner: Partner | None, issuer: str) -> Seen:
    """The issuer is an identity provider that this site is connected to; a paused one may still end its sessions."""
    return partner is not None, "an identity provider that is connected", issuer


class LogoutService:
    """One use case of single logout, for one request."""

    def __init__(
        self, *, session: Session, partners: Partners, ourselves: Self, now: datetime, skew: timedelta
    ) -> None:
        self._session = session
        self._partners = partners
        self._self = ourselves
        self._now = now
        self._skew = skew

    def _sender(
        self, issuer: str, before: Sequence[Check] = (), *, request_id: str | None = None
    ) -> tuple[Partner, LogoutExpectations, tuple[Check, ...]]:
        """Who sent a message, what is expected of it, and the checks so far. Raises `Refused` for a stranger."""
        partner = self._partners.known_by(self._session, issuer)
        checks = run((is_connected,), before, partner, issuer)
        assert partner is not None
        assert partner.entity.idp is not None
        expected = LogoutExpectations(
            destination=self._self.slo_url,
            partner=partner.entity,
            role=partner.entity.idp,
            now=self._now,
            request_id=request_id,
            skew=self._skew,
        )
        return partner, expected, checks
