"""The mission's switch. Off until enabled: until then the endpoints answer as if they were not there."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from sp_app.models import FederationSwitch
from sp_app.services import sessions

_ONLY_ROW: Final = 1
_TABLE: Final = table_of(FederationSwitch)
_ENABLED: Final = select(_TABLE.c.enabled).where(_TABLE.c.id == _ONLY_ROW)


def is_on(session: Session) -> bool:
    """Whether somebody has enabled the federation at this site."""
    return bool(session.scalar(_ENABLED))


def turn(session: Session, *, on: bool, now: datetime) -> None:
    """Enable or disable the federation; what is connected and linked stays as it is.

    Off means off: whoever came in through the federation is out, in every browser.
    """
    switch = session.get(FederationSwitch, _ONLY_ROW)
    if switch is None:
        switch = FederationSwitch(id=_ONLY_ROW)
        session.add(switch)
    switch.enabled = on
    switch.changed_at = now
    if not on:
        sessions.end_all(session, now)
