"""Where a signed-in person can go: the connections that serve them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.audiences import eligibility
from idp_app.models import Connection, ConnectionState
from idp_app.services import release, switch
from idp_app.services.live import LiveConnection, Partners
from idp_app.services.sessions import SignedIn


@dataclass(frozen=True, slots=True)
class Site:
    """A site to go to. `url` is the first page of where its assertions are sent."""

    name: str
    description: str
    url: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What the home page tells a person. `federating` is the switch."""

    federating: bool
    sites: Sequence[Site]


def of(session: Session, partners: Partners, signed_in: SignedIn, now: datetime) -> Reach:
    """The sites that would be given an assertion about this person now."""
    if not switch.is_on(session):
        return Reach(False, ())
    audiences = release.memberships_of(session, signed_in.person_id).audiences
    active = select(Connection.id).where(Connection.state == ConnectionState.ACTIVE).order_by(Connection.name_key)
    candidates = [partners.by_id(session, connection_id) for connection_id in session.scalars(active)]
    return Reach(
        True,
        [
            _site(partner)
            for partner in candidates
            if partner.usable(now)
            and eligibility.decide(
                guest=signed_in.guest,
                suspended=False,
                person_audiences=audiences,
                connection_audiences=partner.audiences,
                connection_active=True,
            ).allowed
        ],
    )


def _site(partner: LiveConnection) -> Site:
    parts = urlsplit(partner.sp.assertion_consumer[0].location)
    descriptions = partner.sp.ui_info.descriptions
    return Site(partner.name, descriptions[0][1] if descriptions else "", f"{parts.scheme}://{parts.netloc}/")
