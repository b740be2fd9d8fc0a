"""What somebody has before them who works on the registry from outside a request: a command, or the worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from federation.registry.host import Host, Limits, Occasion
from federation.registry.refreshing import Refresher
from federation.storage.session import SessionFactory


@dataclass(frozen=True, slots=True)
class Desk:
    """One app's registry, and who is at work on it."""

    host: Host
    sessions: SessionFactory
    limits: Limits
    clock: Callable[[], datetime]
    actor: str
    reference: str

    @property
    def now(self) -> datetime:
        """The present instant."""
        return self.clock()

    def occasion(self) -> Occasion:
        """Now, by whoever it is."""
        return Occasion(self.clock(), self.actor, self.reference)

    def refresher(self) -> Refresher:
        """What refreshes the sources."""
        return Refresher(
            self.host, self.sessions, self.limits, clock=self.clock, actor=self.actor, reference=self.reference
        )
