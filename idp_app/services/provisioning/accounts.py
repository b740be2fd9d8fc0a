"""Accounts: from what a person should have and what the partner holds to one operation, and from its answer back.

`intended` is written before a request leaves and cleared when its answer is known. What stands there when a worker
begins is in doubt: an account that may have been created is looked up before it is created again.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from federation.scim import urns
from federation.scim.results import Found, Operation, Result, SeveralFound
from idp_app.models import AccountLink, MemberLink
from idp_app.services.provisioning import documents
from idp_app.services.provisioning.channel import Channel
from idp_app.services.provisioning.documents import Document
from idp_app.services.provisioning.outcomes import DONE, Kind, Outcome, Retry, kind_of, sentence
from idp_app.services.provisioning.subjects import Subject, Target

ENDPOINT: Final = "/Users"


class Action(enum.StrEnum):
    """What is done about an account, in the words of plan and log."""

    CREATE = "create"
    UPDATE = "update"
    REACTIVATE = "reactivate"
    DEACTIVATE = "deactivate"
    DELETE = "delete"
    FORGET = "forget"
    """Nothing is there: only our own record goes."""
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done for one person. `after` is what the partner then holds; `attributes` name what changes."""

    subject: Subject
    action: Action
    operation: Operation | None = None
    after: Document | None = None
    attributes: tuple[str, ...] = ()


def links(session: Session, target: Target, person_ids: Iterable[str]) -> dict[str, AccountLink]:
    """What is known of several people's accounts."""
    found = session.scalars(
        select(AccountLink)
        .where(AccountLink.connection_id == target.id, AccountLink.person_id.in_(list(person_ids)))
        .execution_options(populate_existing=True)
    )
    return {link.person_id: link for link in found}


def plan(subject: Subject, link: AccountLink | None) -> Step:
    """Decide. A link in doubt without a remote id must have been looked up before."""
    if subject.document is not None:
        return _provide(subject, subject.document, link)
    if link is None:
        return Step(subject, Action.NOTHING)
    if link.remote_id is None:
        return Step(subject, Action.FORGET)
    path = _path(link.remote_id)
    if subject.gone:
        return Step(subject, Action.DELETE, Operation("DELETE", path, version=link.version))
    before = documents.doubted(link.document, link.intended)
    if before.get("active") is False:
        return Step(subject, Action.NOTHING)
    after = {**before, "active": False}
    return Step(subject, Action.DEACTIVATE, _patch(path, _deactivation(), link.version), after, ("active",))


def _provide(subject: Subject, wanted: Document, link: AccountLink | None) -> Step:
    if link is None or link.remote_id is None:
        data = documents.resource(wanted, urns.USER)
        return Step(subject, Action.CREATE, Operation("POST", ENDPOINT, data), wanted, tuple(wanted))
    before = documents.doubted(link.document, link.intended)
    differences = documents.differences(before, wanted)
    if not differences:
        return Step(subject, Action.NOTHING)
    action = Action.UPDATE if link.active or not before else Action.REACTIVATE
    names = tuple(difference["path"] for difference in differences)
    return Step(subject, action, _patch(_path(link.remote_id), differences, link.version), wanted, names)


def intend(session: Session, target: Target, steps: Iterable[Step], now: datetime) -> None:
    """Write down what is about to be sent. Commit before sending."""
    known = links(session, target, [step.subject.person_id for step in steps])
    for step in steps:
        if step.after is None:
            continue
        link = known.get(step.subject.person_id)
        if link is None:
            link = AccountLink(
                connection_id=target.id, person_id=step.subject.person_id, document={}, created=now, active=False
            )
            session.add(link)
        link.external_id = str(step.after.get("externalId") or link.external_id)
        link.document = documents.doubted(link.document, link.intended)
        link.intended = step.after
        link.modified = now


def record(
    session: Session, target: Target, step: Step, result: Result | None, now: datetime, *, found: Found | None = None
) -> Outcome:
    """Write down what became of a step; `result` None: there was nothing to send.

    `found` is what a look-up after a conflict or a changed version has found.
    """
    link = links(session, target, [step.subject.person_id]).get(step.subject.person_id)
    if result is None:
        if link is not None and step.action is Action.FORGET:
            _forget(session, link)
        return DONE
    if link is None:
        return DONE
    link.modified = now
    return _record(session, step, link, result, found)


def _record(session: Session, step: Step, link: AccountLink, result: Result, found: Found | None) -> Outcome:
    match kind_of(result):
        case Kind.DONE:
            return _done(session, step, link, result)
        case Kind.GONE:
            return _gone(session, step, link)
        case Kind.CHANGED if found is not None:
            link.version, link.intended = found.version, None
            return Outcome(Retry.SOON, "changed meanwhile", sentence(result))
        case Kind.CHANGED:
            return _gone(session, step, link)
        case Kind.CONFLICT if step.action is Action.CREATE and found is not None:
            adopt(link, found)
            return Outcome(Retry.SOON, "adopted")
        case Kind.UNKNOWN:
            return Outcome(Retry.LATER, "no answer", sentence(result))
        case _:
            link.intended = None
            if step.action is Action.CREATE:
                session.delete(link)
            # Somebody still gets in there who should not: that is tried again and again.
            urgent = step.action in (Action.DEACTIVATE, Action.DELETE)
            return Outcome(Retry.LATER if urgent else Retry.PARKED, "refused", sentence(result))


def adopt(link: AccountLink, found: Found) -> None:
    """The account is there: make it the person's. What it holds is not known and will be said again."""
    link.remote_id, link.version, link.document, link.intended = found.id, found.version, {}, None


def leaves_open(step: Step, result: Result | None) -> bool:
    """Whether an answer has to be followed by a question: who has it already, or which version it has now."""
    kind = None if result is None else kind_of(result)
    return kind is Kind.CHANGED or (kind is Kind.CONFLICT and step.action is Action.CREATE)


def look_again(channel: Channel, step: Step) -> Found | None:
    """Ask that question; outside any transaction."""
    assert step.operation is not None
    if step.action is not Action.CREATE:
        return channel.client.read(step.operation.path)
    assert step.after is not None
    try:
        return channel.find(ENDPOINT, step.after["externalId"])
    except SeveralFound:
        return None


def in_doubt(known: Mapping[str, AccountLink]) -> list[AccountLink]:
    """The links whose account may have been created by somebody who did not live to hear of it."""
    return [link for link in known.values() if link.remote_id is None and link.intended is not None]


def settle(link: AccountLink, found: Found | None) -> None:
    """Write down what a look-up of a link in doubt has found."""
    if found is None:
        link.intended = None
    else:
        adopt(link, found)


def _done(session: Session, step: Step, link: AccountLink, result: Result) -> Outcome:
    if step.action is Action.DELETE:
        _forget(session, link)
        return DONE
    if step.action is Action.CREATE:
        if result.resource_id is None:
            return Outcome(Retry.LATER, "no answer", "the site created the account and did not say where")
        link.remote_id = result.resource_id
    assert step.after is not None
    link.version, link.document, link.intended = result.version, step.after, None
    link.active = step.after["active"]
    return DONE


def _gone(session: Session, step: Step, link: AccountLink) -> Outcome:
    """The partner has no such account any more, nor any of its memberships."""
    _forget(session, link)
    if step.subject.document is None:
        return DONE
    if step.action is Action.CREATE:
        return Outcome(Retry.PARKED, "refused", "the site answered 404 to a create: is the SCIM address right?")
    return Outcome(Retry.SOON, "gone", "the site no longer has the account: it is created again")


def _forget(session: Session, link: AccountLink) -> None:
    session.execute(
        delete(MemberLink)
        .where(MemberLink.connection_id == link.connection_id, MemberLink.person_id == link.person_id)
        .execution_options(synchronize_session=False)
    )
    session.delete(link)


def _path(remote_id: str) -> str:
    return f"{ENDPOINT}/{quote(remote_id, safe='')}"


def _deactivation() -> list[dict[str, Any]]:
    return [{"op": "replace", "path": "active", "value": False}]


def _patch(path: str, operations: list[dict[str, Any]], version: str | None) -> Operation:
    return Operation("PATCH", path, {"schemas": [urns.PATCH_OP], "Operations": operations}, version)
