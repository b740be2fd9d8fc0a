"""One run: work off what waits for one connection, under its lease, batch by batch.

Each batch is four short steps, and no transaction is open while a request is on its way:

    1. take people, look at them as they are now, plan, write down the intent
    2. send
    3. write down the answers
    4. the same for the groups they are in

Whatever stops the run in between (a signal, a lost lease, the power), what was intended is in doubt and settled by the
next run; nothing is created twice and nothing is lost.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from federation.errors import FederationError
from federation.scim.client import Client
from federation.scim.results import Found, RequestFailed, Result, SeveralFound
from federation.storage.session import unit_of_work
from idp_app.installation import Installation
from idp_app.models import AccountLink, Connection, ConnectionState, Pending
from idp_app.services import disconnecting, switch
from idp_app.services.provisioning import accounts, groupwork, lease
from idp_app.services.provisioning.accounts import Step
from idp_app.services.provisioning.channel import Channel
from idp_app.services.provisioning.lease import Lease, LeaseLost
from idp_app.services.provisioning.outcomes import DONE, Outcome, Retry
from idp_app.services.provisioning.subjects import Target, load

BATCH: Final = 100
"""People in one batch."""

Connect = Callable[[Connection], AbstractContextManager[Client]]


@dataclass(slots=True)
class Report:
    """What a run did: how often each action was done, and what went wrong, for whom.

    `busy`: somebody else is at work on the connection. `stopped`: why the run ended before its work did.
    """

    connection: str
    done: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    busy: bool = False
    stopped: str | None = None

    @property
    def ok(self) -> bool:
        """Whether everything that waited was worked off."""
        return not (self.errors or self.busy or self.stopped)


@dataclass(frozen=True, slots=True)
class Turn:
    """One person's turn. `generation` and `attempts` are those of the row that waits for it."""

    step: Step
    generation: int
    attempts: int

    @property
    def person_id(self) -> str:
        """Whose turn it is."""
        return self.step.subject.person_id


def run(
    installation: Installation,
    connection_id: str,
    *,
    connect: Connect,
    owner: str,
    random: Callable[[], float],
    should_stop: Callable[[], bool] = lambda: False,
) -> Report:
    """Work off everything that is due for a connection. Never raises for what a partner or the network does.

    `owner` names the worker, for people; `random` answers a number from 0 to 1, for jitter.
    """
    with unit_of_work(installation.sessions) as session:
        connection = session.get_one(Connection, connection_id)
        report = Report(connection.name)
        if connection.provisioning_url is None:
            return report  # it was disconnected after it had been found due
        held = lease.acquire(session, connection_id, owner, installation.clock())
    if held is None:
        report.busy = True
        return report
    answered = False
    try:
        with connect(connection) as client:
            channel = Channel(installation, client, held, random)
            try:
                _drain(channel, connection, report, should_stop)
            finally:
                answered = channel.answered
        _release(installation, held, answered=answered)
    except LeaseLost as lost:
        report.stopped = lost.message
    except FederationError as error:
        report.stopped = error.message
        _hold_back(installation, held, error, jitter=random())
    except BaseException:
        _release(installation, held, answered=False)
        raise
    return report


def _drain(channel: Channel, connection: Connection, report: Report, should_stop: Callable[[], bool]) -> None:
    """Batch after batch, until nothing is due any more."""
    target = _target(channel, connection)
    if target is not None:
        report.errors += groupwork.tidy(channel, target)
    while not should_stop() and (target := _target(channel, connection)) is not None:
        _settle(channel, target)
        turns = _take(channel, target)
        if not turns:
            with channel.transaction() as session:
                disconnecting.complete(session, connection.id, channel.now)
            return
        outcomes = _work(channel, target, turns)
        in_order = [turn.step.subject for turn in turns if outcomes[turn.person_id] == DONE]
        outcomes |= groupwork.work(channel, target, in_order)
        _finish(channel, target, turns, outcomes, report)


def _target(channel: Channel, connection: Connection) -> Target | None:
    """The connection as it is now; None when nothing may be sent to it any more, or it has another address."""
    installation = channel.installation
    with channel.transaction() as session:
        current = session.get_one(Connection, connection.id, populate_existing=True)
        same = _way(current) == _way(connection)
        served = current.state in (ConnectionState.ACTIVE, ConnectionState.DISCONNECTING)
        if not (same and served and switch.is_on(session)):
            return None
        live = installation.partners.by_id(session, connection.id)
    return Target(live, live.release(None), installation.identifier_secret, installation.settings.scope)


def _way(connection: Connection) -> tuple[object, ...]:
    """Where its accounts are, and how we prove who we are there."""
    return connection.provisioning_url, connection.provisioning_token, connection.provisioning_token_url


def _due(channel: Channel, session: Session, target: Target) -> Sequence[Pending]:
    """The next people. Whoever has an account already goes first: nobody waits behind a first load to be locked out."""
    known = exists().where(
        AccountLink.connection_id == Pending.connection_id, AccountLink.person_id == Pending.person_id
    )
    return session.scalars(
        select(Pending)
        .where(Pending.connection_id == target.id, Pending.not_before <= channel.now)
        .order_by(known.desc(), Pending.not_before, Pending.person_id)
        .limit(BATCH)
    ).all()


def _settle(channel: Channel, target: Target) -> None:
    """Look up those accounts of the next batch that may have been created without our hearing of it."""
    with channel.transaction() as session:
        rows = _due(channel, session, target)
        doubtful = accounts.in_doubt(accounts.links(session, target, [row.person_id for row in rows]))
    for link in doubtful:
        try:
            found = channel.find(accounts.ENDPOINT, link.external_id)
        except SeveralFound as error:
            outcome = Outcome(Retry.PARKED, "refused", error.message)
            with channel.transaction() as session:
                _wait(channel, session, target, link.person_id, outcome)
            continue
        with channel.transaction() as session:
            accounts.settle(accounts.links(session, target, [link.person_id])[link.person_id], found)


def _take(channel: Channel, target: Target) -> list[Turn]:
    """The next people, planned as they are now, their intents written down."""
    with channel.transaction() as session:
        rows = _due(channel, session, target)
        subjects = load(session, target, [row.person_id for row in rows])
        known = accounts.links(session, target, subjects)
        turns = [
            Turn(accounts.plan(subjects[row.person_id], known.get(row.person_id)), row.generation, row.attempts)
            for row in rows
        ]
        accounts.intend(session, target, [turn.step for turn in turns], channel.now)
    return turns


def _work(channel: Channel, target: Target, turns: Sequence[Turn]) -> dict[str, Outcome]:
    """Send the operations and write down what became of each; answers the outcomes by person.

    When a request fails as such, what was answered before it is written down all the same.
    """
    steps = {id(turn.step.operation): turn.step for turn in turns if turn.step.operation is not None}
    outcomes = _record(channel, target, [(turn.step, None) for turn in turns if turn.step.operation is None])
    answers: list[tuple[Step, Result | None]] = []
    try:
        operations = [step.operation for step in steps.values() if step.operation is not None]
        for operation, result in channel.send(operations) if operations else ():
            answers.append((steps[id(operation)], result))
    finally:
        outcomes |= _record(channel, target, [each for each in answers if not accounts.leaves_open(*each)])
    for step, answer in answers:
        if accounts.leaves_open(step, answer):
            outcomes |= _record(channel, target, [(step, answer)], found=accounts.look_again(channel, step))
    return outcomes


def _record(
    channel: Channel,
    target: Target,
    answers: Sequence[tuple[Step, Result | None]],
    *,
    found: Found | None = None,
) -> dict[str, Outcome]:
    outcomes: dict[str, Outcome] = {}
    if not answers:
        return outcomes
    with channel.transaction() as session:
        for step, result in answers:
            outcome = accounts.record(session, target, step, result, channel.now, found=found)
            outcomes[step.subject.person_id] = outcome
            if result is not None:
                channel.log(
                    session,
                    target,
                    step.action,
                    result,
                    outcome,
                    person_id=step.subject.person_id,
                    attributes=step.attributes,
                )
    return outcomes


def _finish(
    channel: Channel, target: Target, turns: Sequence[Turn], outcomes: dict[str, Outcome], report: Report
) -> None:
    """Strike off who is done, unless something about them has changed meanwhile; let the others wait."""
    with channel.transaction() as session:
        for turn in turns:
            outcome = outcomes[turn.person_id]
            if outcome.retry is Retry.NO:
                report.done[turn.step.action] += 1
                session.execute(
                    delete(Pending)
                    .where(
                        Pending.connection_id == target.id,
                        Pending.person_id == turn.person_id,
                        Pending.generation == turn.generation,
                    )
                    .execution_options(synchronize_session=False)
                )
                continue
            wait = _wait(channel, session, target, turn.person_id, outcome, turn)
            if wait and outcome.error:
                report.errors.append(f"{turn.step.subject.name}: {outcome.error}")


def _wait(
    channel: Channel, session: Session, target: Target, person_id: str, outcome: Outcome, turn: Turn | None = None
) -> bool:
    """Let somebody wait for another attempt; whether that is later than now. A newer change of theirs does not wait."""
    attempts = (turn.attempts if turn is not None else 0) + 1
    delay = channel.delay(outcome.retry, attempts)
    mine = [Pending.connection_id == target.id, Pending.person_id == person_id]
    if turn is not None:
        mine.append(Pending.generation == turn.generation)
    session.execute(
        update(Pending)
        .where(*mine)
        .values(not_before=channel.now + delay, attempts=attempts, error=outcome.error)
        .execution_options(synchronize_session=False)
    )
    return bool(delay)


def _release(installation: Installation, held: Lease, *, answered: bool) -> None:
    now = installation.clock()
    with unit_of_work(installation.sessions) as session:
        if answered:
            held.recovered(session)
        held.release(session, succeeded=now if answered else None)


def _hold_back(installation: Installation, held: Lease, error: FederationError, *, jitter: float) -> None:
    """Hold the connection back after a request that failed as such, and give the lease back."""
    now = installation.clock()
    try:
        with unit_of_work(installation.sessions) as session:
            if isinstance(error, RequestFailed) and error.denied:
                held.quarantine(session, now, error.message)
            else:
                after = error.retry_after if isinstance(error, RequestFailed) else None
                held.failed(session, now, error.message, retry_after=after, jitter=jitter)
            held.release(session, succeeded=None)
    except LeaseLost:
        return  # whoever has it now finds out for themselves
