"""Sending what `groups` has planned, and writing down the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Final

from federation.scim.results import Found, Result, SeveralFound
from idp_app.services.provisioning import groups
from idp_app.services.provisioning.channel import Channel
from idp_app.services.provisioning.groups import Edges, GroupStep
from idp_app.services.provisioning.outcomes import DONE, Kind, Outcome, Retry, kind_of
from idp_app.services.provisioning.subjects import Subject, Target

_DELETE_AGAIN: Final = timedelta(minutes=5)


def tidy(channel: Channel, target: Target) -> list[str]:
    """Delete the groups that the partner should not have; answers what went wrong."""
    with channel.transaction() as session:
        steps = groups.unwanted(session, target, channel.now)
        doubtful = groups.leaving_in_doubt(session, target, channel.now)
    errors = []
    for group_id in doubtful:
        try:
            found = channel.find(groups.ENDPOINT, group_id)
        except SeveralFound as error:
            errors.append(f"group {group_id}: {error.message}")
            with channel.transaction() as session:
                groups.links(session, target, [group_id])[group_id].not_before = channel.now + _DELETE_AGAIN
            continue
        with channel.transaction() as session:
            groups.adopt(groups.links(session, target, [group_id])[group_id], found)
    if doubtful:
        with channel.transaction() as session:
            steps = groups.unwanted(session, target, channel.now)
    for step, result in _send(channel, steps):
        with channel.transaction() as session:
            outcome = groups.record_deletion(session, target, step, result, channel.now, delay=_DELETE_AGAIN)
            channel.log(session, target, "delete group", result, outcome, group_id=step.group_id)
        if outcome.error:
            errors.append(f"group {step.name}: {outcome.error}")
    return errors


def work(channel: Channel, target: Target, subjects: Sequence[Subject]) -> dict[str, Outcome]:
    """Bring the groups of several people in order, whose accounts are. Answers by person what did not succeed."""
    with channel.transaction() as session:
        wanted = groups.edges(session, target, subjects)
    if not wanted.group_ids:
        return {}
    failed = _settle(channel, target, wanted)
    with channel.transaction() as session:
        creations = groups.creations(session, target, wanted, channel.now)
    failed |= _perform(channel, target, "create group", creations)
    with channel.transaction() as session:
        changes = groups.changes(session, target, wanted, channel.now)
    return failed | _perform(channel, target, "change members", changes)


def _settle(channel: Channel, target: Target, wanted: Edges) -> dict[str, Outcome]:
    """Look up the groups that may have been created without our hearing of it."""
    with channel.transaction() as session:
        known = groups.links(session, target, wanted.group_ids)
        doubtful = [link.group_id for link in known.values() if link.remote_id is None and link.intended is not None]
    failed: dict[str, Outcome] = {}
    for group_id in doubtful:
        try:
            found = channel.find(groups.ENDPOINT, group_id)
        except SeveralFound as error:
            waiting = wanted.joining.get(group_id, set()) | wanted.leaving.get(group_id, set())
            failed |= dict.fromkeys(waiting, Outcome(Retry.PARKED, "refused", error.message))
            continue
        with channel.transaction() as session:
            groups.adopt(groups.links(session, target, [group_id])[group_id], found)
    return failed


def _perform(channel: Channel, target: Target, operation: str, steps: Sequence[GroupStep]) -> dict[str, Outcome]:
    failed: dict[str, Outcome] = {}
    for step, result in _send(channel, steps):
        found = _look_again(channel, step, result)
        with channel.transaction() as session:
            outcome = groups.record(session, target, step, result, channel.now, found=found)
            channel.log(session, target, operation, result, outcome, group_id=step.group_id)
        if outcome != DONE:
            failed |= dict.fromkeys(step.people, outcome)
    return failed


def _look_again(channel: Channel, step: GroupStep, result: Result) -> Found | None:
    """Ask what an answer leaves open: which group has our externalId already, or which version it has now."""
    match kind_of(result):
        case Kind.CONFLICT if step.creates:
            try:
                return channel.find(groups.ENDPOINT, step.group_id)
            except SeveralFound:
                return None
        case Kind.CHANGED:
            return channel.client.read(step.operation.path)
        case _:
            return None


def _send(channel: Channel, steps: Sequence[GroupStep]) -> Iterator[tuple[GroupStep, Result]]:
    by_operation = {id(step.operation): step for step in steps}
    for operation, result in channel.send([step.operation for step in steps]) if steps else ():
        yield by_operation[id(operation)], result
