"""The mission's switch. Off until enabled: until then the endpoints answer as if they were not there."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from sp_app.models import FederationSwitch

_ONLY_ROW = 1


def is_on(session: Session) -> bool:
    """Whether somebody has enabled the federation at this site."""
    return bool(session.scalar(select(FederationSwitch.enabled).where(FederationSwitch.id == _ONLY_ROW)))


def turn(session: Session, *, on: bool, now: datetime) -> None:
    """Enable or disable the federation; what is connected and linked stays as it is."""
    switch = session.get(FederationSwitch, _ONLY_ROW)
    if switch is None:
        switch = FederationSwitch(id=_ONLY_ROW)
        session.add(switch)
    switch.enabled = on
    switch.changed_at = now
