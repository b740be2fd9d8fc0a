"""What the worker, the commands and the pages call."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from random import random
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from federation.http import Client as HttpClient
from federation.http import Policy
from federation.scim.client import Client
from federation.storage.session import unit_of_work
from idp_app.installation import Installation
from idp_app.models import AccountLink, Connection, Pending, Stream
from idp_app.services import disconnecting, switch
from idp_app.services.connections import token_context
from idp_app.services.provisioning import accounts, fanout, groups, lease
from idp_app.services.provisioning.accounts import Action
from idp_app.services.provisioning.grant import Tokens
from idp_app.services.provisioning.run import Connect, Report, run
from idp_app.services.provisioning.subjects import Target, load

REQUEST_SECONDS: Final = 30.0
"""How long one request may take: a third of the lease."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a run would do for one person. `reason` says why they are served, or not."""

    person: str
    action: str
    attributes: tuple[str, ...]
    joining: tuple[str, ...]
    leaving: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """How provisioning to one connection stands. `waiting_since` is when the oldest waiting change was made."""

    connection: str
    accounts: int
    active: int
    waiting: int
    waiting_since: datetime | None
    failing: int
    quarantined: bool
    not_before: datetime | None
    error: str | None
    last_success: datetime | None


def connector(installation: Installation) -> Connect:
    """How a run reaches a partner: over the network, by the site's policy on addresses."""
    settings = installation.settings
    policy = Policy(allow_loopback=settings.allow_http_loopback, networks=settings.private_networks)

    @contextmanager
    def connect(connection: Connection) -> Iterator[Client]:
        url = connection.provisioning_url
        assert url is not None, "a connection without an address has nothing due"
        with HttpClient(policy, timeout=REQUEST_SECONDS) as http:
            yield Client(http, base_url=url, token=_token(installation, connection, http))

    return connect


def _token(installation: Installation, connection: Connection, http: HttpClient) -> str | Tokens:
    """The bearer token that was agreed on, or what gets a short-lived one by our signature."""
    sealed, token_url = connection.provisioning_token, connection.provisioning_token_url
    if token_url is None:
        assert sealed is not None, "one of the two is set together with the address"
        return installation.secret_box.decrypt(sealed, context=token_context(connection))
    with installation.sessions() as session:
        live = installation.partners.by_id(session, connection.id)
    return Tokens(
        http,
        token_url=token_url,
        issuer=installation.settings.own_entity_id,
        key=live.signing_key(installation.keys),
        clock=installation.clock,
    )


def owner() -> str:
    """This process, as the lease names it."""
    return f"{socket.gethostname()}:{os.getpid()}"


def sweep(installation: Installation) -> Sequence[str]:
    """Work off the outbox; answers the connections that have something to do now."""
    now = installation.clock()
    while True:
        with unit_of_work(installation.sessions) as session:
            if not fanout.fan_out(session, now):
                disconnecting.complete_all(session, now)
                return fanout.due(session, now)


def provision(installation: Installation, connection_id: str, *, connect: Connect | None = None) -> Report:
    """Work off what waits for one connection now, back-off and quarantine aside."""
    with unit_of_work(installation.sessions) as session:
        fanout.hasten(session, connection_id, installation.clock())
    return run(installation, connection_id, connect=connect or connector(installation), owner=owner(), random=random)


def provisioned(session: Session, name: str | None = None) -> Sequence[Connection]:
    """The connections that accounts are pushed to, or the one with that name; none while the federation is off."""
    if not switch.is_on(session):
        return ()
    return [each for each in fanout.provisioned(session) if name is None or each.name_key == name.casefold()]


def preview(session: Session, installation: Installation, connection: Connection) -> list[Planned]:
    """What a run would do for whoever waits for a connection. Changes nothing but what `fan_out` would: roll back."""
    live = installation.partners.by_id(session, connection.id)
    settings = installation.settings
    target = Target(live, live.release(None), installation.identifier_secret, settings.scope)
    waiting = session.scalars(select(Pending.person_id).where(Pending.connection_id == connection.id)).all()
    subjects = load(session, target, waiting)
    known = accounts.links(session, target, waiting)
    planned = []
    for person_id, subject in sorted(subjects.items(), key=lambda item: item[1].name):
        step = accounts.plan(subject, known.get(person_id))
        edges = groups.edges(session, target, [subject])
        joining = tuple(sorted(edges.names[group_id] for group_id in edges.joining))
        leaving = tuple(sorted(_group_names(session, target, edges.leaving)))
        if step.action is Action.NOTHING and not joining and not leaving:
            continue
        reason = subject.decision.reason if subject.decision is not None else _gone(target)
        planned.append(Planned(subject.name, step.action.value, step.attributes, joining, leaving, reason))
    return planned


def _gone(target: Target) -> str:
    return "The connection is being ended." if target.erases else "This person does not exist any more."


def health(session: Session) -> list[Health]:
    """How provisioning stands, connection by connection."""
    return [health_of(session, connection) for connection in fanout.provisioned(session)]


def health_of(session: Session, connection: Connection) -> Health:
    """How provisioning to one connection stands."""
    stream = session.get(Stream, connection.id)
    total, active = session.execute(
        select(func.count(), func.count().filter(AccountLink.active)).where(AccountLink.connection_id == connection.id)
    ).one()
    waiting, since, failing = session.execute(
        select(func.count(), func.min(Pending.since), func.count(Pending.error)).where(
            Pending.connection_id == connection.id
        )
    ).one()
    return Health(
        connection=connection.name,
        accounts=total,
        active=active,
        waiting=waiting,
        waiting_since=since,
        failing=failing,
        quarantined=stream is not None and stream.quarantined,
        not_before=stream.not_before if stream is not None else None,
        error=stream.error if stream is not None else None,
        last_success=stream.last_success if stream is not None else None,
    )


def is_busy(session: Session, connection_id: str, now: datetime) -> bool:
    """Whether somebody is at work on a connection."""
    return lease.holder(session, connection_id, now) is not None


def _group_names(session: Session, target: Target, group_ids: Iterable[str]) -> list[str]:
    links = groups.links(session, target, group_ids)
    return [str(link.document.get("displayName", link.group_id)) for link in links.values()]
