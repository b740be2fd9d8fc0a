"""What a logout has to do, kept in the database: one run, and one step for each name of each site.

Nothing of it is kept in a browser but the run's key, in an address of ours. So whichever way the browser comes back, by
the answer of a site, by its back button, in another tab or an hour later, what is left to do is known.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from federation.errors import PolicyRefusal
from federation.saml.identifiers import new_id
from federation.saml.messages import NameID
from federation.storage.base import table_of
from idp_app.models import LogoutRun, LogoutStep, Participation, StepState
from idp_app.services.act import Act
from idp_app.services.logout.requests import Arrival, as_issued
from idp_app.services.metadata import name_of

LIFETIME: Final = timedelta(hours=1)
"""How long a run can be gone on with."""
OPEN: Final = (StepState.WAITING, StepState.ASKED)
OUTSTANDING: Final = (*OPEN, StepState.REFUSED, StepState.UNANSWERED, StepState.UNREACHABLE)
"""A genuine answer still changes these: the site was slow, or what came before it was forged."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a page says about one site of a run: the worst of its steps."""

    name: str
    state: StepState


def begin(
    session: Session,
    session_ids: Collection[str],
    act: Act,
    *,
    person_id: str | None,
    by_browser: bool,
    browser_hash: bytes | None = None,
    arrival: Arrival | None = None,
) -> LogoutRun | None:
    """Plan to tell every site that these sessions reached, but the one that asked; None when there is no other.

    `browser_hash` is None while nobody knows which browser it is: a post from another site comes without our cookies.
    """
    steps = _steps(session, session_ids, except_for=arrival.partner.id if arrival is not None else None)
    if not steps:
        return None
    run = LogoutRun(
        key=secrets.token_urlsafe(24),
        reference=act.reference,
        person_id=person_id,
        by_browser=by_browser,
        browser_hash=browser_hash,
        requester_id=arrival.partner.id if arrival is not None else None,
        request_id=arrival.request.id if arrival is not None else None,
        relay_state=arrival.relay_state if arrival is not None else None,
        asynchronous=arrival.request.asynchronous if arrival is not None else False,
        begun=act.now,
        expires=act.now + LIFETIME,
    )
    session.add(run)
    session.flush()  # its steps refer to it
    for step in steps:
        step.run_key = run.key
    session.add_all(steps)
    session.flush()
    return run


def _steps(session: Session, session_ids: Collection[str], *, except_for: str | None) -> list[LogoutStep]:
    """One step for each name that a site got, with all the sessions that it named there; sites by name."""
    rows = session.scalars(
        select(Participation)
        .where(Participation.session_id.in_(session_ids))
        .order_by(func.lower(name_of(table_of(Participation).c.connection_id)), Participation.first_issued)
    )
    reached = [row for row in rows if row.connection_id != except_for]
    named = {row.connection_id for row in reached if row.name_id}
    indexes: dict[tuple[str, NameID], list[str]] = {}
    for row in reached:
        # A site that got no name at all cannot be told of anything, and the person has to know.
        if row.name_id or row.connection_id not in named:
            indexes.setdefault((row.connection_id, as_issued(row)), []).append(row.session_index)
    return [
        LogoutStep(
            id=new_id(),
            position=position,
            connection_id=connection_id,
            name_id=name_id._asdict(),
            session_indexes=list(dict.fromkeys(session_indexes)),
            state=StepState.WAITING,
        )
        for position, ((connection_id, name_id), session_indexes) in enumerate(indexes.items())
    ]


def claim(session: Session, key: str, *, browser_hash: bytes, now: datetime) -> LogoutRun:
    """The run under a key, locked, for the browser in which it began. Raises `PolicyRefusal`."""
    run = session.get(LogoutRun, key, with_for_update=True, populate_existing=True)
    if run is None or run.expires <= now or not run.by_browser:
        raise PolicyRefusal("logout.gone", "no logout goes on under this key")
    if run.browser_hash is None:
        run.browser_hash = browser_hash
    if not secrets.compare_digest(run.browser_hash, browser_hash):
        raise PolicyRefusal("logout.browser", "the logout began in another browser")
    return run


def unfinished(session: Session, browser_hash: bytes, now: datetime) -> str | None:
    """The key of the latest logout that this browser can still finish."""
    return session.scalar(
        select(LogoutRun.key)
        .where(LogoutRun.browser_hash == browser_hash, LogoutRun.finished.is_(None), LogoutRun.expires > now)
        .order_by(LogoutRun.begun.desc())
        .limit(1)
    )


def steps_of(session: Session, run: LogoutRun) -> Sequence[LogoutStep]:
    """The steps of a run, in order, as they are now."""
    return session.scalars(
        select(LogoutStep)
        .where(LogoutStep.run_key == run.key)
        .order_by(LogoutStep.position)
        .execution_options(populate_existing=True)
    ).all()


def sites(session: Session, run: LogoutRun) -> list[Site]:
    """How it stands with each site, by name: a site that got several names has ended only when all of them have."""
    rows = session.execute(
        select(name_of(table_of(LogoutStep).c.connection_id), LogoutStep.state)
        .where(LogoutStep.run_key == run.key)
        .order_by(LogoutStep.position)
    )
    found: dict[str, StepState] = {}
    for name, state in rows:
        if found.get(name, StepState.ENDED) is StepState.ENDED:
            found[name] = state
    return [Site(name, state) for name, state in found.items()]


def settle(session: Session, step_id: str, state: StepState, *, only: Collection[StepState] = OPEN) -> bool:
    """Note what became of a step, unless something else became of it before; whether that was noted."""
    found = session.execute(
        update(LogoutStep)
        .where(LogoutStep.id == step_id, LogoutStep.state.in_(only))
        .values(state=state)
        .returning(LogoutStep.id)
        .execution_options(synchronize_session=False)
    )
    return found.first() is not None


def ask(session: Session, step_id: str, binding: str, until: datetime) -> bool:
    """Note that a site is being asked, by this binding; False when somebody else asks it already."""
    found = session.execute(
        update(LogoutStep)
        .where(LogoutStep.id == step_id, LogoutStep.state == StepState.WAITING)
        .values(state=StepState.ASKED, binding=binding, until=until)
        .returning(LogoutStep.id)
        .execution_options(synchronize_session=False)
    )
    return found.first() is not None
