"""What there is, in numbers and names: for the status command and the console's first page."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from idp_app.models import Audience, Person
from idp_app.services import connections, switch


def overview(session: Session) -> dict[str, Any]:
    """The switch, the number of people, the names of the audiences, and each connection with its state."""
    return {
        "enabled": switch.is_on(session),
        "people": session.scalar(select(func.count()).select_from(Person)) or 0,
        "audiences": list(session.scalars(select(Audience.name).order_by(Audience.name_key))),
        "connections": [
            {
                "name": connection.name,
                "entity_id": connection.entity_id,
                "state": connection.state.value,
                "provisioning": connection.provisioning_url is not None,
            }
            for connection in connections.every(session)
        ],
    }
