"""The federation switch: off until somebody turns it on."""

from __future__ import annotations

from typing import Final

from sqlalchemy import literal_column, select
from sqlalchemy.orm import Session

from federation.storage.base import table_of
from federation.storage.prepared import Prepared
from idp_app.models import FederationSwitch
from idp_app.services import audit, outbox
from idp_app.services.act import Act

_SWITCH: Final = table_of(FederationSwitch)
_ON: Final = Prepared(select(literal_column("1")).select_from(_SWITCH).where(_SWITCH.c.enabled))


def is_on(session: Session) -> bool:
    """Whether this site federates."""
    return bool(_ON.rows(session, {}))


def turn(session: Session, on: bool, act: Act) -> bool:
    """Set the switch; False when it stood there already."""
    switch = session.scalars(select(FederationSwitch).with_for_update()).one_or_none()
    if on == (switch is not None and switch.enabled):
        return False
    if switch is None:
        switch = FederationSwitch()
        session.add(switch)
    switch.enabled, switch.changed, switch.changed_by = on, act.now, act.actor
    cause = "switch.on" if on else "switch.off"
    audit.record(session, cause, act)
    outbox.record(session, cause=cause, now=act.now)
    return True
