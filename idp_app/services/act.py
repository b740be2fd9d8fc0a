"""Who does something, when, and under which reference number it is found again."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from federation.saml.messages import Received


class Act(NamedTuple):
    """The occasion of a change. `actor` is a user name, or says that it was the command line or the worker.

    `received` are the SAML messages that the browser's request brought.
    """

    now: datetime
    actor: str
    reference: str
    received: tuple[Received, ...] = ()
