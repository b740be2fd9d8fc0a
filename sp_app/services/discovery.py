"""Which identity provider does a person belong to? Asked by the discovery protocol, at a service elsewhere or at ours.

    begin     remember how the sign-in is wanted, and send the browser to the discovery service
    resume    the browser that left is back: what was wanted, to go on with the identity provider it brought

Our own chooser is asked in the very same way as anybody else's, so there is one way back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlencode

from sqlalchemy.orm import Session

from federation.saml.profiles import discovery as profile
from sp_app.models import PendingChoice
from sp_app.services import binding
from sp_app.services.handles import may_be_handle, new_handle
from sp_app.services.interruptions import NotExpected, OtherBrowser, TooLate
from sp_app.services.sessions import digest
from sp_app.services.wishes import Wish

STATE: Final = "state"
"""The parameter of our own by which a return is known again."""


@dataclass(frozen=True, slots=True)
class Detour:
    """Where the browser goes to choose, and the value of its binding cookie."""

    url: str
    browser: str


class Discovery:
    """The use case, for one request. `service` is the discovery service, `return_url` is our DiscoveryResponse."""

    def __init__(
        self, session: Session, *, entity_id: str, service: str, return_url: str, window: timedelta, now: datetime
    ) -> None:
        self._session = session
        self._entity_id = entity_id
        self._service = service
        self._return_url = return_url
        self._window = window
        self._now = now

    def begin(self, wish: Wish, browser: str | None) -> Detour:
        """Remember how the sign-in is wanted; answers where the browser goes to choose."""
        handle = new_handle()
        browser = binding.own(browser)
        self._session.add(
            PendingChoice(
                handle_hash=digest(handle),
                binding_hash=digest(browser),
                wish=wish.as_json(),
                expires_at=self._now + self._window,
            )
        )
        url = profile.request_url(
            self._service,
            entity_id=self._entity_id,
            return_url=f"{self._return_url}?{urlencode({STATE: handle})}",
            is_passive=wish.is_passive,
        )
        return Detour(url, browser)

    def resume(self, handle: str | None, browser: str | None) -> Wish:
        """What was wanted. Raises `NotExpected`, `OtherBrowser`, `TooLate`: the person starts again then.

        The same return may come twice: who presses Back chooses anew.
        """
        choice = self._remembered(handle)
        if choice is None:
            raise NotExpected("discovery.expected", "no choice that began here belongs to this return")
        if not binding.began(browser, choice.binding_hash):
            raise OtherBrowser("discovery.same_browser", "the return came without the cookie of the browser that left")
        if choice.expires_at <= self._now:
            raise TooLate("discovery.in_time", "the choice began too long ago")
        return Wish.from_json(choice.wish)

    def wish_of(self, handle: str | None) -> Wish | None:
        """What was wanted, whatever became of it; to begin again with the same aim, as after `Login.wish_of`."""
        choice = self._remembered(handle)
        return Wish.from_json({**choice.wish, "is_passive": False}) if choice is not None else None

    def _remembered(self, handle: str | None) -> PendingChoice | None:
        if not may_be_handle(handle):
            return None
        return self._session.get(PendingChoice, digest(handle))
