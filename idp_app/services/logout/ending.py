"""Sessions end though no browser is at hand: an administrator, a suspension, a new password.

They end here in the caller's transaction. The sites that they reached are told by SOAP, by the worker right after that,
or by whoever calls `tell_now`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from federation.storage.session import unit_of_work
from idp_app.installation import Installation
from idp_app.models import LogoutRun, SignInSession
from idp_app.services import audit, outbox, sessions, switch
from idp_app.services.act import Act
from idp_app.services.logout import chain, contact, requests, runs
from idp_app.services.logout.runs import Site
from idp_app.settings import IdPSettings


def end_sessions(session: Session, person_id: str, session_ids: Sequence[str], act: Act) -> tuple[int, str | None]:
    """End these sessions of a person; answers how many were live, and the run's key if any site has to be told."""
    live = sessions.end_these(session, session_ids, act.now)
    if not live:
        return 0, None
    audit.record(session, "session.ended", act, person_id=person_id, detail={"sessions": len(live)})
    if not switch.is_on(session):
        return len(live), None
    run = runs.begin(session, live, act, person_id=person_id, by_browser=False)
    outbox.wake(session)
    return len(live), run.key if run is not None else None


def end_all(session: Session, person_id: str, act: Act) -> tuple[int, str | None]:
    """End every session of a person, in every browser; answers as `end_sessions`."""
    live = select(SignInSession.id).where(
        SignInSession.person_id == person_id, SignInSession.ended.is_(None), SignInSession.expires > act.now
    )
    return end_sessions(session, person_id, session.scalars(live).all(), act)


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A live session of a person, as an administrator sees it: since when, last used, and the sites it reached."""

    id: str
    since: datetime
    last_seen: datetime
    sites: tuple[str, ...]


def open_sessions(session: Session, person_id: str, *, now: datetime, settings: IdPSettings) -> list[OpenSession]:
    """The live sessions of a person, the one used last first."""
    found = sessions.of_person(session, person_id, now=now, settings=settings)
    return [
        OpenSession(each.id, each.authn_instant, each.last_seen, tuple(requests.names_of_sites(session, each.id)))
        for each in found
    ]


def tell_waiting(installation: Installation, reference: str) -> list[list[Site]]:
    """What the worker does: go on with every run that no browser carries, and answer how each came out."""
    with unit_of_work(installation.sessions) as session:
        waiting = session.scalars(
            select(LogoutRun.key).where(
                LogoutRun.by_browser.is_(False),
                LogoutRun.finished.is_(None),
                LogoutRun.expires > installation.clock(),
            )
        ).all()
    return [tell_now(installation, key, actor="worker", reference=reference) for key in waiting]


def tell_now(installation: Installation, key: str, *, actor: str, reference: str) -> list[Site]:
    """Tell the sites of one run, all at the same time, and answer how it stands with each.

    The caller has committed the run, and has no transaction open.
    """
    act = Act(installation.clock(), actor, reference)
    with unit_of_work(installation.sessions) as session:
        run = session.get_one(LogoutRun, key, with_for_update=True, populate_existing=True)
        calls = contact.prepare(session, run, installation, act.now)
    spoken = contact.make(calls, installation)
    act = Act(installation.clock(), actor, reference)
    with unit_of_work(installation.sessions) as session:
        contact.record(session, spoken, act)
        run = session.get_one(LogoutRun, key, with_for_update=True, populate_existing=True)
        chain.next_move(session, run, installation, act)
        return runs.sites(session, run)
